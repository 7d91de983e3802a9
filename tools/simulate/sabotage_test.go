package simulate

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// sabotage breaks a law on purpose: between the machines and the world, so that
// none of them knows.
type sabotage struct {
	name   string
	breaks func(*simulation)
	finds  []string // parts of the complaint
	script []scripted
}

// sabotages has one for each complaint that an oracle has.
var sabotages = slices.Concat(generalSabotages, lendingSabotages, preemptionSabotages, limitSabotages)

var generalSabotages = []sabotage{
	{"tasks that no master knows of", ghostTasks, []string{"law 1: task", "makes the tasks on"}, nil},
	{"a bit that flips in the master", flippedMaster, []string{"law 1: the machine of master"}, nil},
	{"a bit that flips in the allocator", flippedAllocator, []string{"law 1: the allocator of master"}, nil},
	{"resources that are not given back", leak, []string{"law 1: when nothing ran any more"}, nil},

	{"an end that is not true", falseEnd, []string{"law 2", "while it runs"}, nil},
	{"updates that never come", muteTask, []string{"law 2", "has no terminal state"}, nil},
	{"updates that overtake each other", disorder, []string{"law 2", "after a later update"}, nil},
	{"a launch that comes again", secondLaunch, []string{"law 2", "is started for the second time"}, nil},
	{"a launch that comes after the end", lateLaunch, []string{"law 2", "is started on", "after its framework saw"}, nil},
	{"a second end", secondEnd, []string{"law 2", "is told to be TASK_FAILED, after TASK_FINISHED"}, nil},
	{"a task that nobody launched", strangeTask, []string{"law 2", "is spoken of, but was never launched"}, nil},
	{"an end of a framework that agents do not hear of", deafAgents, []string{"law 2", "still runs, and its framework was ended"}, at(4*time.Minute, "teardown scheduler0", "teardown scheduler1")},
	{"offers that stop coming", noMoreOffers, []string{"launched", "of 30 tasks, long after the last fault"}, nil},
	{"a framework that is removed", banish, []string{"law 2: framework", "had not been away"}, nil},

	{"an agent that comes back and kills", lethalReturn, []string{"law 3", "is ended before its time"}, at(40*time.Second, "crash agent0", "crash agent1")},
	{"executors that nobody hears", muteExecutors, []string{"law 3", "has news that its executor gives up"}, nil},

	{"updates that are not written down", forget(aboutUpdate), []string{"law 4", "has an update acknowledged of which the journal does not know"}, nil},
	{"launches that are not written down", forget(aboutLaunch), []string{"law 4", "is given to its executor, and the journal does not know"}, nil},
	{"containers that are not written down", forget(aboutExecutor), []string{"law 4", "launches container"}, nil},
	{"an id that is not written down", forget(aboutIdentity), []string{"law 4", "calls itself"}, at(20*time.Second, "break agent0 master", "break agent1 master")},
	{"the end of a journal, lost in a crash", amnesia, []string{"law 4", "durably as its executor heard"}, nil},
	{"an update that is invented", invention, []string{"law 4", "of which its journal does not know"}, nil},
	{"tasks that are invented", inventory, []string{"law 4", "is said to be on"}, at(30*time.Second, "break agent0 master", "break agent1 master")},
	{"admissions that are not written down", forgetAgents(cluster.AgentRecord_ADMITTED), []string{"law 4", "tells agent", "that it is admitted"}, nil},
	{"losses that are not written down", forgetAgents(cluster.AgentRecord_UNREACHABLE), []string{"law 4", "the registry does not know that of its agent"}, at(30*time.Second, "cut agent0 4m", "cut agent1 4m", "cut agent2 4m")},
	{"updates that are acknowledged unread", hasty, []string{"law 4", "that its author has not written down"}, nil},

	{"ends of operations that are not written down", forget(aboutOperation), []string{"law 4", "says that operation", "of which its journal does not know"}, nil},
	{"reservations that are not written down", forget(aboutResources), []string{"law 4", "says that it has"}, nil},
	{"an end of an operation that no agent told", strangeOperation, []string{"law 4: operation", "no journal knows of it"}, nil},
	{"a second end of an operation", secondOperationEnd, []string{"law 2: operation", "is told to be OPERATION_FINISHED, after OPERATION_FAILED"}, nil},
	{"ends of operations that are never told", muteOperations, []string{"law 2: of operation", "nobody heard the end"}, nil},

	{"a store that lets everybody write", staleStore, []string{"law 5: epoch", "wrote the registry after"}, oldLeader},
	{"agents that heed any master", credulousAgents, []string{"law 5: agent", "at the word of"}, nil},
	{"schedulers that heed any master", credulousSchedulers, []string{"law 5: scheduler", "at the word of"}, nil},
}

