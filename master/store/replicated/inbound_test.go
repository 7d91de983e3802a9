package replicated

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// listener keeps what a stranger at an address is answered.
type listener struct {
	mu      sync.Mutex
	replies []*cluster.ReplicaReply
}

func (l *listener) hear(_, to string, m proto.Message) proto.Message {
	if r, ok := m.(*cluster.ReplicaReply); ok && to == "stranger:1" {
		l.mu.Lock()
		l.replies = append(l.replies, r)
		l.mu.Unlock()
	}
	return m
}

func (l *listener) reply(number uint64) *cluster.ReplicaReply {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.replies, func(r *cluster.ReplicaReply) bool { return r.GetNumber() == number })
	if i < 0 {
		return nil
	}
	return l.replies[i]
}

func hostileEntry(kind cluster.LogEntry_Kind, data string) *cluster.ReplicaRequest {
	return appendOf(&cluster.LogEntry{Index: proto.Uint64(1 << 40), Term: proto.Uint64(1), Kind: kind.Enum(), Data: []byte(data)})
}

func appendOf(entries ...*cluster.LogEntry) *cluster.ReplicaRequest {
	return &cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Append_{Append: &cluster.ReplicaRequest_Append{
		Term: proto.Uint64(1), Previous: proto.Uint64(1<<40 - 1), PreviousTerm: proto.Uint64(1), Entries: entries,
	}}}
}

func snapshotOf(change func(*cluster.ReplicaRequest_Snapshot)) *cluster.ReplicaRequest {
	s := encodeSnapshot(&raft.InstallSnapshotRequest{
		SnapshotVersion: 1, Term: 1, LastLogIndex: 2, LastLogTerm: 1, Size: 5,
		Configuration: raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{{ID: "a", Address: "b"}}}),
	})
	change(s)
	return &cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Snapshot_{Snapshot: s}}
}

func TestHostileRequestsAreRefused(t *testing.T) { synctest.Test(t, testHostileRequestsAreRefused) }

func testHostileRequestsAreRefused(t *testing.T) {
	e := newEnsemble(t, 1)
	ears := new(listener)
	e.net.spoil = ears.hear
	e.startAll()
	_, term := e.elect()
	r := e.registry(term)
	e.write(r, "S1")
	node := e.nodes["h1:5050"]
	for i, c := range []struct {
		request *cluster.ReplicaRequest
		want    string
	}{
		{&cluster.ReplicaRequest{}, "request is absent"},
		{&cluster.ReplicaRequest{To: proto.String("another")}, `not "another"`},
		{&cluster.ReplicaRequest{ClusterId: proto.String("d")}, `belongs to cluster "c", not "d"`},
		{&cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Vote_{Vote: &cluster.ReplicaRequest_Vote{
			Term: proto.Uint64(9), Last: proto.Uint64(9), LastTerm: proto.Uint64(9),
		}}}, "was removed from them"},
		{&cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Append_{Append: &cluster.ReplicaRequest_Append{Term: proto.Uint64(0)}}}, "append.term is 0"},
		{hostileEntry(cluster.LogEntry_MEMBERSHIP, "x"), "append.entries[0]: membership"},
		{hostileEntry(cluster.LogEntry_COMMAND, "\xff"), "append.entries[0]"},
		{hostileEntry(99, ""), "kind: 99 is unknown"},
		{appendOf(&cluster.LogEntry{Index: proto.Uint64(9), Term: proto.Uint64(1), Kind: cluster.LogEntry_NOTHING.Enum()}), "append.entries[0].index: 9 does not follow"},
		{appendOf(&cluster.LogEntry{Index: proto.Uint64(1 << 40), Term: proto.Uint64(2), Kind: cluster.LogEntry_NOTHING.Enum()}), "append.entries[0].term: 2 is not of 1 to 1"},
		{appendOf(make([]*cluster.LogEntry, maxAppend+1)...), "17 of them; at most 16"},
		{snapshotOf(func(s *cluster.ReplicaRequest_Snapshot) { s.Size = proto.Uint64(1 << 60) }), "snapshot.size"},
		{snapshotOf(func(s *cluster.ReplicaRequest_Snapshot) { s.Version = proto.Uint32(7) }), "snapshot.version: 7"},
		{snapshotOf(func(s *cluster.ReplicaRequest_Snapshot) { s.Membership = []byte("x") }), "snapshot.membership"},
		{snapshotOf(func(s *cluster.ReplicaRequest_Snapshot) { s.LastTerm = proto.Uint64(2) }), "snapshot.last_term: 2, in term 1"},
		{&cluster.ReplicaRequest{Request: &cluster.ReplicaRequest_Part{Part: &cluster.ReplicaRequest_SnapshotPart{Snapshot: proto.Uint64(7)}}}, "part.snapshot: 7 is not under way"},
	} {
		number := uint64(i + 1)
		c.request.Number, c.request.From = &number, proto.String("stranger")
		if c.request.To == nil {
			c.request.To = &node.disk.replica
		}
		node.Receive("stranger:1", c.request)
		port{e.net, "h1:5050"}.Send("stranger:1", nil) // opens the link on which the answer comes
		eventually(t, "an answer with "+c.want, func() bool { return ears.reply(number) != nil })
		if got := ears.reply(number).GetError(); !strings.Contains(got, c.want) {
			t.Errorf("request %d: %q does not say %q", i, got, c.want)
		}
	}
	e.write(r, "S2") // nothing has come of it
	if term.Err() != nil {
		t.Error(term.Err())
	}
}

