package executortest

import (
	"context"
	"sync"
	"time"

	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Box is a container in name only, of a Launcher.
type Box struct {
	program.Contents
	// Within is the one that it is in; nil if none.
	Within *Box

	launcher *Launcher
	limited  chan struct{}
	updates  chan *cluster.ContainerAmounts
	gone     chan struct{}

	mu        sync.Mutex
	limit     *cluster.ContainerLimit
	stubborn  error
	destroyed bool
	mounts    bool
	groups    *mesos.CgroupInfo
}

// Open is program.Containers's. See Refuse and Hold.
func (l *Launcher) Open(ctx context.Context, c program.Contents) (program.Container, error) {
	return l.open(ctx, c, nil)
}

func (l *Launcher) open(ctx context.Context, c program.Contents, within *Box) (program.Container, error) {
	l.mu.Lock()
	err, hold := l.refusal, l.hold
	l.mu.Unlock()
	b := &Box{
		Contents: c, Within: within, launcher: l, limited: make(chan struct{}),
		updates: make(chan *cluster.ContainerAmounts, 64), gone: make(chan struct{}),
	}
	l.opened <- b
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Refuse makes every later Open fail with err; nil heals.
func (l *Launcher) Refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusal = err
}

// Hold has every later Open wait until release is called, or its context ends.
func (l *Launcher) Hold() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hold := make(chan struct{})
	l.hold = hold
	return func() { close(hold) }
}

// Opened waits for the next container that is asked for.
func (l *Launcher) Opened(t TB) *Box {
	t.Helper()
	return next(t, l.opened, "no container was asked for")
}

// Exceed runs into a limit. Call it once.
func (b *Box) Exceed(l *cluster.ContainerLimit) {
	b.mu.Lock()
	b.limit = l
	b.mu.Unlock()
	close(b.limited)
}

// Resist makes Destroy fail with err; nil heals.
func (b *Box) Resist(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stubborn = err
}

// Gone waits until it was destroyed.
func (b *Box) Gone(t TB) {
	t.Helper()
	next(t, b.gone, "the container was not destroyed")
}

// Updated waits for the next Update.
func (b *Box) Updated(t TB) *cluster.ContainerAmounts {
	t.Helper()
	return next(t, b.updates, "the container was not updated")
}

// Nest is program.Container's.
func (b *Box) Nest(ctx context.Context, c program.Contents) (program.Container, error) {
	return b.launcher.open(ctx, c, b)
}

// Mounts is what SetMounts was given.
func (b *Box) Mounts() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mounts
}

// SetMounts says whether it has volumes as mounts.
func (b *Box) SetMounts(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mounts = on
}

// Groups is what SetGroups was given.
func (b *Box) Groups() *mesos.CgroupInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.groups
}

// SetGroups says what is told of its control groups.
func (b *Box) SetGroups(g *mesos.CgroupInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.groups = g
}

// Update is remembered for Updated.
func (b *Box) Update(a *cluster.ContainerAmounts) error {
	b.updates <- a
	return nil
}

// Limited is closed by Exceed.
func (b *Box) Limited() <-chan struct{} { return b.limited }

// Limit is what Exceed was given.
func (b *Box) Limit() *cluster.ContainerLimit {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit
}

// Destroy is remembered for Gone; what runs in it is the test's to end.
func (b *Box) Destroy(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stubborn == nil && !b.destroyed {
		b.destroyed = true
		close(b.gone)
	}
	return b.stubborn
}

func next[T any](t TB, from <-chan T, missing string) T {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case v := <-from:
		return v
	case <-late.C:
		t.Fatal(missing)
		var none T
		return none
	}
}