// oldLeader is a script in which schedulers do not hear of a new leader, and
// let the old one write.
var oldLeader = slices.Concat(
	at(29*time.Second, "part scheduler0 quorum 1m", "part scheduler1 quorum 1m"), at(30*time.Second, "depose"),
	at(32*time.Second, "teardown scheduler0"), at(35*time.Second, "teardown scheduler1"),
)

// at is a script of faults at one time.
func at(d time.Duration, faults ...string) []scripted {
	var script []scripted
	for _, f := range faults {
		script = append(script, scripted{d, strings.Fields(f)})
	}
	return script
}

// Every oracle finds what it is there for.
func TestOraclesBite(t *testing.T) {
	for _, s := range sabotages[:most(len(sabotages))] {
		t.Run(s.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			var found *Run
			var others []string
			err := Each(ctx, Options{
				Seeds: 12, Masters: 3, Agents: 4, Tasks: 30, FaultEvery: 6 * time.Second, sabotage: s.breaks, script: s.script,
			}, func(r Run) {
				if found == nil && mentionsAll(r.Failure, s.finds) {
					found = &r
					stop()
				}
				others = append(others, r.Failure)
			})
			stop()
			switch {
			case err != nil:
				t.Fatal(err)
			case found == nil:
				t.Errorf("no run finds %q, but %q", s.finds, others)
			default:
				checkFailure(t, *found)
			}
		})
	}
}

func mentionsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// checkFailure looks at what somebody who has to find the cause is given.
func checkFailure(t *testing.T, run Run) {
	t.Helper()
	if len(run.Trace) == 0 || len(run.Trace) > 40 {
		t.Errorf("the trace has %d lines", len(run.Trace))
	}
	if !strings.Contains(run.Replay, "troupe simulate --seed ") {
		t.Errorf("it is repeated by %q", run.Replay)
	}
	if text := run.String(); !strings.Contains(text, run.Failure) || !strings.Contains(text, run.Replay) {
		t.Errorf("it is shown as %q", text)
	}
}

// onMessage lets do see every message of a type before it is sent; what it
// returns tells whether it is.
func onMessage[M proto.Message](do func(c *simulation, p *process, who, to string, m M) bool) func(*simulation) {
	return func(c *simulation) {
		c.net.tamper = func(p *process, who, to string, m proto.Message) bool {
			typed, ok := m.(M)
			return !ok || do(c, p, who, to, typed)
		}
	}
}

var ghostTasks = onMessage(func(c *simulation, p *process, who, to string, run *cluster.RunTask) bool {
	for i := range 4 {
		ghost := proto.CloneOf(run)
		ghost.Task.TaskId.Value = proto.String(run.Task.TaskId.GetValue() + "-ghost" + string(rune('0'+i)))
		c.oracle.taskLaunched(c.schedulers[0].author, "*", ghost.Task)
		p.carry(who, to, ghost)
	}
	return true
})

