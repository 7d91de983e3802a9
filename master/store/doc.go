// Package store keeps the registry on disk: a header and one record per agent
// and framework, every batch of changes written as a whole or not at all. File is the embedded
// store of a single master. The package decides nothing; the master's shell
// declares the interface that it fills, and wiring may import it.
//
// On disk a File is one bbolt database, of the form of package sealed:
//
//	registry.db
//	  header/   "header"  → RegistryHeader
//	            "records" → how many records there are, 8 bytes
//	  records/  KEY       → RegistryRecord
//
// Format 1 had only agents: a bucket agents/ of AGENT_ID → AgentRecord. Open
// turns such a file into the form above, in one transaction.
//
// Every value stands behind its CRC-32C, so that what the disk spoiled is not
// taken for what was written.
package store
