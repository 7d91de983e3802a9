package stream

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/recordio"
)

// valve is a client that takes what comes while it is open.
type valve struct {
	header http.Header
	mu     sync.Mutex
	moved  *sync.Cond
	closed bool
	got    bytes.Buffer
}

func newValve() *valve {
	v := &valve{header: make(http.Header)}
	v.moved = sync.NewCond(&v.mu)
	return v
}

func (v *valve) Header() http.Header { return v.header }
func (v *valve) WriteHeader(int)     {}
func (v *valve) Flush()              {}
func (v *valve) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.closed {
		v.moved.Wait()
	}
	return v.got.Write(p)
}

func (v *valve) set(closed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = closed
	v.moved.Broadcast()
}

// records are what it has.
func (v *valve) records(t *testing.T) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []string
	for in := recordio.NewReader(bytes.NewReader(v.got.Bytes()), 1<<20); ; {
		record, err := in.Next()
		if err != nil {
			return all
		}
		all = append(all, string(record))
	}
}

// open subscribes a client within a bubble of synctest.
func open(t *testing.T, s Server, query string) (v *valve, leave context.CancelFunc, ended chan error) {
	v = newValve()
	ctx, leave := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				panic(p)
			}
			close(ended)
		}()
		ended <- s.Serve(v, httptest.NewRequest(http.MethodGet, "/"+query, nil).WithContext(ctx), carrier.JSON)
	}()
	return v, leave, ended
}

// pass lets time pass in a bubble.
func pass(d time.Duration) { <-time.After(d) }

// A client that does not read holds nobody up and no memory; when it reads on,
// its last event says that it was cut off, and where it was.
func TestASlowReaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newTestView()
		v.hub.log = make([]*entry, 1<<11)
		slow, _, ended := open(t, v.server(), "?resume=")
		fast, leave, _ := open(t, v.server(), "")
		pass(time.Second)
		slow.set(true)
		const events = 5000
		for i := range events {
			v.publish(view.AgentRemoved{ID: "S0"})
			if i%1000 == 0 {
				pass(time.Second)
			}
		}
		pass(time.Second)
		if n := len(fast.records(t)); n != events+2 {
			t.Errorf("beside a slow reader another got %d of %d records", n, events+2)
		}
		slow.set(false)
		if err, open := <-ended; err != nil || !open {
			t.Errorf("the stream ended with %v", err)
		}
		got := slow.records(t)
		last := got[len(got)-1]
		if !strings.Contains(last, "more slowly than they come; the last event was "+leader) {
			t.Errorf("the last of %d: %s", len(got), last)
		}
		leave()
		synctest.Wait()
		if n := v.hub.Subscribers(); n != 0 {
			t.Errorf("%d subscribers", n)
		}
		v.hub.signal()
		pass(time.Second)
	})
}

func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newTestView()
		c, leave, _ := open(t, v.server(), "")
		synctest.Wait()
		begun := time.Now()
		for beats := 1; beats <= 4; beats++ {
			if got := c.records(t); len(got) != 1+beats || got[beats] != `{"type":"HEARTBEAT"}` {
				t.Fatalf("after %v: %q", time.Since(begun), got)
			}
			pass(Interval)
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		v.hub.signal()
	})
}

// What waits for nobody is bounded, by number and by size.
func TestTheLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newTestView()
		c, leave, _ := open(t, v.server(), "?type=AGENT_ADDED")
		synctest.Wait()
		big := view.AgentID(strings.Repeat("x", 1<<20))
		for range 100 {
			v.publish(view.AgentRemoved{ID: big})
			pass(time.Second)
		}
		v.hub.mu.Lock()
		if held := v.hub.last - v.hub.first; v.hub.bytes > maxBytes || held > 64 || held < 60 {
			t.Errorf("%d events of %d bytes are kept", held, v.hub.bytes)
		}
		v.hub.mu.Unlock()
		if got := c.records(t); len(got) < 8 { // SUBSCRIBED and heartbeats
			t.Errorf("a reader that wants none of it has %d records", len(got))
		}
		leave()
		synctest.Wait()
		v.hub.signal()
		pass(time.Second)
	})
}
