// Package batches keeps records in ZooKeeper, written by the leader of an
// election alone: every write is one transaction with a check of the znode that
// elected it, so that a process that was deposed can write nothing. What the
// records mean is the matter of the stores that import it: master/store/znodes,
// of the registry, and frameworks/store, of what frameworks keep.
//
//	ROOT                             RegistryRoot
//	  log/0000000017                 RegistrySegment: the changes of one batch,
//	  log/0000000018                 or of a part of it
//	  snapshot-0000000017/0000000000 RegistrySegment: every record as it was
//	  snapshot-0000000017/0000000001 before segment 17 of the log
//
// A batch of changes becomes the next segment of the log. One that is too large
// for a transaction becomes several; it counts when the last of them is there,
// and what a crash left of it is removed by the next leader. When the log is
// longer than what it tells, its state is written beside it, while writes go
// on; then the root names the new snapshot, in one transaction, and what lies
// before it is deleted.
//
// A znode holds at most 1 MiB, as does a transaction; a segment has an eighth of
// that, since ZooKeeper's servers keep the last 500 transactions in memory. Fifty
// thousand agents are some hundred segments, read in parallel.
//
// Not chosen: a znode per record, of which a leader would have to read fifty
// thousand one by one; a fixed number of shards, of which a burst of admissions
// would rewrite all.
//
// Each value stands behind its checksum and names its owner and its own place.
// What is damaged, foreign or missing is refused, and never begun anew.
package batches
