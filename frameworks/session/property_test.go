package session

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

// world plays master, agent and author around one session, unreliably, and
// checks what the session promises.
type world struct {
	*rig
	rt *rapid.T
	// stream is what the agent says of each task, in order; the head is
	// repeated until acknowledged.
	stream map[string][]*scheduler.Event
	// withAuthor are updates delivered and not yet handled.
	withAuthor []*scheduler.Event
	handled    map[string]bool
	delivered  map[string]int
	terminals  map[string]int
	tasks      []string
	uuids      int
	linked     bool
	// leader is the detected master; "" is none.
	leader Peer
}

// successor is another master.
const successor Peer = "master@10.0.0.2:5050"

// failOver lets another master lead, the same one anew, or none. What agents
// have to say is not lost with a master.
func (w *world) failOver() {
	w.leader = rapid.SampledFrom([]Peer{master, successor, ""}).Draw(w.rt, "leader")
	w.step(MasterDetected{Master: w.leader})
}

// hearDeposed has a master speak that leads no more: nobody listens.
func (w *world) hearDeposed() {
	deposed := map[Peer]Peer{master: successor, successor: master, "": master}[w.leader]
	w.uuids++
	for _, e := range []*scheduler.Event{update("T0", finished, w.uuids), offersEvent("old"), subscribedEvent("F2")} {
		for _, effect := range w.rig.step(Received{From: deposed, Message: e}) {
			if _, note := effect.(Note); !note {
				w.rt.Fatalf("a deposed master's word came to %T", effect)
			}
		}
	}
}

func (w *world) step(in Input) {
	for _, e := range w.rig.step(in) {
		switch e := e.(type) {
		case Send:
			w.sent(e.Call)
		case Deliver:
			w.deliver(e.Event)
		case Link:
			if e.Peer != w.leader {
				w.rt.Fatalf("linked to %s while %q leads", e.Peer, w.leader)
			}
			w.linked = true
		case Unlink:
			w.linked = false
		case Ended:
			w.rt.Fatalf("ended: %v", e.Err)
		}
	}
}

func (w *world) sent(c *scheduler.Call) {
	if !w.linked {
		w.rt.Fatalf("sent %s without a link", showCall(c))
	}
	if c.GetType() != scheduler.Call_ACKNOWLEDGE {
		return
	}
	a := c.GetAcknowledge()
	if !w.handled[string(a.GetUuid())] {
		w.rt.Fatalf("acknowledged %s before the author had handled it", showCall(c))
	}
	id := a.GetTaskId().GetValue()
	if q := w.stream[id]; len(q) > 0 && string(q[0].GetUpdate().GetStatus().GetUuid()) == string(a.GetUuid()) {
		w.stream[id] = q[1:]
	}
}

func (w *world) deliver(e *scheduler.Event) {
	if e.GetType() != scheduler.Event_UPDATE {
		return
	}
	st := e.GetUpdate().GetStatus()
	if uuid := string(st.GetUuid()); uuid != "" {
		if w.delivered[uuid]++; w.delivered[uuid] > 1 {
			w.rt.Fatalf("%s delivered twice", showEvent(e))
		}
		w.withAuthor = append(w.withAuthor, e)
	}
	if tasks.Terminal(st.GetState()) {
		if w.terminals[st.GetTaskId().GetValue()]++; w.terminals[st.GetTaskId().GetValue()] > 1 {
			w.rt.Fatalf("second end of %s", showEvent(e))
		}
	}
}

// launch starts a task whose whole life the agent will report.
func (w *world) launch() {
	if !w.s.Subscribed() {
		return
	}
	id := fmt.Sprintf("T%d", len(w.tasks))
	w.tasks = append(w.tasks, id)
	for _, st := range []mesos.TaskState{mesos.TaskState_TASK_STARTING, running, finished} {
		w.uuids++
		w.stream[id] = append(w.stream[id], update(id, st, w.uuids))
	}
	w.step(Received{From: w.leader, Message: offersEvent("O" + id)})
	w.step(launch("O"+id, id))
}

func (w *world) repeatHead() {
	if len(w.tasks) == 0 || !w.linked {
		return
	}
	id := rapid.SampledFrom(w.tasks).Draw(w.rt, "task")
	if q := w.stream[id]; len(q) > 0 {
		w.step(Received{From: w.leader, Message: q[0]})
	}
}

func (w *world) handleOne() {
	if len(w.withAuthor) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.withAuthor)-1).Draw(w.rt, "update")
	e := w.withAuthor[i]
	w.withAuthor = append(w.withAuthor[:i:i], w.withAuthor[i+1:]...)
	w.handled[string(e.GetUpdate().GetStatus().GetUuid())] = true
	w.step(handled(e))
}

