package master_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"troupe/actors/actortest"
	"troupe/master"
	"troupe/master/store"
	"troupe/messages/cluster"
)

// readings is a whitelist of which a test says what is read.
type readings struct {
	mu    sync.Mutex
	hosts map[string]bool
	next  map[string]bool // nil: nothing new
	err   error
}

func (r *readings) Hosts() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hosts
}

func (r *readings) Read() (changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next != nil {
		r.hosts, r.next = r.next, nil
		return true, r.err
	}
	return false, r.err
}

func (r *readings) set(next map[string]bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next, r.err = next, err
}

// Agents are told of as they are listed at the start, and again 5 s after the
// whitelist became another; what is wrong with it is said once.
func TestTheWhitelistIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines, seen := observer.New(zapcore.WarnLevel)
		list := &readings{hosts: map[string]bool{}}
		b := newLoggingBench(t, store.NewMemory("c"), func(o *master.Options) { o.Whitelist = list }, zap.New(lines))
		b.spawn("agent")
		b.as("agent", &cluster.RegisterAgent{Agent: agentInfo()})
		if next[*cluster.AddAgent](b, master.AllocatorName).GetActive() {
			t.Error("an agent that is not listed is offered")
		}
		list.set(map[string]bool{"h": true}, nil)
		began := time.Now()
		if !next[*cluster.UpdateAgent](b, master.AllocatorName).GetActive() {
			t.Error("an agent that is listed is not offered")
		}
		if waited := time.Since(began); waited > 5*time.Second {
			t.Errorf("that took %s", waited)
		}
		list.set(nil, errors.New("disk on fire"))
		actortest.Pass(time.Minute)
		if n := seen.FilterMessageSnippet("whitelist cannot be read").Len(); n != 1 {
			t.Errorf("that it cannot be read is said %d times", n)
		}
		list.set(map[string]bool{}, nil)
		if next[*cluster.UpdateAgent](b, master.AllocatorName).GetActive() {
			t.Error("an agent that is listed no more is offered")
		}
	})
}
