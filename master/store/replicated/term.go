package replicated

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/master/registry"
	"troupe/messages/cluster"
)

// enqueuePatience bounds how long Raft may take to accept an entry. How long it
// may take to be committed is bounded by the leader's lease: without a majority
// there is no leader, and then an error.
const enqueuePatience = 10 * time.Second

// reign is the time from one election of this master to its end.
type reign struct {
	once sync.Once
	lost chan struct{}
	err  error
}

func newReign() *reign { return &reign{lost: make(chan struct{})} }

func (r *reign) end(err error) {
	r.once.Do(func() {
		r.err = err
		close(r.lost)
	})
}

// Lost implements election.Term.
func (r *reign) Lost() <-chan struct{} { return r.lost }

// Err implements election.Term.
func (r *reign) Err() error {
	select {
	case <-r.lost:
		return r.err
	default:
		return nil
	}
}

// term is a reign whose number is known.
type term struct {
	*reign
	node   *Node
	number uint64
}

// takeOver writes the first entry of a reign; nil when it was lost before.
func (n *Node) takeOver(current *reign) *term {
	got, err := n.apply(&cluster.RegistryEntry{Change: &cluster.RegistryEntry_Takeover_{
		Takeover: &cluster.RegistryEntry_Takeover{Replica: proto.String(n.disk.replica), Leader: n.options.Info},
	}})
	if err != nil {
		n.log.Info("elected, and not any more", zap.Error(err))
		return nil
	}
	if current.Err() != nil {
		return nil
	}
	return &term{current, n, got.term}
}

// apply makes an entry and waits until it is committed and applied here.
func (n *Node) apply(e *cluster.RegistryEntry) (applied, error) {
	data, err := proto.Marshal(e)
	if err != nil {
		return applied{}, err
	}
	return await(n.raft.Apply(data, enqueuePatience))
}

func await(f raft.ApplyFuture) (applied, error) {
	if err := f.Error(); err != nil {
		return applied{}, err
	}
	a, ok := f.Response().(applied)
	if !ok {
		return a, fmt.Errorf("an entry was answered with %T", f.Response())
	}
	return a, a.err
}

// Registry implements election.Term.
func (t *term) Registry(_ context.Context, o election.Opening) (election.Registry, error) {
	have := t.node.copy.clusterID()
	switch {
	case o.Expect != "" && have != o.Expect:
		return nil, fmt.Errorf("registry: cluster %q is expected, and the masters keep %q", o.Expect, have)
	case have == "" && o.NewCluster == "":
		return nil, errors.New("registry: a new cluster needs an id")
	case have == "":
		_, err := t.node.apply(&cluster.RegistryEntry{Term: &t.number, Change: &cluster.RegistryEntry_Founding_{
			Founding: &cluster.RegistryEntry_Founding{ClusterId: &o.NewCluster},
		}})
		if err != nil {
			return nil, t.lose(fmt.Errorf("found cluster %q: %w", o.NewCluster, err))
		}
	}
	return &replicated{t, t.node.copy.clusterID()}, nil
}

// lose ends the term because of err.
func (t *term) lose(err error) error {
	if !errors.Is(err, ErrLost) {
		err = fmt.Errorf("%w: %w", ErrLost, err)
	}
	t.end(err)
	return err
}

// replicated is the registry as one term may write it.
type replicated struct {
	term    *term
	cluster string
}

// ClusterID implements election.Registry.
func (r *replicated) ClusterID() string { return r.cluster }

// Load implements election.Registry.
func (r *replicated) Load(context.Context) ([]*cluster.RegistryRecord, error) {
	stored := r.term.node.copy.stored()
	records := make([]*cluster.RegistryRecord, 0, len(stored))
	for _, s := range stored {
		record := new(cluster.RegistryRecord)
		if err := proto.Unmarshal(s.GetRecord(), record); err != nil {
			return nil, fmt.Errorf("load registry: record %q: %w", s.GetKey(), err)
		}
		records = append(records, record)
	}
	return records, nil
}

// Write implements election.Registry: it returns when a majority of the masters
// has written the changes, in the term of this writer. After any error the term
// has ended: what was written may yet be committed, and the next leader will
// know.
func (r *replicated) Write(ctx context.Context, changes []registry.Change) error {
	if err := r.term.Err(); err != nil {
		return fmt.Errorf("write registry: %w", err)
	}
	records, err := storedRecords(changes)
	if err != nil || len(records) == 0 {
		return err
	}
	if err := r.write(ctx, records); err != nil {
		return r.term.lose(fmt.Errorf("write registry: %w", err))
	}
	return nil
}

func storedRecords(changes []registry.Change) ([]*cluster.StoredRecord, error) {
	records := make([]*cluster.StoredRecord, len(changes))
	for i, c := range changes {
		records[i] = &cluster.StoredRecord{Key: proto.String(c.Key)}
		if c.Record == nil {
			continue
		}
		data, err := proto.Marshal(c.Record)
		if err != nil {
			return nil, fmt.Errorf("write registry: record %q: %w", c.Key, err)
		}
		records[i].Record = data
	}
	return records, nil
}

func (r *replicated) write(ctx context.Context, records []*cluster.StoredRecord) error {
	entries, err := split(r.term.number, records)
	if err != nil {
		return err
	}
	futures := make([]raft.ApplyFuture, len(entries))
	for i, e := range entries {
		futures[i] = r.term.node.raft.Apply(e, enqueuePatience)
	}
	done := make(chan error, 1)
	go func() { // ends with the futures, at the latest when Raft does
		for _, f := range futures {
			if _, err := await(f); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	select {
	case err := <-done:
		return err
	case <-r.term.Lost():
		return r.term.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Size implements election.Registry.
func (r *replicated) Size() int64 { return r.term.node.copy.size() }

// Close implements election.Registry; the node is closed by whoever opened it.
func (r *replicated) Close() error { return nil }
