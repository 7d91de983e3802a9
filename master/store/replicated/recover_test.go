package replicated

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// loseTwo makes a cluster of three with two agents, of which two masters are
// gone for good; it returns the third.
func loseTwo(t *testing.T, change func(*Options)) (*ensemble, string) {
	e := newEnsemble(t, 3)
	e.options = change
	e.startAll()
	leader, term := e.elect()
	r := e.registry(term)
	e.write(r, "S1")
	e.write(r, "S2")
	survivor := e.others(leader)[0]
	eventually(t, "the one that survives has the log", func() bool { return len(keysOf(e.nodes[survivor])) == 2 })
	if _, err := Inspect(e.folderOf(survivor), e.log); err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("a replica that runs was inspected: %v", err)
	}
	if _, err := Recover(e.folderOf(survivor), e.log); err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("a replica that runs was recovered: %v", err)
	}
	for _, m := range e.masters {
		e.stop(m)
		if m != survivor {
			if err := os.Rename(e.folderOf(m), e.folderOf(m)+".lost"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e, survivor
}

func recovered(t *testing.T, e *ensemble, survivor string) Remains {
	t.Helper()
	r, err := Recover(e.folderOf(survivor), e.log)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOneOfThreeIsEnoughAfterARecovery: it has what it had, leads alone, and takes
// others in.
func TestOneOfThreeIsEnoughAfterARecovery(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"log": nil,
		// There is a snapshot, and a log behind it.
		"snapshot": func(o *Options) { o.SnapshotBytes = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testOneOfThreeIsEnoughAfterARecovery(t, change) })
		})
	}
}

func testOneOfThreeIsEnoughAfterARecovery(t *testing.T, change func(*Options)) {
	e, survivor := loseTwo(t, change)
	before, err := Inspect(e.folderOf(survivor), e.log)
	if err != nil {
		t.Fatal(err)
	}
	others := slices.DeleteFunc(slices.Clone(e.masters), func(m string) bool { return m == survivor })
	if before.Cluster != "c" || before.Address != survivor || !slices.Equal(before.Others, others) || before.Records != 2 || before.Entry < 3 || before.Term < 1 {
		t.Errorf("before, there was %+v", before)
	}
	after := recovered(t, e, survivor)
	if after.Entry != before.Entry || after.Records != 2 {
		t.Errorf("recovered was %+v of %+v", after, before)
	}
	// The list that it was started with may be behind.
	e.start(survivor)
	leader, term := e.elect()
	r := e.registry(term)
	if got := e.ids(r); !slices.Equal(got, []string{"S1", "S2"}) {
		t.Errorf("it has %v", got)
	}
	e.write(r, "S3")
	if got := membersOf(t, e.nodes[leader]); got != survivor {
		t.Errorf("the masters are %s", got)
	}
	e.start(others[0])
	if err := e.nodes[survivor].Add(others[0]); err != nil {
		t.Fatal(err)
	}
	e.write(r, "S4")
	eventually(t, "the master that was added has everything", func() bool { return len(keysOf(e.nodes[others[0]])) == 4 })
}

// TestLostMastersThatComeBackAreRefused: by their membership it is a replica that
// is no more.
func TestLostMastersThatComeBackAreRefused(t *testing.T) {
	synctest.Test(t, testLostMastersThatComeBackAreRefused)
}

func testLostMastersThatComeBackAreRefused(t *testing.T) {
	e, survivor := loseTwo(t, nil)
	recovered(t, e, survivor)
	e.start(survivor)
	_, term := e.elect()
	r := e.registry(term)
	for _, m := range e.masters {
		if m != survivor {
			if err := os.Rename(e.folderOf(m)+".lost", e.folderOf(m)); err != nil {
				t.Fatal(err)
			}
			e.start(m)
		}
	}
	// They elect one of them, who calls upon what the survivor was.
	eventually(t, "the others have a leader", func() bool {
		for m, n := range e.nodes {
			if m != survivor && n.raft.State() == raft.Leader {
				return true
			}
		}
		return false
	})
	e.write(r, "S3")
	if got := e.ids(r); !slices.Equal(got, []string{"S1", "S2", "S3"}) {
		t.Errorf("it has %v", got)
	}
	if got := membersOf(t, e.nodes[survivor]); got != survivor {
		t.Errorf("the masters are %s", got)
	}
}

// TestAnInterruptedRecoveryIsDoneAgain, from each of its writes.
func TestAnInterruptedRecoveryIsDoneAgain(t *testing.T) {
	synctest.Test(t, testAnInterruptedRecoveryIsDoneAgain)
}

func testAnInterruptedRecoveryIsDoneAgain(t *testing.T) {
	e, survivor := loseTwo(t, nil)
	open := func() *remainder {
		d, err := openRemains(e.folderOf(survivor), e.log)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	old := d.replica
	id, err := d.begin(survivor)
	if err := errors.Join(err, d.log.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(e.optionsOf(survivor)); err == nil || !strings.Contains(err.Error(), "its recovery was not finished") {
		t.Errorf("it was opened: %v", err)
	}
	recovered(t, e, survivor)
	// As if the end of it had not been written.
	d = open()
	if err := errors.Join(d.log.Set(replicaKey, []byte(old)), d.log.Set(recoveringKey, []byte(id+" "+survivor)), d.log.Close()); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second) // snapshots are named by the clock
	recovered(t, e, survivor)
	e.start(survivor)
	_, term := e.elect()
	if got := e.ids(e.registry(term)); !slices.Equal(got, []string{"S1", "S2"}) {
		t.Errorf("it has %v", got)
	}
}

func TestWhatCannotBeRecovered(t *testing.T) { synctest.Test(t, testWhatCannotBeRecovered) }

func testWhatCannotBeRecovered(t *testing.T) {
	e := newEnsemble(t, 3)
	_, err := Recover(e.folderOf("h1:5050"), nil)
	refuses(t, err, "is not there", "log.db")
	if _, err := os.Stat(e.folderOf("h1:5050")); err == nil {
		t.Error("the folder was made")
	}
	e.start("h1:5050")
	e.stop("h1:5050")
	_, err = Recover(e.folderOf("h1:5050"), nil)
	refuses(t, err, "is none of the masters")

	e, survivor := loseTwo(t, nil)
	path := filepath.Join(e.folderOf(survivor), "log.db")
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	_, err = Recover(e.folderOf(survivor), nil)
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged log: %v", err)
	}
}
