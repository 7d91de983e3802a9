package state

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// TestLaws: whatever is lost, late, repeated or killed, in whatever order,
// every task that the master launched has exactly one fate there, nothing is
// revealed before it is durable, no executor is given a task twice, and in the
// end nothing is left.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.fireOne(timerRegistration)
		w.write(1)
		for range 5 { // longer than one
			t.Repeat(w.actions())
		}
		w.drain()
		w.check()
	})
}

func (w *world) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"":         func(*rapid.T) { w.checkAmounts() },
		"run":      func(*rapid.T) { w.run() },
		"group":    func(*rapid.T) { w.runGroup() },
		"custom":   func(*rapid.T) { w.runCustom() },
		"kill":     func(t *rapid.T) { w.kill(t) },
		"durable":  func(*rapid.T) { w.write(1) },
		"durable2": func(*rapid.T) { w.write(len(w.writing)) },
		"rewrite":  func(*rapid.T) { w.rewrite() },
		"onward":   func(*rapid.T) { w.onward() }, // else few tasks would ever run
		"onward2":  func(*rapid.T) { w.onward() },
		"sandbox":  func(*rapid.T) { w.makeSandboxes() },
		"hosts":    func(t *rapid.T) { w.someHost(t, func(h *simHost) { w.hostReady(h) }) },
		"drain": func(t *rapid.T) {
			if w.connected() {
				w.receive(w.masterPeer(), &cluster.DrainAgent{Config: &mesos.DrainConfig{MaxGracePeriod: grace(0)}})
			}
		},
		"stall": func(*rapid.T) {
			w.stalled = !w.stalled
			var err error
			if w.stalled {
				err = errors.New("no space left on device")
			}
			w.step(JournalStalled{err})
		},
		"resend": func(*rapid.T) {
			w.receive(w.masterPeer(), &cluster.ResendUpdates{FrameworkId: frameworkID()})
		},
		"find": func(*rapid.T) { w.find() },
		"hostdies": func(t *rapid.T) {
			w.someHost(t, func(h *simHost) { w.hostDies(h) })
		},
		"unheard": func(t *rapid.T) {
			if w.timers[timerRegistration] {
				w.fireOne(timerRegistration)
			}
			for range 5 { // so that there are tasks that run
				w.run()
				w.onward()
			}
			w.someHost(t, func(h *simHost) {
				w.recordExits(h)
				w.hostDies(h)
			})
		},
		"hostlost": func(t *rapid.T) {
			w.someHost(t, func(h *simHost) {
				if h.ready {
					h.ready = false
					w.step(PeerExited{Peer(h.peer())})
				}
			})
		},
		"subscribe": func(t *rapid.T) { w.someContainer(t, func(_ *simHost, c *simContainer) { w.subscribe(c) }) },
		"unlink": func(t *rapid.T) {
			w.someContainer(t, func(h *simHost, c *simContainer) {
				c.deaf = c.subscribed
				w.step(PeerExited{Peer("executor/" + c.id() + "@" + string(h.id))})
			})
		},
		"dies": func(t *rapid.T) {
			w.someContainer(t, func(h *simHost, c *simContainer) { w.endContainer(h, c.id(), nil) })
		},
		"limit": func(t *rapid.T) {
			w.someContainer(t, func(h *simHost, c *simContainer) { w.endContainer(h, c.id(), memoryLimit()) })
		},
		"fetching": func(t *rapid.T) { w.someContainer(t, func(h *simHost, c *simContainer) { w.fetching(h, c) }) },
		"progress": func(t *rapid.T) { w.someContainer(t, func(_ *simHost, c *simContainer) { w.progress(c) }) },
		"repeat": func(t *rapid.T) {
			w.someContainer(t, func(_ *simHost, c *simContainer) {
				if c.subscribed && len(c.unacked) > 0 {
					w.subscribe(c)
				}
			})
		},
		"clock": func(t *rapid.T) {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(-1e17, 1e17).Draw(t, "jump")))
		},
		"reserve": func(t *rapid.T) { w.reserve(t) },
		"volume":  func(t *rapid.T) { w.createOrDestroy(t) },
		"use":     func(t *rapid.T) { w.runWithVolume(rapid.Bool().Draw(t, "made")) },
		"disk":    func(t *rapid.T) { w.answerDisk(rapid.Bool().Draw(t, "fails")) },
		"opack":   func(*rapid.T) { w.acknowledgeOperations() },
		"ack":     func(t *rapid.T) { w.acknowledge(t) },
		"timer":   func(t *rapid.T) { w.fire(t) },
		"strays":  func(*rapid.T) { w.checkStrays() },
		"sweep":   func(*rapid.T) { w.sweep() },
		"crash":   func(t *rapid.T) { w.crash(t) },
		"master":  func(*rapid.T) { w.step(PeerExited{Peer(w.masterPeer())}); w.incarnation++ },
	}
}

