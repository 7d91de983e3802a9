package master

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"troupe/actors"
	"troupe/master/registry"
	"troupe/master/state"
)

// Leadership is a master that was started. It ends when the master can no
// longer make anything durable; the process must exit then.
type Leadership struct {
	end       sync.Once
	done      chan struct{}
	err       error
	registrar *Registrar
	store     Store
	fetched   time.Duration // what reading the registry took
}

// Done is closed when the leadership ends.
func (l *Leadership) Done() <-chan struct{} { return l.done }

// Err is why the leadership ended; nil before.
func (l *Leadership) Err() error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

// End ends the leadership: whatever comes to the master from now on is dropped.
// Safe from any goroutine.
func (l *Leadership) End(err error) { l.finish(err) }

// Metrics puts the registrar's figures by the keys that Mesos gives them. It
// may be called from any goroutine.
func (l *Leadership) Metrics(put func(key string, value float64)) {
	put("registrar/queued_operations", float64(l.registrar.Queued()))
	put("registrar/registry_size_bytes", float64(l.store.Size()))
	put("registrar/state_fetch_ms", float64(l.fetched)/float64(time.Millisecond))
	l.registrar.Writes().Put(time.Now(), "registrar/state_store_ms", put)
}

func (l *Leadership) finish(err error) {
	l.end.Do(func() {
		l.err = err
		close(l.done)
	})
}

// Start reads the registry and spawns the actors of a master. The allocator
// has to be there, or to come: it is linked, and told everything whenever it
// appears. The actors stop with the system.
func Start(ctx context.Context, sys *actors.System, o Options) (*Leadership, error) {
	o, err := o.withDefaults(sys)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.RegistryFetchTimeout)
	defer cancel()
	began := time.Now()
	records, err := o.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("start master: %w", err)
	}
	fetched := time.Since(began)
	known, err := registry.New(records)
	if err != nil {
		return nil, fmt.Errorf("start master: %w", err)
	}
	l := &Leadership{
		done: make(chan struct{}), store: o.Store, fetched: fetched,
		registrar: NewRegistrar(o.Store, known, o.RegistryStoreTimeout),
	}
	m := &Master{
		options: o, sys: sys, machine: state.New(o.Config), leadership: l, registry: known, registrar: l.registrar,
	}
	if _, err := sys.Spawn(RegistrarName, m.registrar); err != nil {
		return nil, fmt.Errorf("start master: %w", err)
	}
	if _, err := sys.Spawn(Name, m, actors.WithMailbox(o.Mailbox)); err != nil {
		return nil, errors.Join(fmt.Errorf("start master: %w", err), sys.Stop(ctx, sys.PID(RegistrarName)))
	}
	return l, nil
}