// TestAnswersOfOthersCountForNothing: only who was asked answers.
func TestAnswersOfOthersCountForNothing(t *testing.T) {
	synctest.Test(t, testAnswersOfOthersCountForNothing)
}

func testAnswersOfOthersCountForNothing(t *testing.T) {
	closed := make(chan struct{})
	c := newCalls(port{newNetwork(t), "h1:1"}, closed)
	asked := make(chan uint64, 1)
	result := make(chan string, 1)
	go func() {
		m, err := c.ask("h2:1", time.Minute, func(number uint64) proto.Message {
			asked <- number
			return &cluster.IdentifyReplica{Number: &number}
		})
		result <- fmt.Sprint(m.(*cluster.ReplicaReply).GetFrom(), err)
	}()
	number := <-asked
	c.answer("h3:1", number, &cluster.ReplicaReply{From: proto.String("h3")})
	c.answer("h2:1", number+1, &cluster.ReplicaReply{From: proto.String("late")})
	c.answer("h2:1", number, &cluster.ReplicaReply{From: proto.String("h2")})
	c.answer("h2:1", number, &cluster.ReplicaReply{From: proto.String("again")})
	if got := <-result; got != "h2<nil>" {
		t.Errorf("answered by %s", got)
	}
	if _, err := c.ask("h2:1", time.Nanosecond, func(n uint64) proto.Message { return &cluster.IdentifyReplica{Number: &n} }); err == nil {
		t.Error("silence is an answer")
	}
	close(closed)
	if _, err := c.ask("h2:1", time.Minute, func(n uint64) proto.Message { return &cluster.IdentifyReplica{Number: &n} }); err == nil {
		t.Error("a closed replica was answered")
	}
}

// TestASnapshotReachesAMasterThatWasAway, in parts, of which some are lost.
func TestASnapshotReachesAMasterThatWasAway(t *testing.T) {
	for name, lose := range map[string]int{"whole": 0, "with the second part lost": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnsemble(t, 3)
				e.options = func(o *Options) { o.SnapshotAfter = 4 }
				var parts int
				var mu sync.Mutex
				e.net.spoil = func(_, _ string, m proto.Message) proto.Message {
					if r, ok := m.(*cluster.ReplicaRequest); ok && r.GetPart() != nil {
						mu.Lock()
						defer mu.Unlock()
						if parts++; parts == lose {
							return nil
						}
					}
					return m
				}
				e.startAll()
				leader, term := e.elect()
				r := e.registry(term)
				away := e.others(leader)[0]
				e.write(r, "S0")
				e.stop(away)
				for i := range 10 {
					e.write(r, fmt.Sprintf("S%d", i), fmt.Sprint(i, strings.Repeat("x", 100_000)))
				}
				if err := e.nodes[leader].raft.Snapshot().Error(); err != nil {
					t.Fatal(err)
				}
				e.write(r, "after")
				e.start(away)
				eventually(t, "it has everything", func() bool { return slices.Equal(keysOf(e.nodes[away]), keysOf(e.nodes[leader])) })
				mu.Lock()
				if parts < 5 {
					t.Errorf("only %d parts were sent", parts)
				}
				mu.Unlock()
				e.stop(away)
				e.start(away) // what it was sent is whole on its disk
			})
		})
	}
}

// TestABatchOfManyParts is all or nothing, also when its writer is deposed
// between two parts.
func TestABatchOfManyParts(t *testing.T) { synctest.Test(t, testABatchOfManyParts) }

func testABatchOfManyParts(t *testing.T) {
	e := newEnsemble(t, 1)
	e.startAll()
	_, first := e.elect()
	r := e.registry(first)
	var ids []string
	for i := range 3000 {
		ids = append(ids, fmt.Sprintf("S%04d-%s", i, strings.Repeat("x", 100)))
	}
	e.write(r, ids...)
	if got := e.ids(r); len(got) != len(ids) {
		t.Errorf("%d of %d are there", len(got), len(ids))
	}
	node := e.nodes["h1:5050"]
	number := first.(*term).number
	records, err := storedRecords(admitted(append([]string{"half"}, ids...)...))
	if err != nil {
		t.Fatal(err)
	}
	parts, err := split(number, records)
	if err != nil || len(parts) < 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	if _, err := await(node.raft.Apply(parts[0], enqueuePatience)); err != nil {
		t.Fatal(err)
	}
	if _, err := await(node.raft.Apply(parts[0], enqueuePatience)); err == nil {
		t.Error("the first part came twice")
	}
	if _, err := await(node.raft.Apply(parts[1], enqueuePatience)); err == nil {
		t.Error("a second part came without its first")
	}
	if _, err := split(number, []*cluster.StoredRecord{{Key: proto.String("k"), Record: make([]byte, maxBatch)}}); err == nil {
		t.Error("a batch above the limit was split")
	}
	if slices.Contains(keysOf(node), "agent/half") {
		t.Error("a batch without its end was made")
	}
}
