package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
	"troupe/slave/state/view"
)

func memoryLimit() *cluster.ContainerLimit {
	return &cluster.ContainerLimit{
		Reason: mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(), Message: proto.String("too much"), Resources: taskResources,
	}
}

// checkLimited: what the agent says of a task that ended with its container names
// the limit that ended that.
func (w *world) checkLimited(task string, u *mesos.TaskStatus) {
	if !w.limited[task] || u.GetSource() != mesos.TaskStatus_SOURCE_AGENT {
		return
	}
	switch u.GetReason() {
	case mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY:
		if u.GetState() != mesos.TaskState_TASK_FAILED || len(u.GetLimitation().GetResources()) == 0 || u.GetMessage() != "too much" {
			w.t.Fatalf("%s ran into a limit, and is told so: %v", task, u)
		}
	case mesos.TaskStatus_REASON_EXECUTOR_TERMINATED:
		// Its host died with the news.
		if w.hostOfTask(task) {
			w.t.Fatalf("%s ran into a limit, and its host told: %v", task, u)
		}
	}
}

// hostOfTask tells that some host still has the end of the task's container.
func (w *world) hostOfTask(task string) bool {
	for _, r := range w.durable {
		for _, info := range r.GetLaunch().GetTasks() {
			if info.GetTaskId().GetValue() != task {
				continue
			}
			for _, h := range w.hosts {
				if h.ended[r.GetLaunch().GetContainerId().GetValue()] != nil {
					return true
				}
			}
		}
	}
	return false
}

// checkAmounts: every container that a host holds may use what its tasks were
// given, no matter what was lost on the way.
func (w *world) checkAmounts() {
	for _, h := range sorted(w.hosts) {
		for _, id := range sortedKeys(h.containers) {
			e := w.m.containers[ContainerID(id)]
			if e == nil || !h.ready || e.step != asked || e.phase >= view.Terminating || e.host.peer != Peer(h.peer()) || e.generated() && e.idle() {
				continue
			}
			if got, want := h.containers[id].amounts, w.m.amountsOf(e); !proto.Equal(got, want) {
				w.t.Fatalf("container %s may use %v; its tasks were given %v", id, got, want)
			}
		}
	}
}

func (w *world) hostDies(h *simHost) {
	delete(w.hosts, h.id)
	w.step(PeerExited{Peer(h.peer())})
	w.step(HostEnded{Host: h.id, Message: "killed"})
}

// recordExits: in a host that dies the programs of tasks that brought no executor,
// and of all but some of groups, have ended well, which their inits have recorded.
func (w *world) recordExits(h *simHost) {
	for id, c := range h.containers {
		for n, task := range sortedKeys(c.tasks) {
			p := Program{Container: ContainerID(id)}
			switch kind := c.launch.GetKind(); {
			case kind == cluster.LaunchContainer_CUSTOM || tasks.Terminal(c.tasks[task].state):
				continue
			case kind == cluster.LaunchContainer_DEFAULT && n%3 == 2:
				continue
			case kind == cluster.LaunchContainer_DEFAULT:
				p.Task = TaskID(task)
			}
			w.exits[p] = 0
			w.finished[task] = true
		}
	}
}

// recorded is what is found of containers: of their own programs, and of the tasks
// in them that the agent asks for.
func (w *world) recorded(list []Remains) map[Program]int32 {
	found := map[Program]int32{}
	look := func(p Program) {
		if status, is := w.exits[p]; is {
			found[p] = status
		}
	}
	for _, r := range list {
		look(Program{Container: r.Container})
		for _, task := range r.Tasks {
			look(Program{r.Container, task})
		}
	}
	return found
}

// checkFinished: a task whose program had ended well when its host died is told
// so, or that it was killed if that was wanted.
func (w *world) checkFinished(task string, u *mesos.TaskStatus) {
	unknown := u.GetReason() == mesos.TaskStatus_REASON_EXECUTOR_TERMINATED ||
		u.GetReason() == mesos.TaskStatus_REASON_EXECUTOR_REREGISTRATION_TIMEOUT
	if w.finished[task] && u.GetSource() == mesos.TaskStatus_SOURCE_AGENT && unknown {
		w.t.Fatalf("%s had ended well, and is told: %v", task, u)
	}
}

// checkStrays: of what is found on the machine all is removed that the agent does
// not know, and nothing else.
func (w *world) checkStrays() {
	in := StraysFound{Containers: []ContainerID{"stray"}}
	for _, h := range sorted(w.hosts) {
		for _, id := range sortedKeys(h.containers) {
			in.Containers = append(in.Containers, ContainerID(id))
		}
	}
	removed := map[ContainerID]bool{}
	for _, e := range w.m.Step(w.now, in) {
		if e, is := e.(RemoveStrays); is {
			for _, r := range e.Containers {
				removed[r.Container] = true
			}
		}
	}
	for _, c := range in.Containers {
		if known := w.m.containers[c] != nil; removed[c] == known {
			w.t.Fatalf("container %s is known: %v, and removed: %v", c, known, removed[c])
		}
	}
}

// checkFits: an executor is given a task when its container may use what that was
// given, not before.
func (w *world) checkFits(c *simContainer) {
	needs := 0.0
	if c.launch.GetKind() != cluster.LaunchContainer_COMMAND {
		needs = 32 // for itself
	}
	for _, t := range c.tasks {
		if !tasks.Terminal(t.state) {
			needs += 32
		}
	}
	if got := c.amounts.GetMem(); got < needs {
		w.t.Fatalf("container %s may use %v MB, and its tasks were given %v", c.id(), got, needs)
	}
}

// fetching tells that a container is being made.
func (w *world) fetching(h *simHost, c *simContainer) {
	w.receive(h.peer(), &cluster.ContainerProgress{ContainerId: &mesos.ContainerID{Value: proto.String(c.id())}, Doing: proto.String("fetching")})
}