// reach is a field of a machine that only the machine itself can write.
func reach(machine any, path ...string) reflect.Value {
	v := reflect.ValueOf(machine).Elem()
	for _, name := range path {
		v = v.FieldByName(name)
		for v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
	}
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// afterwards lets something happen to the leader, as soon as there is one.
func afterwards(c *simulation, do func(m *masterNode)) {
	c.net.after(30*time.Second, func() {
		if m := c.leader(); m != nil {
			do(m)
			return
		}
		afterwards(c, do)
	})
}

// flipOneOf changes the resources in a field of any value of a map.
func flipOneOf(values reflect.Value, field string) {
	for _, key := range values.MapKeys() {
		v := reach(values.MapIndex(key).Interface(), field)
		v.Set(reflect.ValueOf(resources.MustParse("cpus:77")))
	}
}

func flippedMaster(c *simulation) {
	afterwards(c, func(m *masterNode) { flipOneOf(reach(m.machine, "agents", "byID"), "used") })
}

// flippedAllocator takes all that its agents have for free.
func flippedAllocator(c *simulation) {
	afterwards(c, func(m *masterNode) {
		agents := reach(m.allocator.core, "agents")
		for i := range agents.Len() {
			field := func(name string) reflect.Value {
				v := agents.Index(i).Elem().FieldByName(name)
				return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
			}
			field("free").Set(field("total"))
		}
	})
}

// leak loses every third message by which the master gives resources back. No
// link breaks, and nobody lends, so nothing is begun anew.
func leak(c *simulation) {
	c.manners.lending = false
	n := 0
	onMessage(func(_ *simulation, _ *process, _, _ string, _ *cluster.RecoverResources) bool {
		n++
		return n%3 != 0
	})(c)
}

var falseEnd = onMessage(func(_ *simulation, p *process, who, to string, e *scheduler.Event) bool {
	if e.GetUpdate().GetStatus().GetState() == mesos.TaskState_TASK_RUNNING {
		forged := proto.CloneOf(e)
		forged.Update.Status.State = mesos.TaskState_TASK_GONE.Enum()
		forged.Update.Status.Uuid = nil
		p.carry(who, to, forged)
	}
	return true
})

var muteTask = onMessage(func(_ *simulation, _ *process, _, _ string, e *scheduler.Event) bool {
	return e.GetUpdate().GetStatus().GetTaskId().GetValue() != "f0-t7"
})

// muteExecutors loses the ends of tasks on their way to the agent.
var muteExecutors = onMessage(func(_ *simulation, _ *process, _, _ string, e *executor.Call) bool {
	return !terminal(e.GetUpdate().GetStatus().GetState())
})

// disorder makes an executor's second update carry the name of the first, and
// the other way round.
func disorder(c *simulation) {
	kept := make(map[string][]byte)
	onMessage(func(c *simulation, _ *process, _, _ string, e *scheduler.Event) bool {
		if e.Update == nil || len(e.Update.Status.Uuid) == 0 {
			return true
		}
		id := e.Update.Status.TaskId.GetValue()
		f := c.oracle.fates[id]
		if n, made := f.made[string(e.Update.Status.Uuid)]; made && n == 0 {
			kept[id] = e.Update.Status.Uuid
			f.made[string(e.Update.Status.Uuid)] = 1
		} else if made && n == 1 && kept[id] != nil {
			f.made[string(e.Update.Status.Uuid)] = 0
		}
		return true
	})(c)
}

var secondLaunch = onMessage(func(_ *simulation, p *process, who, to string, run *cluster.RunTask) bool {
	p.later(100*time.Second, func() { p.carry(who, to, run) })
	return true
})

var lateLaunch = onMessage(func(c *simulation, p *process, who, to string, run *cluster.RunTask) bool {
	p.later(10*time.Second, func() { p.carry(who, to, run) })
	for _, s := range c.schedulers {
		if s.id.GetValue() == run.GetFramework().GetId().GetValue() {
			p.carry(who, s.pid("scheduler"), &scheduler.Event{Type: scheduler.Event_UPDATE.Enum(), Update: &scheduler.Event_Update{
				Status: &mesos.TaskStatus{TaskId: run.Task.TaskId, State: mesos.TaskState_TASK_DROPPED.Enum()},
			}})
		}
	}
	return false
})

// secondEnd lets authors hear of another end, past their sessions.
var secondEnd = onMessage(func(c *simulation, _ *process, _, _ string, e *scheduler.Event) bool {
	if s := e.GetUpdate().GetStatus(); s.GetState() == mesos.TaskState_TASK_FINISHED {
		forged := proto.CloneOf(s)
		forged.State, forged.Uuid = mesos.TaskState_TASK_FAILED.Enum(), nil
		c.net.after(time.Second, func() {
			for _, n := range c.schedulers {
				if n.id.GetValue() == c.oracle.fates[s.TaskId.GetValue()].framework && n.up {
					n.update(forged)
				}
			}
		})
	}
	return true
})

var strangeTask = onMessage(func(_ *simulation, p *process, who, to string, e *scheduler.Event) bool {
	if e.Update != nil {
		forged := proto.CloneOf(e)
		forged.Update.Status.TaskId.Value = proto.String("stranger")
		p.carry(who, to, forged)
	}
	return true
})

// deafAgents are never told that a framework has ended. Nobody else gets what
// they still use.
func deafAgents(c *simulation) {
	ended := false
	c.net.tamper = func(_ *process, _, _ string, m proto.Message) bool {
		switch m := m.(type) {
		case *cluster.ShutdownFramework:
			ended = true
			return false
		case *scheduler.Event:
			return !ended || m.Offers == nil
		}
		return true
	}
}

// noMoreOffers keeps all offers but the first few from authors.
func noMoreOffers(c *simulation) {
	n := 0
	onMessage(func(_ *simulation, _ *process, _, _ string, e *scheduler.Event) bool {
		n += len(e.GetOffers().GetOffers())
		return e.Offers == nil || n <= 4
	})(c)
}

func banish(c *simulation) {
	afterwards(c, func(m *masterNode) {
		m.carry("master", c.schedulers[0].pid("scheduler"), &scheduler.Event{
			Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: proto.String("Framework has been removed")},
		})
	})
}

// lethalReturn lets an agent that comes back destroy all there is.
var lethalReturn = onMessage(func(_ *simulation, p *process, who, to string, m *cluster.HostReady) bool {
	for _, c := range m.Containers {
		p.net.processes[strings.SplitN(to, "@", 2)[1]].carry("agent", p.pid(who), &cluster.DestroyContainer{ContainerId: c.ContainerId})
	}
	return true
})

