package replicated

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

const (
	// keepSnapshots is how many stay on disk.
	keepSnapshots = 2
	// handOverPatience bounds how long a leader that closes looks for a successor.
	handOverPatience = 2 * time.Second
)

// Node is one master's replica of the registry, and its part in the election.
// Its methods may be called from any goroutine.
type Node struct {
	options   Options
	disk      *disk
	raft      *raft.Raft
	copy      *registryCopy
	calls     *calls
	transport *transport
	log       *zap.Logger

	opened    chan struct{} // closed when raft is set
	closed    chan struct{}
	closeOnce sync.Once
	closeErr  error
	under     sync.WaitGroup
	changed   signal

	mu     sync.Mutex
	reign  *reign // nil while this master does not lead
	failed error  // why this replica can go on no more
}

var _ election.Contest = (*Node)(nil)

// Open opens a replica, which takes part from then on. It fails for files that
// are damaged or in use, and for masters that cannot be, with errors that say
// what to do.
func Open(o Options) (*Node, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	d, err := openDisk(o)
	if err != nil {
		return nil, err
	}
	n := &Node{options: o, disk: d, log: o.Logger, opened: make(chan struct{}), closed: make(chan struct{})}
	if err := n.start(); err != nil {
		return nil, errors.Join(err, d.log.Close())
	}
	return n, nil
}

func (n *Node) start() error {
	if id, _, err := n.disk.log.recovering(); err != nil || id != "" {
		return cmp.Or(err, fmt.Errorf("%s: its recovery was not finished: do it again (troupe masters recover)", n.options.Folder))
	}
	if err := n.disk.checkMembership(n.options); err != nil {
		return err
	}
	if err := n.disk.log.Set(mastersKey, []byte(strings.Join(n.options.Masters, ","))); err != nil {
		return err
	}
	n.disk.log.failed = n.fail
	n.disk.log.growth = growth{limit: n.options.SnapshotBytes, due: make(chan struct{}, 1)}
	n.copy = &registryCopy{changed: n.changed.notify, founded: n.remember, broken: n.fail}
	n.calls = newCalls(n.options.Wire, n.closed)
	n.transport = &transport{
		inbound: newInbound(n.disk.replica, n.options.Wire, n.wrong), calls: n.calls,
		address: n.options.Address, id: n.disk.replica, patience: n.options.ElectionTimeout, cluster: n.clusterID,
	}
	turns := make(chan bool, 8)
	r, err := raft.NewRaft(n.config(turns), n.copy, n.disk.log, n.disk.log, n.disk.snapshots, n.transport)
	if err != nil {
		return err
	}
	n.raft = r
	n.disk.log.running.Store(true)
	close(n.opened)
	n.watch(turns)
	n.under.Go(n.compact)
	if !n.disk.founded {
		n.under.Go(n.found)
	}
	return nil
}

func (n *Node) config(turns chan bool) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(n.disk.replica)
	c.HeartbeatTimeout, c.ElectionTimeout = n.options.ElectionTimeout, n.options.ElectionTimeout
	c.LeaderLeaseTimeout = n.options.ElectionTimeout * 3 / 4
	c.CommitTimeout = min(c.CommitTimeout, n.options.ElectionTimeout/10)
	c.MaxAppendEntries = maxAppend
	c.SnapshotThreshold, c.TrailingLogs = n.options.SnapshotAfter, n.options.SnapshotAfter/2
	c.SnapshotInterval = 30 * time.Second
	c.NotifyCh = turns
	c.NoLegacyTelemetry = true
	c.ShutdownOnRemove = false
	c.Logger = raftLogger(n.log)
	return c
}

// watch follows what Raft says of this master's leadership, and of others'.
func (n *Node) watch(turns <-chan bool) {
	observed := make(chan raft.Observation, 16)
	observer := raft.NewObserver(observed, true, func(o *raft.Observation) bool {
		_, leader := o.Data.(raft.LeaderObservation)
		return leader
	})
	n.raft.RegisterObserver(observer)
	n.under.Go(func() {
		defer n.raft.DeregisterObserver(observer)
		for {
			select {
			case leads := <-turns:
				n.turn(leads)
			case <-observed:
				n.changed.notify()
			case <-n.closed:
				return
			}
		}
	})
}

// turn begins or ends a reign.
func (n *Node) turn(leads bool) {
	n.mu.Lock()
	if n.reign != nil {
		n.reign.end(fmt.Errorf("%w: most of the masters did not answer within %s, or elected another (term %d)",
			ErrLost, n.options.ElectionTimeout*3/4, n.raft.CurrentTerm()))
		n.reign = nil
	}
	if leads {
		n.reign = newReign()
	}
	n.mu.Unlock()
	n.changed.notify()
}