func (w *world) breakLink() {
	if w.linked {
		w.linked = false
		w.step(PeerExited{Peer: w.leader})
	}
}

func (w *world) answerSubscribe() {
	if w.linked {
		w.step(Received{From: w.leader, Message: subscribedEvent("F1")})
		if w.s.id.storing {
			w.step(Persisted{})
		}
	}
}

func (w *world) fireNext() {
	var key string
	for k, at := range w.timers {
		if key == "" || at.Before(w.timers[key]) || at.Equal(w.timers[key]) && k < key {
			key = k
		}
	}
	if key == "" {
		return
	}
	if at := w.timers[key]; at.After(w.now) {
		w.now = at
	}
	delete(w.timers, key)
	w.step(TimerFired{Key: key})
}

func (w *world) kill() {
	if len(w.tasks) == 0 {
		return
	}
	id := rapid.SampledFrom(w.tasks).Draw(w.rt, "victim")
	w.step(killCall(id))
}

// settle plays a kind world until every update is acknowledged.
func (w *world) settle() {
	if w.leader == "" {
		w.leader = successor
		w.step(MasterDetected{Master: w.leader})
	}
	for range 20 * (len(w.tasks) + 1) {
		if !w.linked {
			w.fireNext()
		}
		w.answerSubscribe()
		for _, id := range w.tasks {
			if q := w.stream[id]; len(q) > 0 && w.linked {
				w.step(Received{From: w.leader, Message: q[0]})
			}
		}
		for len(w.withAuthor) > 0 {
			w.handleOne()
		}
	}
}

func TestPromisesHoldInAnUnreliableWorld(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{
			rig: newRig(t, func(c *Config) { c.Seed = rapid.Uint64().Draw(rt, "seed") }), rt: rt,
			stream: map[string][]*scheduler.Event{}, handled: map[string]bool{},
			delivered: map[string]int{}, terminals: map[string]int{}, leader: master,
		}
		w.step(MasterDetected{Master: master})
		act := func(f func()) func(*rapid.T) { return func(*rapid.T) { f() } }
		rt.Repeat(map[string]func(*rapid.T){
			"subscribed": act(w.answerSubscribe), "launch": act(w.launch), "repeat": act(w.repeatHead),
			"handle": act(w.handleOne), "break": act(w.breakLink), "timer": act(w.fireNext), "kill": act(w.kill),
			"fail over": act(w.failOver), "hear deposed": act(w.hearDeposed),
		})
		w.settle()
		for _, id := range w.tasks {
			if w.terminals[id] != 1 || len(w.stream[id]) != 0 {
				rt.Errorf("task %s: %d ends delivered, %d updates unacknowledged", id, w.terminals[id], len(w.stream[id]))
			}
		}
		if w.s.Tasks() != 0 {
			rt.Errorf("%d tasks still followed", w.s.Tasks())
		}
		for key := range w.timers {
			if key != timerHeartbeat && key != timerReconcile && key != timerReconcileAll {
				rt.Errorf("timer %q is left", key)
			}
		}
	})
}

func TestSameSeedSameEffects(t *testing.T) {
	run := func() string {
		r := newRig(t, func(c *Config) { c.Seed = 7 })
		text := fmt.Sprint(r.step(MasterDetected{Master: master}))
		for range 5 {
			text += fmt.Sprint(r.lapse("subscribe"))
		}
		return text
	}
	if a, b := run(), run(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}

func FuzzReceived(f *testing.F) {
	for _, e := range []*scheduler.Event{
		subscribedEvent("F1"), offersEvent("O1"), rescindEvent("O1"), update("T1", running, 1), update("T1", killed, 0), {},
	} {
		b, err := proto.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e := &scheduler.Event{}
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(b, e) != nil {
			return
		}
		for _, r := range []*rig{newRig(t), newRig(t).connected()} {
			r.step(MasterDetected{Master: master})
			r.event(e)
			r.event(e)
			r.step(handled(e))
			r.now = r.now.Add(time.Hour)
			for _, k := range []string{timerSubscribe, timerHeartbeat, timerReconcile, timerReconcileAll} {
				r.step(TimerFired{Key: k})
			}
		}
	})
}

func BenchmarkTaskLife(b *testing.B) {
	r := newRig(b).connected()
	b.ReportAllocs()
	for i := range b.N {
		id := fmt.Sprintf("T%d", i)
		r.s.Step(r.now, launch("O", id))
		for n, st := range []mesos.TaskState{running, finished} {
			e := update(id, st, 2*i+n+1)
			r.s.Step(r.now, Received{From: master, Message: e})
			r.s.Step(r.now, handled(e))
		}
	}
}
