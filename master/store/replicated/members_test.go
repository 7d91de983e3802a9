package replicated

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
)

func refuses(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("nothing was refused; expecting %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

// TestAMasterThatLostItsRegistryHasNoVote, lest what it had voted for is voted
// on twice; added again, it has everything.
func TestAMasterThatLostItsRegistryHasNoVote(t *testing.T) {
	synctest.Test(t, testAMasterThatLostItsRegistryHasNoVote)
}

func testAMasterThatLostItsRegistryHasNoVote(t *testing.T) {
	e := newEnsemble(t, 3)
	e.startAll()
	leader, term := e.elect()
	r := e.registry(term)
	e.write(r, "S1")
	victim, witness := e.others(leader)[0], e.others(leader)[1]
	e.stop(victim)
	if err := os.RemoveAll(e.folderOf(victim)); err != nil {
		t.Fatal(err)
	}
	e.start(victim)
	e.net.isolate(witness, true)
	if err := r.Write(t.Context(), admitted("S2")); err == nil {
		t.Fatal("an empty master made a majority")
	}
	lost(t, term)
	if e.nodes[victim].raft.LastIndex() != 0 {
		t.Error("it has a log without having been added")
	}
	e.net.isolate(witness, false)
	leader, term = e.elect()
	r = e.registry(term)
	if leader == victim {
		t.Fatal("the empty master leads")
	}
	if err := e.nodes[leader].Add(victim); err != nil {
		t.Fatal(err)
	}
	e.write(r, "S3")
	eventually(t, "the new master has everything", func() bool {
		return slices.Equal(keysOf(e.nodes[victim]), keysOf(e.nodes[leader]))
	})
	if err := e.nodes[leader].Add(victim); err != nil {
		t.Errorf("adding it twice: %v", err)
	}
}

func keysOf(n *Node) []string {
	var keys []string
	for _, s := range n.copy.stored() {
		keys = append(keys, s.GetKey())
	}
	return keys
}

func membersOf(t *testing.T, n *Node) string {
	t.Helper()
	members, err := n.Members()
	if err != nil {
		t.Fatal(err)
	}
	return addresses(members)
}

func TestReplacingADeadMachine(t *testing.T) { synctest.Test(t, testReplacingADeadMachine) }

func testReplacingADeadMachine(t *testing.T) {
	e := newEnsemble(t, 3)
	e.startAll()
	leader, term := e.elect()
	r := e.registry(term)
	e.write(r, "S1")
	dead, witness := e.others(leader)[0], e.others(leader)[1]
	eventually(t, "the one that dies has the log", func() bool { return len(keysOf(e.nodes[dead])) == 1 })
	e.stop(dead)
	node := e.nodes[leader]
	refuses(t, node.Remove(witness), "would not answer", dead)
	refuses(t, node.Remove(leader), "it leads")
	refuses(t, node.Remove("h9:5050"), "the masters are")
	refuses(t, node.Add("h4:5050"), "start it first")
	if err := node.Remove(dead); err != nil {
		t.Fatal(err)
	}
	e.masters = []string{leader, witness, "h4:5050"}
	slices.Sort(e.masters)
	e.start("h4:5050")
	if err := e.nodes[witness].Add("h4:5050"); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a master that does not lead added one: %v", err)
	}
	if err := node.Add("h4:5050"); err != nil {
		t.Fatal(err)
	}
	if got := membersOf(t, node); got != strings.Join(e.masters, ",") {
		t.Errorf("the masters are %s", got)
	}
	e.write(r, "S2")
	e.stop(leader)
	next, term := e.elect()
	if got := e.ids(e.registry(term)); !slices.Equal(got, []string{"S1", "S2"}) {
		t.Errorf("%s has %v", next, got)
	}
	e.masters = []string{dead, leader, witness} // the one that was removed comes back, as it was started
	e.start(dead)
	eventually(t, "the one that was removed is told so", func() bool {
		return strings.Contains(e.lines.String(), "was removed from them, and can be ended")
	})
}

// TestOneMasterBecomesThree without having been away.
func TestOneMasterBecomesThree(t *testing.T) { synctest.Test(t, testOneMasterBecomesThree) }

func testOneMasterBecomesThree(t *testing.T) {
	e := newEnsemble(t, 1)
	e.startAll()
	first, term := e.elect()
	r := e.registry(term)
	e.write(r, "S1")
	for _, more := range []string{"h2:5050", "h3:5050"} {
		e.masters = append(e.masters, more)
		e.start(more)
		if err := e.nodes[first].Add(more); err != nil {
			t.Fatal(err)
		}
	}
	e.write(r, "S2")
	if term.Err() != nil {
		t.Error(term.Err())
	}
	eventually(t, "the last one says that it has everything", func() bool {
		figures := map[string]float64{}
		e.nodes["h3:5050"].Metrics(func(key string, value float64) { figures[key] = value })
		return figures["registrar/log/ensemble_size"] == 3 && figures["registrar/log/recovered"] == 1
	})
	e.stop(first)
	_, term = e.elect()
	if got := e.ids(e.registry(term)); !slices.Equal(got, []string{"S1", "S2"}) {
		t.Errorf("the next leader has %v", got)
	}
}

func TestTheListOfMastersIsHeldAgainstTheLog(t *testing.T) {
	synctest.Test(t, testTheListOfMastersIsHeldAgainstTheLog)
}

func testTheListOfMastersIsHeldAgainstTheLog(t *testing.T) {
	e := newEnsemble(t, 3)
	e.startAll()
	_, term := e.elect()
	e.write(e.registry(term), "S1")
	for _, m := range e.masters {
		eventually(t, m+" has the log", func() bool { return len(keysOf(e.nodes[m])) == 1 })
	}
	for _, m := range e.masters {
		e.stop(m)
	}
	o := e.optionsOf("h1:5050")
	o.Masters = append(slices.Clone(e.masters), "h4:5050", "h5:5050")
	_, err := Open(o)
	refuses(t, err, "the masters are h1:5050,h2:5050,h3:5050", "troupe masters add")
	o = e.optionsOf("h1:5050")
	o.Folder = e.folderOf("h2:5050")
	_, err = Open(o)
	refuses(t, err, "belongs to the master at h2:5050")
	e.startAll()
	e.elect()
}

func TestOptionsAreChecked(t *testing.T) { synctest.Test(t, testOptionsAreChecked) }

func testOptionsAreChecked(t *testing.T) {
	e := newEnsemble(t, 3)
	for _, c := range []struct {
		spoil func(*Options)
		want  string
	}{
		{func(o *Options) { o.Address = "h9:5050" }, "is not one of h1:5050,h2:5050,h3:5050"},
		{func(o *Options) { o.Masters = nil }, "0 masters"},
		{func(o *Options) { o.Masters = []string{"h1:5050", "h1:5050"} }, "twice"},
		{func(o *Options) { o.Masters = []string{"h1"} }, "host:port"},
		{func(o *Options) { o.Masters = []string{"h1:0"} }, "lacks a host or a port"},
		{func(o *Options) { o.ElectionTimeout = 1 }, "is below"},
		{func(o *Options) { o.Info = nil }, "Info.Id"},
		{func(o *Options) { o.Folder = "" }, "Folder"},
		{func(o *Options) { o.Wire = nil }, "Wire"},
	} {
		o := e.optionsOf("h1:5050")
		c.spoil(&o)
		_, err := Open(o)
		refuses(t, err, c.want)
	}
}

// TestADifferentListFoundsNothing: masters that were told of different others
// make no cluster.
func TestADifferentListFoundsNothing(t *testing.T) { synctest.Test(t, testADifferentListFoundsNothing) }

func testADifferentListFoundsNothing(t *testing.T) {
	e := newEnsemble(t, 2)
	a := e.start("h1:5050")
	e.masters = append(e.masters, "h3:5050")
	b := e.start("h2:5050")
	said := ""
	a.tryFound(func(text string, _ ...zap.Field) { said = text })
	if !strings.Contains(said, "another list") || a.raft.LastIndex()+b.raft.LastIndex() != 0 {
		t.Errorf("it said %q", said)
	}
}
