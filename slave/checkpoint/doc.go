// Package checkpoint keeps what an agent must know again when it starts:
// one journal that is appended to, and rewritten when it has grown. It is a
// device; wiring brings it to package slave.
//
// What is in an agent's work directory beside its sandboxes:
//
//	WORK_DIR/meta/
//	    lock       held by the agent process that uses the directory; its pid
//	    boot_id    of the machine, when the journal was last opened
//	    journal    frames, each a JournalBatch
//	    journal.damaged  a journal that could not be read wholly, as it was
//	    journal.new  a rewrite that was not finished; removed at the next start
//
// A frame is a mark, the length of the batch and its CRC-32C (little endian,
// four bytes each), and the batch. All appends that wait while one is being
// synced make up the next frame, so that only the last frame can be torn: one
// that ends early, or fails its check with no whole frame after it. It was
// never acknowledged, and is cut off. A bad frame with a whole one after it is
// damage that nobody can account for: Open refuses, and names the offset, or
// leaves it out if it is told to.
package checkpoint