// What a record of an agent's journal is about.
func aboutUpdate(r *cluster.JournalRecord) bool    { return r.GetUpdate() != nil }
func aboutLaunch(r *cluster.JournalRecord) bool    { return r.GetLaunch() != nil }
func aboutExecutor(r *cluster.JournalRecord) bool  { return r.GetExecutor() != nil }
func aboutIdentity(r *cluster.JournalRecord) bool  { return r.GetIdentity() != nil }
func aboutOperation(r *cluster.JournalRecord) bool { return r.GetOperation() != nil }
func aboutResources(r *cluster.JournalRecord) bool { return r.GetResources() != nil }

var muteOperations = onMessage(func(_ *simulation, _ *process, _, _ string, e *scheduler.Event) bool {
	return e.UpdateOperationStatus == nil
})

var strangeOperation = onMessage(func(_ *simulation, _ *process, _, _ string, e *scheduler.Event) bool {
	if s := e.GetUpdateOperationStatus().GetStatus(); s.GetUuid() != nil {
		s.Uuid = &mesos.UUID{Value: []byte("of no journal at")}
	}
	return true
})

var secondOperationEnd = onMessage(func(_ *simulation, p *process, who, to string, e *scheduler.Event) bool {
	if s := e.GetUpdateOperationStatus().GetStatus(); s.GetUuid() != nil && s.GetState() == mesos.OperationState_OPERATION_FINISHED {
		forged := proto.CloneOf(e)
		forged.UpdateOperationStatus.Status.State = mesos.OperationState_OPERATION_FAILED.Enum()
		p.carry(who, to, forged)
	}
	return true
})

// forget tells agents that a kind of record is durable, which it is not.
func forget(about func(*cluster.JournalRecord) bool) func(*simulation) {
	return func(c *simulation) {
		for _, a := range c.agents {
			a.disk = func(records []*cluster.JournalRecord) (kept []*cluster.JournalRecord) {
				for _, r := range records {
					if !about(r) {
						kept = append(kept, r)
					}
				}
				return kept
			}
		}
	}
}

// amnesia loses what agents last wrote, when they crash.
func amnesia(c *simulation) {
	c.net.after(5*time.Second, func() {
		for _, a := range c.agents {
			if a.up {
				continue
			}
			records := a.readJournal()
			last := len(records)
			for last > 0 && aboutUpdate(records[last-1]) {
				last--
			}
			a.rewriteJournal(records[:last])
		}
		amnesia(c)
	})
}

var invention = onMessage(func(_ *simulation, p *process, who, to string, u *cluster.StatusUpdate) bool {
	forged := proto.CloneOf(u)
	forged.Status.Uuid[3]++
	p.net.judge(p, forged)
	return true
})

var inventory = onMessage(func(_ *simulation, p *process, _, _ string, m *cluster.ReregisterAgent) bool {
	forged := proto.CloneOf(m)
	for _, t := range forged.Tasks {
		t.TaskId.Value, t.StatusUpdateUuid = proto.String("stranger"), nil
	}
	p.net.judge(p, forged)
	return true
})

// forgetAgents tells masters that a record of agents is durable, which it is
// not.
func forgetAgents(status cluster.AgentRecord_Status) func(*simulation) {
	return func(c *simulation) { c.quorum.loses = status.String() }
}

// hasty acknowledges what comes before anybody has read it.
var hasty = onMessage(func(c *simulation, _ *process, _, to string, e *scheduler.Event) bool {
	s := e.GetUpdate().GetStatus()
	for _, n := range c.schedulers {
		if len(s.GetUuid()) > 0 && n.pid("scheduler") == to {
			c.net.judge(n.process, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
				TaskId: s.TaskId, AgentId: s.AgentId, Uuid: s.Uuid,
			}})
		}
	}
	return true
})

// staleStore lets masters write that lost their election.
func staleStore(c *simulation) { c.quorum.unfenced = true }

// credulousAgents take what any master's process says for the word of the one
// that they are registered with.
func credulousAgents(c *simulation) {
	for _, a := range c.agents {
		own := ""
		a.ears = func(from string) string {
			name, rest, _ := strings.Cut(from, "@")
			switch {
			case c.oracle.foreign(from, a.detected) && own != "":
				return name + "@" + own
			case name == "master":
				own = rest
			}
			return from
		}
	}
}

// credulousSchedulers do the same.
func credulousSchedulers(c *simulation) {
	for _, s := range c.schedulers {
		s.ears = func(from string) string {
			if c.oracle.foreign(from, s.detected) {
				return masterActor(s.detected)
			}
			return from
		}
	}
}
