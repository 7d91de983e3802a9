package overhttp

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"troupe/messages/mesos/scheduler"
)

// path is where masters take calls.
const path = "/api/v1/scheduler"

// Bounds of what is waited for and of what waits.
const (
	// defaultPatience is how long a connection, or the answer to a call, may take.
	defaultPatience = 30 * time.Second
	// closeWait is how long what waits may take to be sent before a connection is
	// closed.
	closeWait = 2 * time.Second
	// calls that wait to be sent; more break the connection.
	maxCalls = 1 << 17
	// events that were heard and are not done with.
	maxEvents = 1 << 12
	// maxRecord bounds one event, in bytes.
	maxRecord = 256 << 20
	// maxSaid bounds what is read of a refusal, in bytes.
	maxSaid = 16 << 10
	// maxBatch is how many calls are sent together.
	maxBatch = 256
	// ackLanes are connections for acknowledgements, to masters that take one call in a
	// request. Those of different tasks need not wait for each other, and are most of
	// what a scheduler says.
	ackLanes = 4
)

// Options are the settings of a Client. The zero Options speak protobuf, in the
// clear, as nobody.
type Options struct {
	// TLS makes it HTTPS, unless it is nil.
	TLS *tls.Config
	// JSON takes the place of protobuf.
	JSON bool
	// Principal proves to be who it is by Secret; an empty Secret proves nothing.
	Principal, Secret string
	// Token is a bearer's, in the place of Secret.
	Token string
	// Patience is how long the answer to a call may take; 30 s.
	Patience time.Duration
}

// Ear hears what comes back, in order. Its methods are called from goroutines of
// the Client's, and may block: the master waits.
type Ear interface {
	// Event is an event; done is to be called when it is done with.
	Event(e *scheduler.Event, done func())
	// Refused is the answer to a call that came to nothing: a status of HTTP, 400 or
	// more, and what the master says of it.
	Refused(c *scheduler.Call, status int, said string)
	// Removed is the answer to a TEARDOWN: the framework is no more.
	Removed()
	// NotLeading: the master does not lead; hint is the address, host:port, of who
	// does, or empty.
	NotLeading(hint string)
	// Lost is the last that is heard: the connection is gone, or cannot be had.
	Lost(reason string)
}

// Client makes connections. It is safe for concurrent use.
type Client struct {
	options       Options
	form          form
	scheme        string
	http          *http.Client
	authorization string
	// singly: the masters take one call in a request.
	singly atomic.Bool
}

// New makes a client.
func New(o Options) *Client {
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	c := &Client{options: o, form: protobufForm{}, scheme: "http", http: &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: o.TLS, DisableCompression: true, MaxIdleConnsPerHost: ackLanes + 2,
			DialContext: (&net.Dialer{Timeout: o.Patience, KeepAlive: o.Patience}).DialContext, TLSHandshakeTimeout: o.Patience,
			IdleConnTimeout: 5 * time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if o.JSON {
		c.form = jsonForm{}
	}
	if o.TLS != nil {
		c.scheme = "https"
	}
	switch {
	case o.Token != "":
		c.authorization = "Bearer " + o.Token
	case o.Secret != "":
		c.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(o.Principal+":"+o.Secret))
	}
	return c
}

// Close lets go of connections that nothing uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Connection is one to a master, until Lost is heard or Close was called. Its
// methods do not block.
type Connection struct {
	client  *Client
	address string
	ear     Ear
	context context.Context
	cancel  context.CancelFunc
	// lanes carry calls, each in order: the first all but acknowledgements.
	lanes []*lane
	// events bounds those that are not done with.
	events chan struct{}

	mu sync.Mutex
	// stream names the subscription, once the master has.
	stream string
	// attempt counts subscriptions; quit ends the present one.
	attempt int
	quit    context.CancelFunc
	over    bool
	// singly: calls are spread over all lanes.
	singly bool
	// carriers send calls; workers are all goroutines.
	carriers, workers sync.WaitGroup
}

// Connect makes a connection to the master at an address, host:port. Nothing is
// sent before the first Send.
func (c *Client) Connect(address string, ear Ear) *Connection {
	ctx, cancel := context.WithCancel(context.Background())
	n := &Connection{
		client: c, address: address, ear: ear, context: ctx, cancel: cancel,
		events: make(chan struct{}, maxEvents), quit: func() {}, singly: c.singly.Load(),
	}
	for range 1 + ackLanes {
		n.lanes = append(n.lanes, newLane())
	}
	return n
}

// Send sends a call, which must not be changed afterwards: SUBSCRIBE takes the
// place of the subscription before, others go out in order, but for
// acknowledgements, which are in order for each task.
func (n *Connection) Send(call *scheduler.Call) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return
	}
	if call.GetType() == scheduler.Call_SUBSCRIBE {
		n.subscribe(call)
		return
	}
	l := n.lanes[0]
	if n.singly {
		l = n.lanes[laneOf(call)]
	}
	n.put(l, call)
}

// put has a call sent on a lane. n is locked.
func (n *Connection) put(l *lane, call *scheduler.Call) {
	waiting, begun := l.put(call)
	if waiting > maxCalls {
		n.workers.Go(func() { n.lose("the master takes no calls: too many wait") })
	}
	if !begun {
		n.carriers.Add(1)
		n.workers.Go(func() {
			defer n.carriers.Done()
			n.carry(l)
		})
	}
}

// laneOf keeps the acknowledgements of a task together.
func laneOf(call *scheduler.Call) int {
	if call.GetType() != scheduler.Call_ACKNOWLEDGE {
		return 0
	}
	sum := uint32(2166136261)
	for _, b := range []byte(call.GetAcknowledge().GetTaskId().GetValue()) {
		sum = (sum ^ uint32(b)) * 16777619
	}
	return 1 + int(sum%ackLanes)
}

// Close ends the connection: nothing is heard any more, but for what is being
// heard now. What waits to be sent has a moment for that; Wait waits for it.
func (n *Connection) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return
	}
	n.over = true
	n.workers.Go(func() {
		n.drain()
		n.cancel()
	})
}

// drain waits for the answers to what was sent, for a moment.
func (n *Connection) drain() {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		n.carriers.Wait()
	}()
	late := time.NewTimer(closeWait)
	defer late.Stop()
	select {
	case <-sent:
	case <-late.C: // the rest will not get one
	}
}

// Wait waits until the goroutines of a closed connection have ended.
func (n *Connection) Wait() { n.workers.Wait() }

// lose ends the connection, which is heard once.
func (n *Connection) lose(reason string) {
	n.mu.Lock()
	first := !n.over
	n.over = true
	n.mu.Unlock()
	if first {
		n.cancel()
		n.ear.Lost(reason)
	}
}
