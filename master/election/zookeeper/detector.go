package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"

	"troupe/master/election"
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
	ctx, cancel := context.WithCancel(context.Background())
	d := &Detector{o: o.withDefaults(), cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(d.ended)
		d.run(ctx)
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

// run watches in one session after the other.
func (d *Detector) run(ctx context.Context) {
	for ctx.Err() == nil {
		s, err := dial(ctx, d.o)
		if err == nil {
			err = d.follow(ctx, s)
			s.Close()
		}
		if refused(err) {
			d.set(func() { d.failed = advise(err) })
			return
		}
		if ctx.Err() == nil {
			d.o.Logger.Warn("The watch for the leader broke; beginning again", zap.Error(err))
			rest(ctx)
		}
	}
}

// follow watches until the session ends.
func (d *Detector) follow(ctx context.Context, s *Session) error {
	for {
		changed, err := d.look(ctx, s)
		if err != nil {
			return err
		}
		if err := s.await(ctx, changed); err != nil {
			return err
		}
	}
}

// look reads who leads, and gives what tells of a change.
func (d *Detector) look(ctx context.Context, s *Session) (<-chan zk.Event, error) {
	folder := d.o.Place.Path
	names, changed, err := watchChildren(ctx, s, folder)
	if errors.Is(err, zk.ErrNoNode) {
		d.publish(nil)
		return watchCreation(ctx, s, folder)
	}
	if err != nil {
		return nil, err
	}
	all := candidates(names)
	if len(all) == 0 {
		d.publish(nil)
		return changed, nil
	}
	full := path.Join(folder, all[0].name)
	data, err := ask(ctx, s, func() ([]byte, error) {
		data, _, err := s.conn.Get(full)
		return data, err
	})
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return changed, nil // the list has changed, which is told
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", full, err)
	}
	info, err := decode(data)
	if err != nil {
		d.o.Logger.Warn("What leads is no master: nobody leads until it is gone", zap.String("znode", full), zap.Error(err))
	}
	d.publish(info)
	return changed, nil
}

// watchCreation gives what tells that a path may be there.
func watchCreation(ctx context.Context, s *Session, full string) (<-chan zk.Event, error) {
	changed, err := ask(ctx, s, func() (<-chan zk.Event, error) {
		exists, _, changed, err := s.conn.ExistsW(full)
		if exists {
			now := make(chan zk.Event)
			close(now)
			return now, err
		}
		return changed, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", full, err)
	}
	return changed, nil
}

func (d *Detector) publish(leader *mesos.MasterInfo) {
	d.mu.Lock()
	news := !d.known || !election.Same(d.leader, leader)
	d.mu.Unlock()
	if news {
		d.set(func() { d.known, d.leader = true, leader })
	}
}