func grace(n int64) *mesos.DurationInfo { return &mesos.DurationInfo{Nanoseconds: &n} }

func (w *world) newTask() string {
	w.number++
	id := fmt.Sprint("T", w.number)
	return id
}

// tellAgent sends what a master only sends to an agent that it knows; the
// task counts as launched even if the message is lost.
func (w *world) tellAgent(m proto.Message, ids ...string) {
	for _, id := range ids {
		w.launched[id] = true
	}
	w.receive(w.masterPeer(), m)
}

// connected: a master launches nothing on an agent that is not.
func (w *world) connected() bool { return w.m.master.peer == Peer(w.masterPeer()) }

func (w *world) run() {
	if w.connected() {
		id := w.newTask()
		w.tellAgent(&cluster.RunTask{Framework: simFramework(), Task: simTaskInfo(id)}, id)
	}
}

func (w *world) runCustom() {
	if w.connected() {
		id := w.newTask()
		info := simTaskInfo(id)
		info.Command = nil
		info.Executor = &mesos.ExecutorInfo{
			Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("custom")},
			Command: &mesos.CommandInfo{Value: proto.String("exec")}, Resources: executorResources,
		}
		w.tellAgent(&cluster.RunTask{Framework: simFramework(), Task: info}, id)
	}
}

func (w *world) runGroup() {
	if w.connected() {
		one, two := w.newTask(), w.newTask()
		w.tellAgent(&cluster.RunTaskGroup{
			Framework: simFramework(),
			Executor: &mesos.ExecutorInfo{
				Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("pod")},
				FrameworkId: frameworkID(), Resources: executorResources,
			},
			TaskGroup: &mesos.TaskGroupInfo{Tasks: []*mesos.TaskInfo{simTaskInfo(one), simTaskInfo(two)}},
		}, one, two)
	}
}

func (w *world) kill(t *rapid.T) {
	if ids := sortedKeys(w.launched); len(ids) > 0 && w.connected() {
		id := rapid.SampledFrom(ids).Draw(t, "task")
		if w.fate[id] == nil { // a master kills nothing that has ended
			w.tellAgent(&cluster.KillTask{FrameworkId: frameworkID(), TaskId: &mesos.TaskID{Value: &id}})
		}
	}
}

// crash ends the agent's process. Of what it was writing any first part may be
// durable, with nobody told.
func (w *world) crash(t *rapid.T) {
	for _, c := range w.writing[:rapid.IntRange(0, len(w.writing)).Draw(t, "durable")] {
		w.durable = append(w.durable, c.Records...)
		w.journal = append(w.journal, c.Records...)
	}
	w.start()
}

// write makes the oldest n appends durable.
func (w *world) write(n int) {
	if w.stalled {
		return
	}
	for range min(n, len(w.writing)) {
		c := w.writing[0]
		w.writing = w.writing[1:]
		w.durable = append(w.durable, c.Records...)
		w.journal = append(w.journal, c.Records...)
		w.step(Checkpointed{Key: c.Key})
	}
}

// rewrite replaces the journal by a snapshot; what waited is in it.
func (w *world) rewrite() {
	if w.stalled {
		return
	}
	w.journal = w.m.Snapshot()
	waited := w.writing
	w.writing = nil
	for _, c := range waited {
		w.durable = append(w.durable, c.Records...)
		w.step(Checkpointed{Key: c.Key})
	}
}

func (w *world) makeSandboxes() {
	making := w.making
	w.making = nil
	for _, s := range making {
		w.step(SandboxMade{Container: s.Container})
	}
}

func (w *world) sweep() {
	sweeps := w.sweeps
	w.sweeps = nil
	for _, s := range sweeps {
		w.step(Swept{Host: s.Host, Exits: w.recorded(s.Containers)})
	}
}

func (w *world) someHost(t *rapid.T, do func(*simHost)) {
	if hosts := sorted(w.hosts); len(hosts) > 0 {
		do(hosts[rapid.IntRange(0, len(hosts)-1).Draw(t, "host")])
	}
}

