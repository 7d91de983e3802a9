package replicated

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// Wire carries messages between the replicas of all masters: each at most once,
// those to one address in order. It must not block, nor modify a message. What
// arrives is given to Node.Receive.
type Wire interface {
	// Send sends m to the replica of the master at address, host:port.
	Send(address string, m proto.Message)
}

var (
	errNoAnswer = errors.New("no answer in time")
	errClosed   = errors.New("this replica is closed")
)

// calls matches answers with questions.
type calls struct {
	wire   Wire
	closed chan struct{}

	mu      sync.Mutex
	number  uint64
	waiting map[uint64]call
}

type call struct {
	to     string
	answer chan proto.Message
}

// newCalls begins with a number by chance: an answer to an earlier start of
// this process fits no question of this one.
func newCalls(w Wire, closed chan struct{}) *calls {
	return &calls{wire: w, closed: closed, number: rand.Uint64(), waiting: make(map[uint64]call)}
}

// ask sends what build makes of a new number, and waits for its answer.
func (c *calls) ask(to string, timeout time.Duration, build func(number uint64) proto.Message) (proto.Message, error) {
	asked := call{to: to, answer: make(chan proto.Message, 1)}
	c.mu.Lock()
	c.number++
	number := c.number
	c.waiting[number] = asked
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, number)
		c.mu.Unlock()
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	c.wire.Send(to, build(number))
	select {
	case m := <-asked.answer:
		return m, nil
	case <-timer.C:
		return nil, fmt.Errorf("master %s: %w: %s", to, errNoAnswer, timeout)
	case <-c.closed:
		return nil, errClosed
	}
}

// answer gives m to whoever asked; an answer that nobody waits for, or of
// another master than was asked, is dropped.
func (c *calls) answer(from string, number uint64, m proto.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked, ok := c.waiting[number]
	if !ok || asked.to != from {
		return
	}
	delete(c.waiting, number)
	asked.answer <- m
}
