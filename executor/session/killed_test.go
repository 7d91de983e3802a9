package session

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/messages/mesos/executor"
)

// TestAnswerFromBeforeTheLinkBroke: an agent that was asked before the last one
// was known to be gone is asked again, for its own end would not be told.
func TestAnswerFromBeforeTheLinkBroke(t *testing.T) {
	r := newRig(t, time.Hour).subscribed()
	r.event(launch("T1"))
	r.step(PeerExited{Peer: agent})
	r.step(update("T1", finished, 1))
	r.step(Finish{})
	r.event(subscribedEvent())
	r.want("link", "send SUBSCRIBE task T1 update T1", "timer subscribe")
	if wait, ok := r.left[timerFinish]; ok {
		t.Fatalf("it gives up in %s", wait)
	}
	r.event(subscribedEvent())
	r.want("cancel subscribe", "cancel recovery", "timer finish", "deliver SUBSCRIBED")
	r.step(PeerExited{Peer: agent})
	r.want("cancel finish", "timer recovery", "timer subscribe")
}

// TestNoSubscriptionIsOnlyBelieved: whenever agents die and come, one that lives
// long enough knows the executor, and gets every update.
func TestNoSubscriptionIsOnlyBelieved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newKilledWorld(t)
		w.step(Start{})
		n := 0
		rt.Repeat(map[string]func(*rapid.T){
			"kill":    func(*rapid.T) { w.kill() },
			"boot":    func(*rapid.T) { w.boot() },
			"dial":    func(*rapid.T) { w.dial() },
			"take":    func(*rapid.T) { w.take() },
			"arrive":  func(*rapid.T) { w.arrive() },
			"notice":  func(*rapid.T) { w.notice() },
			"tell":    func(*rapid.T) { w.tell() },
			"handle":  func(*rapid.T) { w.handle() },
			"handle2": func(*rapid.T) { w.handle() },
			"timer":   func(*rapid.T) { w.fire() },
			"update": func(*rapid.T) {
				if len(w.r.s.tasks) > 0 && n < 200 {
					n++
					w.step(update("T1", running, n))
				}
			},
		})
		w.settle(rt)
		if !w.r.s.subscribed || !w.knows {
			rt.Fatalf("subscribed: %t; known to the agent: %t", w.r.s.subscribed, w.knows)
		}
		if left := w.r.s.Unacknowledged(); left > 0 {
			rt.Fatalf("%d of %d updates did not reach an agent that is there", left, n)
		}
	})
}

// killedWorld is one executor, agents that follow each other, and what is between
// them as package actors has it: a link, which is in order; at most one word of
// its end; and an actor's queue.
type killedWorld struct {
	r      *rig
	linked bool // the actor waits for Exited
	watch  bool // the transport owes it one
	// What was sent while there was no link, or over it, and is not taken.
	waiting, out []any
	back         []any // on its way over the link
	queue        []any // the executor's
	life         *agentLife
	at           *agentLife // of the link; nil while there is none
	owed         bool       // the transport has given up the link, and not yet told
	knows        bool       // the present agent has the executor as subscribed
}

// agentLife is one agent process. It listens before its actor is there.
type agentLife struct {
	dead, up bool
}

// linkFrame asks the other side for a word of the actor's end.
type linkFrame struct{}

func newKilledWorld(t *testing.T) *killedWorld {
	return &killedWorld{r: newRig(t, time.Hour), life: &agentLife{up: true}}
}

func (w *killedWorld) step(in Input) {
	w.r.step(in)
	for _, e := range w.r.out {
		switch e := e.(type) {
		case Link:
			if !w.linked {
				w.linked, w.watch = true, true
				w.send(linkFrame{})
			}
		case Send:
			w.send(e.Message)
		}
	}
}

func (w *killedWorld) send(m any) {
	if w.at == nil {
		w.waiting = append(w.waiting, m)
		return
	}
	w.out = append(w.out, m)
}

