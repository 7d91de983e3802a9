// Package sealed keeps records on disk so that what was acknowledged is there
// after a crash and what is damaged is not taken for what was written: a file
// with a header and any number of records, which are bytes to it. Every batch
// of changes is written as a whole or not at all. What the records mean is the
// matter of the stores that import it: master/store, of the registry, and
// frameworks/store, of what frameworks keep.
//
// On disk a File is one bbolt database, which no other process can open
// meanwhile:
//
//	header/   "header"  → the header
//	          "records" → how many records there are, 8 bytes
//	records/  KEY       → a record
//
// Every value stands behind its CRC-32C.
package sealed
