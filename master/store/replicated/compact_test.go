package replicated

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
)

// TestTheLogIsBoundInBytes: long before so many entries were written as make a
// snapshot, their bytes do; what stays is bound, too, and nothing is lost.
func TestTheLogIsBoundInBytes(t *testing.T) { synctest.Test(t, testTheLogIsBoundInBytes) }

func testTheLogIsBoundInBytes(t *testing.T) {
	const limit = 4 << 10
	e := newEnsemble(t, 1)
	e.options = func(o *Options) { o.SnapshotBytes = limit }
	e.startAll()
	leader, term := e.elect()
	r := e.registry(term)
	var ids []string
	for i := range 200 {
		id := fmt.Sprintf("S%03d", i)
		ids = append(ids, id)
		e.write(r, id)
	}
	log := e.nodes[leader].disk.log
	eventually(t, "the log is short", func() bool {
		first, err := log.FirstIndex()
		last, err2 := log.LastIndex()
		kept, err3 := log.newest(2 * limit)
		return err == nil && err2 == nil && err3 == nil && first > 100 && kept == last-first+1
	})
	if got := e.nodes[leader].raft.ReloadableConfig().TrailingLogs; got != 4096 {
		t.Errorf("after a snapshot of many entries %d would stay, want as many as always", got)
	}
	e.stop(leader)
	n := e.start(leader)
	if grown := n.disk.log.bytes.Load(); grown > limit {
		t.Errorf("behind the snapshot the log was found to have %d bytes", grown)
	}
	_, term = e.elect()
	if got := e.ids(e.registry(term)); !slices.Equal(got, ids) {
		t.Errorf("it has %v", got)
	}
}
