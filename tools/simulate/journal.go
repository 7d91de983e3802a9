package simulate

import (
	"troupe/messages/cluster"
	"troupe/slave/checkpoint"
	"troupe/slave/state"
)

// journal is an agent's, byte by byte as package checkpoint writes it: all
// checkpoints that wait for the disk together are one frame.
type journal struct {
	bytes    []byte
	records  int
	identity string // the first that a whole frame tells of; empty while none does
}

// add appends a frame, or the first bytes of one if cut is less than its
// length; it tells whether it is whole.
func (j *journal) add(records []*cluster.JournalRecord, cut func(length int) int) (whole bool, err error) {
	before := len(j.bytes)
	j.bytes, err = checkpoint.AppendFrame(j.bytes, records)
	if err != nil {
		return false, err
	}
	length := len(j.bytes) - before
	n := cut(length)
	j.bytes = j.bytes[:before+n]
	if n < length {
		return false, nil
	}
	j.records += len(records)
	for _, r := range records {
		if j.identity == "" {
			j.identity = r.GetIdentity().GetAgent().GetId().GetValue()
		}
	}
	return true, nil
}

// read is what a new process finds. A frame that is not whole is cut off.
func (j *journal) read() ([]*cluster.JournalRecord, error) {
	records, whole, err := checkpoint.Frames(j.bytes)
	if err != nil {
		return nil, err
	}
	j.bytes, j.records = j.bytes[:whole], len(records)
	return records, nil
}

// append writes a batch of checkpoints as one frame, to any byte of it if it is
// torn. What is whole is durable, whether or not anybody is told.
func (a *agentNode) append(batch []state.Checkpoint, torn bool) {
	var records []*cluster.JournalRecord
	for _, c := range batch {
		records = append(records, a.disk(c.Records)...)
	}
	whole, err := a.journal.add(records, func(length int) int {
		if torn {
			return a.net.chance.IntN(length + 1)
		}
		return length
	})
	if err != nil {
		a.cluster.fail("the journal of %s: %v", a.address, err)
	}
	if whole {
		a.cluster.oracle.journalWritten(a, records)
	}
}

func (a *agentNode) readJournal() []*cluster.JournalRecord {
	records, err := a.journal.read()
	if err != nil {
		a.cluster.fail("law 4: after a crash of %s: %v", a.address, err)
	}
	return records
}

// compactAt is how many records a journal has that is rewritten.
const compactAt = 2000

func (a *agentNode) compact() {
	if a.journal.records > compactAt && len(a.queue) == 0 && !a.writing {
		a.rewriteJournal(a.machine.Snapshot())
	}
}

// rewriteJournal puts one of a single frame in its place.
func (a *agentNode) rewriteJournal(records []*cluster.JournalRecord) {
	a.journal = journal{}
	if _, err := a.journal.add(records, func(length int) int { return length }); err != nil {
		a.cluster.fail("the journal of %s: %v", a.address, err)
	}
}

// identity is the id that the agent has by its journal; empty when it has none.
func (a *agentNode) identity() string { return a.journal.identity }