func (w *killedWorld) kill() { w.life.dead, w.knows = true, false }

// boot has a new agent listen, and then be there.
func (w *killedWorld) boot() {
	if w.life.dead {
		w.life = &agentLife{}
		return
	}
	w.life.up = true
}

// dial makes a link of what waits for one, or tells that there is none.
func (w *killedWorld) dial() {
	switch {
	case w.at != nil || len(w.waiting) == 0:
	case w.life.dead:
		w.waiting = nil
		w.gone()
	default:
		w.at, w.out, w.waiting = w.life, w.waiting, nil
	}
}

// take is the agent's side of one message.
func (w *killedWorld) take() {
	if w.at == nil || w.at.dead || len(w.out) == 0 {
		return
	}
	m := w.out[0]
	w.out = w.out[1:]
	if _, link := m.(linkFrame); link {
		if !w.at.up {
			w.back = append(w.back, PeerExited{})
		}
		return
	}
	if !w.at.up {
		return // a dead letter
	}
	switch c := m.(*executor.Call); {
	case c.GetType() == executor.Call_SUBSCRIBE:
		w.knows = true
		for _, u := range c.GetSubscribe().GetUnacknowledgedUpdates() {
			w.back = append(w.back, acknowledged(u))
		}
		w.back = append(w.back, subscribedEvent(), launch("T1"))
	case c.GetUpdate() != nil && w.knows:
		w.back = append(w.back, acknowledged(c.GetUpdate()))
	}
}

func acknowledged(u *executor.Call_Update) *executor.Event {
	return &executor.Event{Type: executor.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executor.Event_Acknowledged{
		TaskId: u.GetStatus().GetTaskId(), Uuid: u.GetStatus().GetUuid(),
	}}
}

// arrive is the executor's side of the link, which waits for the news of the one
// before.
func (w *killedWorld) arrive() {
	if w.owed || len(w.back) == 0 {
		return
	}
	m := w.back[0]
	w.back = w.back[1:]
	if _, gone := m.(PeerExited); gone {
		w.gone()
		return
	}
	w.queue = append(w.queue, m)
}

// notice gives up a link whose agent is dead; tell says so. What is sent between
// the two waits for another link.
func (w *killedWorld) notice() {
	if w.at == nil || !w.at.dead || len(w.back) > 0 || w.owed {
		return
	}
	w.at, w.out = nil, nil
	w.owed = w.watch
	w.watch = false
}

func (w *killedWorld) tell() {
	if w.owed {
		w.owed = false
		w.queue = append(w.queue, PeerExited{Peer: agent})
	}
}

func (w *killedWorld) gone() {
	if w.watch {
		w.watch = false
		w.queue = append(w.queue, PeerExited{Peer: agent})
	}
}

func (w *killedWorld) handle() {
	if len(w.queue) == 0 {
		return
	}
	m := w.queue[0]
	w.queue = w.queue[1:]
	if e, gone := m.(PeerExited); gone {
		w.linked = false
		w.step(e)
		return
	}
	w.step(Received{From: agent + "#i1", Message: m.(*executor.Event)})
}

func (w *killedWorld) fire() {
	if _, set := w.r.left[timerSubscribe]; set {
		delete(w.r.left, timerSubscribe)
		w.step(TimerFired{Key: timerSubscribe})
	}
}

// settle lets the present agent live, and everything come to its end.
func (w *killedWorld) settle(rt *rapid.T) {
	w.boot()
	w.boot()
	for range 10 {
		for range 1000 {
			w.tell()
			w.arrive()
			w.notice()
			w.dial()
			w.take()
			w.handle()
		}
		if _, asks := w.r.left[timerSubscribe]; !asks {
			break
		}
		w.fire()
	}
	if left := len(w.waiting) + len(w.out) + len(w.back) + len(w.queue); left > 0 {
		rt.Fatal(fmt.Sprintf("%d messages are still on their way", left))
	}
}
