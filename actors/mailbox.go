package actors

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// origin is who sent a message. It is made once per local actor and shared by
// everything that actor sends.
type origin struct {
	pid       PID
	principal string
}

type envelopeKind uint8

const (
	kindMessage envelopeKind = iota // msg for the handler table
	kindReply                       // msg for the continuation of ask
	kindRun                         // run, unless the actor restarted since
	kindAlways                      // run
	kindStop                        // stop: everything before it has been handled
)

// envelope is the only thing that waits in a mailbox besides protoactor's
// lifecycle messages, so that nothing overtakes anything.
type envelope struct {
	msg        proto.Message
	run        func(c *Context)
	from       *origin
	ask        uint64 // the sender's key for the reply; 0: none is expected
	size       uint32 // bytes on the wire; 0 for local messages
	generation uint16
	kind       envelopeKind
}

// mailbox is an actor's queue: senders append to in under the lock, the runner
// swaps it for its own slice when that is used up and so locks once per batch.
type mailbox struct {
	mu        sync.Mutex
	in        []envelope
	between   *fullRooms // what is between out and in; mostly nil
	system    []any      // protoactor's lifecycle messages: only start and stop
	shared    *sharedState
	posted    uint64
	fullAt    uint64 // of posted; at least as much fits in
	scheduled bool
	open      bool // false while Init runs: messages wait
	closed    bool // stopping: nothing is accepted any more
	limits    *Limits

	systemWaits atomic.Bool
	handled     atomic.Uint64 // taken out, as of the begin of the runner's last span
	bytes       atomic.Int64  // wire bytes queued
	refused     atomic.Uint64 // messages over the limits

	// The runner's own.
	out   []envelope
	next  int
	taken uint64
	calm  uint8 // how often it found nothing since it was busy; see linger
}

// sharedState is what others ask of an actor; most have none.
type sharedState struct {
	watchers map[watchKey]watcher
	done     chan struct{} // closed when finished; nil while nobody waits
	finished bool
	reason   string
}

// share is called under the lock.
func (b *mailbox) share() *sharedState {
	if b.shared == nil {
		b.shared = &sharedState{}
	}
	return b.shared
}

// busy is how many messages at once make the runner look linger times more
// before it goes: starting a goroutine costs as much as many messages.
const busy, linger = 8, 3

type postResult uint8

const (
	posted postResult = iota
	refusedClosed
	refusedFull
)

// post queues e and wakes the actor.
func (c *Context) post(e envelope) postResult {
	result, woken := c.put(e)
	if woken {
		c.sys.runner.Run(c.loop)
	}
	return result
}

// put queues e; when the actor is woken by that, the caller has to run it.
// Messages over the budget are refused; what the actor itself has asked for is
// not.
func (c *Context) put(e envelope) (result postResult, woken bool) {
	b := &c.box
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return refusedClosed, false
	}
	if e.kind <= kindReply && b.full(e.size) {
		b.mu.Unlock()
		b.refused.Add(1)
		return refusedFull, false
	}
	b.push(e)
	b.posted++
	if e.size != 0 {
		b.bytes.Add(int64(e.size))
	}
	woken = b.wake()
	b.mu.Unlock()
	return posted, woken
}

// full reads what the runner has handled only when it must: the runner writes
// there all the time.
func (b *mailbox) full(size uint32) bool {
	if b.posted >= b.fullAt {
		b.fullAt = b.handled.Load() + uint64(b.limits.MailboxMessages)
		if b.posted >= b.fullAt {
			return true
		}
	}
	return size != 0 && b.bytes.Load()+int64(size) > b.limits.MailboxBytes
}

// wake says, under the lock, whether the caller has to start the runner.
func (b *mailbox) wake() bool {
	if b.scheduled || !b.open {
		return false
	}
	b.scheduled = true
	return true
}

// depth is how many envelopes wait.
func (b *mailbox) depth() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.posted - min(b.posted, b.handled.Load())
}

// dry says that the runner has to look for more.
func (b *mailbox) dry() bool { return b.next == len(b.out) }

// take is the next envelope. When idle is true the runner must return, for the
// next post starts another; when neither, a lifecycle message has come.
func (b *mailbox) take() (e *envelope, idle bool) {
	if b.dry() {
		if more, idle := b.refill(); !more {
			return nil, idle
		}
	}
	e = &b.out[b.next]
	b.next++
	b.taken++
	if e.size != 0 {
		b.bytes.Add(-int64(e.size))
	}
	return e, false
}

func (b *mailbox) refill() (more, idle bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.out) >= busy {
		b.calm = 0
	}
	b.out, b.next = b.out[:0], 0
	if b.pull() {
		return true, false
	}
	if b.calm < linger {
		b.calm++
		return false, false
	}
	b.in, b.out = shrink(b.in), shrink(b.out)
	b.handled.Store(b.taken)
	b.scheduled = len(b.system) > 0
	return false, !b.scheduled
}

// drain closes the mailbox and hands back what waited. Runner only.
func (b *mailbox) drain() []envelope {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	rest := b.rest()
	b.taken += uint64(len(rest))
	b.handled.Store(b.taken)
	b.bytes.Store(0)
	return rest
}

// takeSystem is the next lifecycle message, or nil.
func (b *mailbox) takeSystem() any {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.system) == 0 {
		return nil
	}
	m := b.system[0]
	b.system = b.system[1:]
	if len(b.system) == 0 {
		b.system = nil
		b.systemWaits.Store(false)
	}
	return m
}

// protoMailbox is the mailbox as protoactor sees it.
type protoMailbox Context

// RegisterHandlers is how protoactor makes itself known to the mailbox.
func (p *protoMailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	p.invoker = invoker
	// The invoker is protoactor's context of this actor.
	p.proto = invoker.(actor.Context)
}

// Start is called when protoactor is ready; Spawn opens the mailbox after Init.
func (p *protoMailbox) Start() {}

// PostUserMessage is never used: nothing but envelopes may wait in the queue,
// and those are posted without protoactor.
func (p *protoMailbox) PostUserMessage(message any) {
	c := (*Context)(p)
	c.sys.logger.Error("a message that is no envelope was posted", zap.String("message_type", fmt.Sprintf("%T", message)))
}

// PostSystemMessage queues a lifecycle message, which the runner takes before
// the next envelope.
func (p *protoMailbox) PostSystemMessage(message any) {
	c := (*Context)(p)
	b := &c.box
	b.mu.Lock()
	b.system = append(b.system, message)
	b.systemWaits.Store(true)
	wake := b.wake()
	b.mu.Unlock()
	if wake {
		c.sys.runner.Run(c.loop)
	}
}

// UserMessageCount is how many envelopes wait.
func (p *protoMailbox) UserMessageCount() int { return int((*Context)(p).box.depth()) }
