package zookeeper

import (
	"context"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"troupe/master/election"
	"troupe/master/election/ensemble"
	"troupe/messages/mesos"
)

// Detector tells who leads; see election.Detector. While ZooKeeper cannot be
// asked, who led last counts as the leader: nobody knows better, and a master
// that was deposed says so itself.
type Detector struct {
	o      Options
	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	known   bool // leader has been read
	leader  *mesos.MasterInfo
	failed  error
	changed chan struct{} // closed and replaced at each change of the others
}

var _ election.Detector = (*Detector)(nil)

// NewDetector begins to watch.
func NewDetector(o Options) *Detector {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &Detector{o: o, cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(d.ended)
		if err := ensemble.Watch(ctx, d.o, label, d.hear); ctx.Err() == nil {
			d.set(func() { d.failed = err })
		}
	}()
	return d
}

// Leader waits for a change. It fails for good when ZooKeeper refuses to tell.
func (d *Detector) Leader(ctx context.Context, known *mesos.MasterInfo) (*mesos.MasterInfo, error) {
	for {
		d.mu.Lock()
		read, leader, failed, changed := d.known, d.leader, d.failed, d.changed
		d.mu.Unlock()
		if failed != nil {
			return nil, fmt.Errorf("detect the leader at %s: %w", d.o.Place, failed)
		}
		if read && !election.Same(leader, known) {
			return leader, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("detect the leader at %s: %w", d.o.Place, ctx.Err())
		}
	}
}

// Close ends the watch.
func (d *Detector) Close() error {
	d.cancel()
	<-d.ended
	d.set(func() { d.failed = election.ErrClosed })
	return nil
}

func (d *Detector) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	close(d.changed)
	d.changed = make(chan struct{})
}

// hear takes what leads, and publishes it when it is news.
func (d *Detector) hear(znode string, content []byte) {
	var leader *mesos.MasterInfo
	if znode != "" {
		info, err := decode(content)
		if err != nil {
			d.o.Logger.Warn("What leads is no master: nobody leads until it is gone", zap.String("znode", znode), zap.Error(err))
		}
		leader = info
	}
	d.mu.Lock()
	news := !d.known || !election.Same(d.leader, leader)
	d.mu.Unlock()
	if news {
		d.set(func() { d.known, d.leader = true, leader })
	}
}
