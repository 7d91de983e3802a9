package replicated

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/master/registry"
	"troupe/master/store/storetest"
	"troupe/messages/mesos"
)

// patience bounds what should happen soon.
const patience = 3 * time.Minute

// network carries messages between nodes of one process, in order between two
// of them, and loses those that cross a cut.
type network struct {
	mu    sync.Mutex
	nodes map[string]*Node
	links map[[2]string]chan proto.Message
	cut   map[string]bool // nodes that nobody hears
	done  chan struct{}
	under sync.WaitGroup
	// spoil sees every message and returns what arrives; nil is nothing.
	spoil func(from, to string, m proto.Message) proto.Message
}

func newNetwork(t testing.TB) *network {
	n := &network{nodes: map[string]*Node{}, links: map[[2]string]chan proto.Message{}, cut: map[string]bool{}, done: make(chan struct{})}
	t.Cleanup(func() { close(n.done); n.under.Wait() })
	return n
}

type port struct {
	net  *network
	from string
}

func (p port) Send(to string, m proto.Message) {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	link := [2]string{p.from, to}
	queue := p.net.links[link]
	if queue == nil {
		queue = make(chan proto.Message, 1024)
		p.net.links[link] = queue
		p.net.under.Go(func() { p.net.carry(link, queue) })
	}
	select {
	case queue <- m:
	default: // lost
	}
}

func (n *network) carry(link [2]string, queue chan proto.Message) {
	for {
		select {
		case <-n.done:
			return
		case m := <-queue:
			n.mu.Lock()
			to, lost, spoil := n.nodes[link[1]], n.cut[link[0]] || n.cut[link[1]], n.spoil
			n.mu.Unlock()
			if spoil != nil {
				m = spoil(link[0], link[1], m)
			}
			if to != nil && !lost && m != nil {
				to.Receive(link[0], m)
			}
		}
	}
}

func (n *network) isolate(address string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[address] = cut
}

func (n *network) attach(address string, node *Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nodes[address] = node
}

// ensemble is the masters of a cluster in one process.
type ensemble struct {
	t       testing.TB
	net     *network
	folder  string
	masters []string
	starts  int
	nodes   map[string]*Node
	log     *zap.Logger
	lines   *lockedBuffer
	options func(*Options)
}

func newEnsemble(t testing.TB, n int) *ensemble {
	e := &ensemble{t: t, net: newNetwork(t), folder: t.TempDir(), nodes: map[string]*Node{}}
	e.log, e.lines = logOf(t)
	for i := range n {
		e.masters = append(e.masters, fmt.Sprintf("h%d:5050", i+1))
	}
	return e
}

// logOf keeps what is logged, and shows it when the test has failed.
func logOf(t testing.TB) (*zap.Logger, *lockedBuffer) {
	lines := new(lockedBuffer)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(lines.String())
		}
	})
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), lines, zap.DebugLevel)), lines
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// Sync has nothing to do.
func (b *lockedBuffer) Sync() error { return nil }

func (e *ensemble) folderOf(address string) string {
	return filepath.Join(e.folder, address[:len(address)-len(":5050")])
}

func (e *ensemble) optionsOf(address string) Options {
	e.starts++
	o := Options{
		Folder: e.folderOf(address), Masters: e.masters, Address: address, Wire: port{e.net, address},
		Info:            &mesos.MasterInfo{Id: proto.String(fmt.Sprintf("%s start %d", address, e.starts)), Ip: proto.Uint32(1), Port: proto.Uint32(5050)},
		ElectionTimeout: 300 * time.Millisecond,
		Logger:          e.log.Named(address),
	}
	if e.options != nil {
		e.options(&o)
	}
	return o
}

func (e *ensemble) start(address string) *Node {
	e.t.Helper()
	n, err := Open(e.optionsOf(address))
	if err != nil {
		e.t.Fatal(err)
	}
	e.nodes[address] = n
	e.net.attach(address, n)
	e.t.Cleanup(func() { e.stop(address) })
	return n
}

func (e *ensemble) startAll() {
	e.t.Helper()
	for _, m := range e.masters {
		e.start(m)
	}
}

// stop closes a node without its saying so to the others, as a crash does.
func (e *ensemble) stop(address string) {
	n := e.nodes[address]
	if n == nil {
		return
	}
	e.net.attach(address, nil)
	delete(e.nodes, address)
	if err := n.crash(); err != nil {
		e.t.Error(err)
	}
}

// crash closes without handing over.
func (n *Node) crash() error {
	n.mu.Lock()
	n.failed = errors.Join(n.failed, errors.New("crashed by a test"))
	n.mu.Unlock()
	return n.Close()
}

// elect waits until one of the nodes leads.
func (e *ensemble) elect() (string, election.Term) {
	e.t.Helper()
	type win struct {
		address string
		term    election.Term
		err     error
	}
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	wins := make(chan win, len(e.nodes))
	for address, n := range e.nodes {
		go func() {
			term, err := n.Lead(ctx)
			wins <- win{address, term, err}
		}()
	}
	var first win
	for range len(e.nodes) {
		if w := <-wins; w.err == nil && first.term == nil {
			first = w
			cancel()
		}
	}
	if first.term == nil {
		e.t.Fatal("nobody was elected")
	}
	return first.address, first.term
}

func (e *ensemble) registry(term election.Term) election.Registry {
	e.t.Helper()
	r, err := term.Registry(e.t.Context(), election.Opening{NewCluster: "c"})
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

func admitted(ids ...string) []registry.Change {
	var changes []registry.Change
	for _, id := range ids {
		changes = append(changes, storetest.Admit(id))
	}
	return changes
}

func (e *ensemble) write(r election.Registry, ids ...string) {
	e.t.Helper()
	if err := r.Write(e.t.Context(), admitted(ids...)); err != nil {
		e.t.Fatal(err)
	}
}

// ids are the agents that a registry holds.
func (e *ensemble) ids(r election.Registry) []string {
	e.t.Helper()
	records, err := r.Load(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	var ids []string
	for _, r := range records {
		ids = append(ids, r.GetAgent().GetAgent().GetId().GetValue())
	}
	return ids
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