// fail ends this replica: Lead, Leader and the term of this master say err.
func (n *Node) fail(err error) {
	n.mu.Lock()
	if n.failed == nil {
		n.failed = fmt.Errorf("masters: %s: %w", n.options.Folder, err)
	}
	if n.reign != nil {
		n.reign.end(n.failed)
		n.reign = nil
	}
	n.mu.Unlock()
	n.changed.notify()
}

func (n *Node) state() (*reign, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reign, n.failed
}

// clusterID is the cluster's id as far as it is known here.
func (n *Node) clusterID() string {
	if id := n.copy.clusterID(); id != "" {
		return id
	}
	return n.disk.cluster
}

// remember keeps the cluster's id beside the log: until a leader says what is
// committed, the log alone does not tell it.
func (n *Node) remember(clusterID string) {
	switch had := n.disk.cluster; {
	case had == clusterID:
	case had != "":
		n.fail(fmt.Errorf("%w: the folder was of cluster %q, and the log is of %q", ErrDamaged, had, clusterID))
	default:
		if err := n.disk.log.Set(clusterKey, []byte(clusterID)); err != nil {
			n.fail(err)
		}
	}
}

// wrong refuses requests of another cluster, and of masters that were removed.
func (n *Node) wrong(r *cluster.ReplicaRequest) error {
	if ours := n.clusterID(); r.ClusterId != nil && ours != "" && r.GetClusterId() != ours {
		return fmt.Errorf("this master belongs to cluster %q, not %q: give one of them another folder, or other masters", ours, r.GetClusterId())
	}
	return n.stranger(r)
}

// Receive takes a message from the replica of the master at address from. It
// does not block.
func (n *Node) Receive(from string, m proto.Message) {
	select {
	case <-n.closed:
		return
	case <-n.opened:
	}
	switch m := m.(type) {
	case *cluster.ReplicaRequest:
		n.transport.serve(from, m)
	case *cluster.ReplicaReply:
		n.calls.answer(from, m.GetNumber(), m)
	case *cluster.ReplicaIdentity:
		n.calls.answer(from, m.GetNumber(), m)
	case *cluster.IdentifyReplica:
		n.options.Wire.Send(from, n.identity(m.GetNumber()))
	}
}

// Lead implements election.Contest: Raft stands as a candidate all the time;
// once it is elected, this master takes over by an entry of its own, behind
// which its copy of the registry has everything that was ever acknowledged.
func (n *Node) Lead(ctx context.Context) (election.Term, error) {
	for {
		woken := n.changed.wait()
		current, err := n.state()
		switch {
		case err != nil:
			return nil, fmt.Errorf("lead: %w", err)
		case current != nil:
			if t := n.takeOver(current); t != nil {
				return t, nil
			}
		}
		select {
		case <-woken:
		case <-n.closed:
			return nil, fmt.Errorf("lead: %w", election.ErrClosed)
		case <-ctx.Done():
			return nil, fmt.Errorf("lead: %w", ctx.Err())
		}
	}
}

// Leader implements election.Detector.
func (n *Node) Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error) {
	for {
		woken := n.changed.wait()
		if _, err := n.state(); err != nil {
			return nil, fmt.Errorf("detect the leader: %w", err)
		}
		if leader := n.leader(); !election.Same(leader, known) {
			return leader, nil
		}
		select {
		case <-woken:
		case <-n.closed:
			return nil, fmt.Errorf("detect the leader: %w", election.ErrClosed)
		case <-ctx.Done():
			return nil, fmt.Errorf("detect the leader: %w", ctx.Err())
		}
	}
}

// leader is who took over, while Raft says that it leads.
func (n *Node) leader() *mesos.MasterInfo {
	_, id := n.raft.LeaderWithID()
	if _, replica, info := n.copy.leadership(); id != "" && string(id) == replica {
		return info
	}
	return nil
}

// Close ends this master's part: a leader asks another to take its place first,
// as long as its Wire works.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		n.handOver()
		close(n.closed)
		n.transport.close()
		err := n.raft.Shutdown().Error()
		n.under.Wait()
		n.transport.under.Wait()
		n.fail(election.ErrClosed)
		n.closeErr = errors.Join(err, n.disk.log.Close())
	})
	return n.closeErr
}

func (n *Node) handOver() {
	current, err := n.state()
	if members, bad := n.Members(); current == nil || err != nil || bad != nil || len(members) < 2 {
		return
	}
	asked := make(chan error, 1)
	n.under.Go(func() { asked <- n.raft.LeadershipTransfer().Error() })
	timer := time.NewTimer(handOverPatience)
	defer timer.Stop()
	select {
	case err := <-asked:
		if err != nil {
			n.log.Info("no other master took the place of this one", zap.Error(err))
		}
	case <-timer.C:
		n.log.Info("no other master took the place of this one in time")
	}
}