func (w *world) someContainer(t *rapid.T, do func(*simHost, *simContainer)) {
	w.someHost(t, func(h *simHost) {
		if ids := sortedKeys(h.containers); len(ids) > 0 && h.ready {
			do(h, h.containers[rapid.SampledFrom(ids).Draw(t, "container")])
		}
	})
}

// progress moves every task of an executor a step on.
func (w *world) progress(c *simContainer) {
	for _, id := range sortedKeys(c.tasks) {
		switch t := c.tasks[id]; t.state {
		case mesos.TaskState_TASK_STAGING:
			w.update(c, t, mesos.TaskState_TASK_STARTING)
		case mesos.TaskState_TASK_STARTING:
			w.update(c, t, mesos.TaskState_TASK_RUNNING)
		case mesos.TaskState_TASK_RUNNING:
			w.update(c, t, mesos.TaskState_TASK_FINISHED)
		}
	}
}

func (w *world) acknowledge(t *rapid.T) {
	if ids := sortedKeys(w.head); len(ids) > 0 {
		id := rapid.SampledFrom(ids).Draw(t, "ack")
		w.ackHead(id)
	}
}

func (w *world) ackHead(id string) {
	u := w.head[id]
	delete(w.head, id)
	w.receive(w.masterPeer(), &cluster.StatusUpdateAck{
		FrameworkId: u.FrameworkId, AgentId: u.AgentId, TaskId: u.GetStatus().TaskId, Uuid: u.GetStatus().Uuid,
	})
}

func (w *world) fire(t *rapid.T) {
	if keys := sortedKeys(w.timers); len(keys) > 0 {
		w.fireOne(rapid.SampledFrom(keys).Draw(t, "timer"))
	}
}

func (w *world) fireOne(key string) {
	delete(w.timers, key)
	w.step(TimerFired{key})
}

// drain lets everything happen that should, until nothing is left to do.
func (w *world) drain() {
	w.stalled = false
	w.step(JournalStalled{})
	for range 60 {
		w.onward()
		for _, id := range sortedKeys(w.head) {
			w.ackHead(id)
		}
		for _, key := range sortedKeys(w.timers) {
			if w.timers[key] && key != timerPing {
				w.fireOne(key)
			}
		}
	}
}

// onward lets devices, hosts and executors do what they should next.
func (w *world) onward() {
	w.write(len(w.writing))
	w.makeSandboxes()
	w.sweep()
	w.find()
	w.answerDisk(false)
	w.acknowledgeOperations()
	for _, h := range sorted(w.hosts) {
		w.drainHost(h)
	}
}

func (w *world) drainHost(h *simHost) {
	if !h.ready {
		w.hostReady(h)
	}
	for _, id := range sortedKeys(h.containers) {
		c := h.containers[id]
		if c == nil {
			continue
		}
		if c.deaf {
			w.progress(c) // on a link that the agent knows nothing of
		}
		if c.deaf || !c.subscribed {
			w.subscribe(c)
		}
		w.progress(c)
		if c.shutdown || c.finished() {
			w.endContainer(h, id, nil)
		}
	}
}

// finished tells that an executor has had tasks, and that they have ended.
func (c *simContainer) finished() bool {
	for _, t := range c.tasks {
		if !tasks.Terminal(t.state) {
			return false
		}
	}
	return len(c.tasks) > 0 && len(c.unacked) == 0
}

func (w *world) check() {
	for id := range w.launched {
		if w.fate[id] == nil {
			w.t.Fatalf("%s has no fate; the master saw %v", id, w.states[id])
		}
	}
	w.checkOperations()
	m := w.m
	if len(m.containers) != 0 || len(m.frameworks) != 0 || len(m.streams.Keys()) != 0 || len(m.journal.waiting) != 0 {
		w.t.Fatalf("%d containers, %d frameworks, streams %v and %d appends are left",
			len(m.containers), len(m.frameworks), m.streams.Keys(), len(m.journal.waiting))
	}
	if len(m.Snapshot()) != 1+len(m.hosts)+w.reservations() {
		w.t.Fatalf("the snapshot has more than the agent's identity and its hosts: %v", m.Snapshot())
	}
	if len(m.hosts) > 1 {
		w.t.Fatalf("%d hosts are kept for nothing", len(m.hosts))
	}
}
