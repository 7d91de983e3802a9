package state

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	executorapi "troupe/messages/mesos/executor"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// world is everything around one agent: a master, hosts, executors, a journal
// and a clock, each of which does what it may, when the test says so. It
// watches that the agent keeps the laws.
type world struct {
	t       *rapid.T
	m       *Machine
	seed    uint64
	number  int
	now     time.Time
	stalled bool
	inputs  []Input                  // that wait for the machine, and the one that it has
	durable []*cluster.JournalRecord // ever
	journal []*cluster.JournalRecord // as it is
	writing []Checkpoint
	making  []MakeSandbox
	timers  map[string]bool
	hosts   map[HostID]*simHost
	sweeps  []Sweep
	exits   map[Program]int32 // that inits have recorded, and no host has told
	watches []WatchHost

	incarnation int                              // of the master
	launched    map[string]bool                  // tasks that the master sent
	finished    map[string]bool                  // tasks whose program had ended well when their host died
	limited     map[string]bool                  // tasks that a limit of their container ended, if nothing else had
	fate        map[string]*mesos.TaskStatus     // the terminal status of each, as the master saw it
	states      map[string][]mesos.TaskState     // that the master saw, in order of first arrival
	seen        map[string]bool                  // uuids that the master saw
	head        map[string]*cluster.StatusUpdate // the newest of each task that is not acknowledged
	simOperations
}

type simHost struct {
	id         HostID
	ready      bool // the agent has answered its greeting
	taken      bool // an agent process once did
	containers map[string]*simContainer
	ended      map[string]*cluster.ContainerEnded // that the agent has not acknowledged
}

// simContainer is a container with its executor.
type simContainer struct {
	launch     *cluster.LaunchContainer
	amounts    *cluster.ContainerAmounts
	started    bool
	subscribed bool // as far as it knows
	deaf       bool // its link has broken, and it has not heard of that
	shutdown   bool
	tasks      map[string]*simTask
	unacked    []*mesos.TaskStatus
}

type simTask struct {
	info  *mesos.TaskInfo
	state mesos.TaskState
	known bool // an update of it was acknowledged
}

func newWorld(t *rapid.T) *world {
	w := &world{
		t: t, now: time.Unix(1000, 0), hosts: map[HostID]*simHost{}, launched: map[string]bool{}, limited: map[string]bool{}, finished: map[string]bool{}, fate: map[string]*mesos.TaskStatus{},
		exits: map[Program]int32{}, states: map[string][]mesos.TaskState{}, seen: map[string]bool{}, head: map[string]*cluster.StatusUpdate{},
		simOperations: newOperations(),
	}
	w.start()
	return w
}

// start begins a new agent process with what is durable. Whatever was on its
// way to the old one is lost.
func (w *world) start() {
	w.stalled = false
	w.seed += 2
	w.m, w.timers = New(worldConfig(w.seed)), map[string]bool{}
	w.writing, w.making, w.sweeps, w.watches, w.disk = nil, nil, nil, nil, nil
	for id, h := range w.hosts {
		if !h.taken {
			delete(w.hosts, id) // it holds nothing, and leaves with its agent
			continue
		}
		h.ready = false
		for _, c := range h.containers {
			c.deaf = c.subscribed
		}
	}
	w.step(Started{Records: w.journal})
	w.step(MasterDetected{"master@m:1"})
}

// step performs the effects of one input before the next is taken in.
func (w *world) step(in Input) {
	w.inputs = append(w.inputs, in)
	if len(w.inputs) > 1 {
		return // called by what is being performed
	}
	for len(w.inputs) > 0 {
		for _, e := range w.m.Step(w.now, w.inputs[0]) {
			w.perform(e)
		}
		w.inputs = w.inputs[1:]
	}
}

func (w *world) receive(from string, m proto.Message) {
	w.step(Received{From: Peer(from), Message: m})
}

func (w *world) masterPeer() string { return fmt.Sprint("master@m:1#", w.incarnation) }

func (w *world) perform(e Effect) {
	switch e := e.(type) {
	case Send:
		w.sent(e)
	case SetTimer:
		w.timers[e.Key] = true
	case CancelTimer:
		delete(w.timers, e.Key)
	case Checkpoint:
		w.writing = append(w.writing, e)
	case MakeVolumes, RemoveVolumes, LinkVolumes:
		w.onDisk(e)
	case MakeSandbox:
		w.making = append(w.making, e)
	case StartHost:
		w.hosts[e.Host] = &simHost{id: e.Host, containers: map[string]*simContainer{}, ended: map[string]*cluster.ContainerEnded{}}
		w.watches = append(w.watches, WatchHost{e.Host, 1, 7})
	case WatchHost:
		w.watches = append(w.watches, e)
	case KillHost:
		delete(w.hosts, e.Host)
		w.step(HostEnded{Host: e.Host, Message: "killed"})
	case Sweep:
		w.sweeps = append(w.sweeps, e)
	case Exit:
		w.t.Fatalf("the agent exits: %s, %v", e.Reason, e.Err)
	}
}

// sent takes a message to whoever it is for.
func (w *world) sent(e Send) {
	name, _, _ := strings.Cut(string(e.To), "@")
	switch {
	case name == "master":
		w.toMaster(e.Message)
	case name == "host":
		if h := w.hosts[HostID(e.To.system())]; h != nil {
			w.toHost(h, e.Message)
		}
	case strings.HasPrefix(name, "executor/"):
		if h := w.hosts[HostID(e.To.system())]; h != nil {
			if c := h.containers[strings.TrimPrefix(name, "executor/")]; c != nil {
				w.toExecutor(c, e.Message.(*executorapi.Event))
			}
		}
	}
}

// isDurable checks the first law of a restart: what is revealed is durable.
func (w *world) isDurable(what string, found func(*cluster.JournalRecord) bool) {
	if !slices.ContainsFunc(w.durable, found) {
		w.t.Fatalf("%s is revealed before it is durable", what)
	}
}

func (w *world) toMaster(m proto.Message) {
	switch m := m.(type) {
	case *cluster.RegisterAgent:
		for id := range w.launched { // of an agent that never came back
			if w.fate[id] == nil {
				w.fate[id] = &mesos.TaskStatus{State: mesos.TaskState_TASK_LOST.Enum()}
			}
		}
		w.receive(w.masterPeer(), &cluster.AgentRegistered{AgentId: s0(), MasterId: proto.String("M")})
	case *cluster.ReregisterAgent:
		answer := &cluster.AgentReregistered{AgentId: s0(), MasterId: proto.String("M")}
		for id := range w.launched {
			named := slices.ContainsFunc(m.GetTasks(), func(t *mesos.Task) bool { return t.GetTaskId().GetValue() == id })
			if !named && w.fate[id] == nil {
				answer.MissingTasks = append(answer.MissingTasks, &cluster.AgentReregistered_MissingTask{
					FrameworkId: frameworkID(), TaskId: &mesos.TaskID{Value: &id},
				})
			}
		}
		slices.SortFunc(answer.MissingTasks, func(a, b *cluster.AgentReregistered_MissingTask) int {
			return strings.Compare(a.GetTaskId().GetValue(), b.GetTaskId().GetValue())
		})
		w.compareOperations(m, answer)
		w.receive(w.masterPeer(), answer)
	case *cluster.OperationUpdate:
		w.operationUpdate(m)
	case *cluster.StatusUpdate:
		w.statusUpdate(m)
	}
}

func (w *world) statusUpdate(m *cluster.StatusUpdate) {
	u := m.GetStatus()
	id := u.GetTaskId().GetValue()
	w.isDurable("update "+u.String(), func(r *cluster.JournalRecord) bool {
		return string(r.GetUpdate().GetStatus().GetUuid()) == string(u.GetUuid())
	})
	w.head[id] = m
	if w.seen[string(u.GetUuid())] {
		return
	}
	w.seen[string(u.GetUuid())] = true
	w.states[id] = append(w.states[id], u.GetState())
	if fate := w.fate[id]; fate != nil {
		w.t.Fatalf("%s had its fate %v, and has news: %v", id, fate, u)
	}
	if tasks.Terminal(u.GetState()) {
		w.fate[id] = u
		w.checkLimited(id, u)
		w.checkFinished(id, u)
	}
}

func (w *world) toHost(h *simHost, m proto.Message) {
	switch m := m.(type) {
	case *cluster.HostReadyAck:
		h.ready, h.taken = true, true
	case *cluster.LaunchContainer:
		id := m.GetContainerId().GetValue()
		if h.containers[id] == nil && h.ended[id] == nil {
			h.containers[id] = &simContainer{launch: m, amounts: m.GetAmounts(), tasks: map[string]*simTask{}}
		}
	case *cluster.UpdateContainer:
		if c := h.containers[m.GetContainerId().GetValue()]; c != nil {
			c.amounts = m.GetAmounts()
		}
	case *cluster.DestroyContainer:
		w.endContainer(h, m.GetContainerId().GetValue(), nil)
	case *cluster.ContainerEndedAck:
		w.isDurable("the end of a container", func(r *cluster.JournalRecord) bool {
			gone := r.GetGone().GetContainerId().GetValue()
			return gone == m.GetContainerId().GetValue() || !w.known(m.GetContainerId().GetValue())
		})
		delete(h.ended, m.GetContainerId().GetValue())
	case *cluster.StopHost:
		if len(h.containers) == 0 {
			delete(w.hosts, h.id)
			w.step(HostEnded{Host: h.id})
		}
	}
}

// known tells whether the journal has ever had a container.
func (w *world) known(container string) bool {
	return slices.ContainsFunc(w.durable, func(r *cluster.JournalRecord) bool {
		return r.GetExecutor().GetContainerId().GetValue() == container
	})
}

// endContainer ends one, for a limit if that is not nil.
func (w *world) endContainer(h *simHost, id string, limit *cluster.ContainerLimit) {
	c := h.containers[id]
	delete(h.containers, id)
	if h.ended[id] == nil {
		h.ended[id] = &cluster.ContainerEnded{ContainerId: &mesos.ContainerID{Value: &id}, Status: proto.Int32(9), Limit: limit}
	}
	if limit != nil {
		for task := range c.tasks {
			w.limited[task] = true
		}
	}
	if h.ready {
		w.receive(h.peer(), h.ended[id])
	}
}

func (h *simHost) peer() string { return "host@" + string(h.id) }

func (w *world) toExecutor(c *simContainer, e *executorapi.Event) {
	switch e.GetType() {
	case executorapi.Event_SUBSCRIBED:
		c.subscribed, c.deaf = true, false
	case executorapi.Event_LAUNCH:
		w.give(c, e.GetLaunch().GetTask())
	case executorapi.Event_LAUNCH_GROUP:
		for _, t := range e.GetLaunchGroup().GetTaskGroup().GetTasks() {
			w.give(c, t)
		}
	case executorapi.Event_KILL:
		if t := c.tasks[e.GetKill().GetTaskId().GetValue()]; t != nil && !tasks.Terminal(t.state) {
			w.update(c, t, mesos.TaskState_TASK_KILLED)
		}
	case executorapi.Event_ACKNOWLEDGED:
		w.acknowledged(c, e.GetAcknowledged())
	case executorapi.Event_SHUTDOWN:
		c.shutdown = true
	case executorapi.Event_ERROR:
		w.t.Fatalf("an executor that is right is refused: %s", e.GetError().GetMessage())
	}
}

func (w *world) give(c *simContainer, t *mesos.TaskInfo) {
	id := t.GetTaskId().GetValue()
	if c.tasks[id] != nil {
		w.t.Fatalf("an executor is given %s twice", id)
	}
	w.isDurable("task "+id, func(r *cluster.JournalRecord) bool {
		return slices.ContainsFunc(r.GetLaunch().GetTasks(), func(i *mesos.TaskInfo) bool { return i.GetTaskId().GetValue() == id })
	})
	c.tasks[id] = &simTask{info: t, state: mesos.TaskState_TASK_STAGING}
	w.checkFits(c)
}

func (w *world) acknowledged(c *simContainer, a *executorapi.Event_Acknowledged) {
	w.isDurable("an update that is acknowledged", func(r *cluster.JournalRecord) bool {
		return string(r.GetUpdate().GetStatus().GetUuid()) == string(a.GetUuid())
	})
	c.unacked = slices.DeleteFunc(c.unacked, func(u *mesos.TaskStatus) bool { return string(u.GetUuid()) == string(a.GetUuid()) })
	if t := c.tasks[a.GetTaskId().GetValue()]; t != nil {
		t.known = true
	}
}

// update is an executor's news of one of its tasks.
func (w *world) update(c *simContainer, t *simTask, s mesos.TaskState) {
	w.number++
	t.state = s
	u := &mesos.TaskStatus{
		TaskId: t.info.TaskId, State: s.Enum(), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		Uuid: fmt.Appendf(nil, "%016d", w.number),
	}
	c.unacked = append(c.unacked, u)
	if c.subscribed {
		w.call(c, &executorapi.Call{Type: executorapi.Call_UPDATE.Enum(), Update: &executorapi.Call_Update{Status: u}})
	}
}

func (w *world) call(c *simContainer, call *executorapi.Call) {
	call.FrameworkId, call.ExecutorId = c.launch.GetFramework().GetId(), c.launch.GetExecutor().GetExecutorId()
	for _, h := range w.hosts {
		if h.containers[c.id()] == c {
			w.receive("executor/"+c.id()+"@"+string(h.id), call)
			return
		}
	}
}

func (c *simContainer) id() string { return c.launch.GetContainerId().GetValue() }

func (w *world) subscribe(c *simContainer) {
	s := &executorapi.Call_Subscribe{}
	for _, id := range sortedKeys(c.tasks) {
		if t := c.tasks[id]; !t.known {
			s.UnacknowledgedTasks = append(s.UnacknowledgedTasks, t.info)
		}
	}
	for _, u := range c.unacked {
		s.UnacknowledgedUpdates = append(s.UnacknowledgedUpdates, &executorapi.Call_Update{Status: u})
	}
	c.started, c.deaf = true, false
	w.call(c, &executorapi.Call{Type: executorapi.Call_SUBSCRIBE.Enum(), Subscribe: s})
}

// hostReady is a host's greeting, until it is answered.
func (w *world) hostReady(h *simHost) {
	msg := &cluster.HostReady{HostId: proto.String(string(h.id)), Pid: proto.Int32(1)}
	for _, id := range sortedKeys(h.containers) {
		msg.Containers = append(msg.Containers, &cluster.HostedContainer{ContainerId: &mesos.ContainerID{Value: &id}})
	}
	for _, id := range sortedKeys(h.ended) {
		msg.Ended = append(msg.Ended, h.ended[id])
	}
	w.receive(h.peer(), msg)
}

// find answers the agent that starts hosts, and looks for those of the process
// before it.
func (w *world) find() {
	watches := w.watches
	w.watches = nil
	for _, e := range watches {
		if w.hosts[e.Host] != nil && e.Pid == 1 && e.Started == 7 {
			w.step(HostStarted(e))
		} else {
			w.step(HostEnded{Host: e.Host, Message: "it is gone"})
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func s0() *mesos.AgentID { return &mesos.AgentID{Value: proto.String("S0")} }

func frameworkID() *mesos.FrameworkID { return &mesos.FrameworkID{Value: proto.String("F")} }

func simFramework() *mesos.FrameworkInfo {
	return &mesos.FrameworkInfo{User: proto.String("u"), Name: proto.String("n"), Id: frameworkID()}
}

var (
	taskResources     = resources.MustParse("cpus:1;mem:32").Allocate("*").Proto()
	executorResources = resources.MustParse("cpus:1;mem:32;disk:1").Allocate("*").Proto()
)

// simTaskInfo has a limit in one of three.
func simTaskInfo(id string) *mesos.TaskInfo {
	t := &mesos.TaskInfo{
		Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: s0(), Resources: taskResources,
		Command: &mesos.CommandInfo{Value: proto.String("true")},
	}
	if id[len(id)-1]%3 == 0 {
		t.Limits = map[string]*mesos.Value_Scalar{"mem": {Value: proto.Float64(64)}}
	}
	return t
}

func benchCall(kind string, u *mesos.TaskStatus) *executorapi.Call {
	c := &executorapi.Call{
		FrameworkId: frameworkID(), ExecutorId: &mesos.ExecutorID{Value: proto.String("T")},
		Type: executorapi.Call_Type(executorapi.Call_Type_value[kind]).Enum(),
	}
	if u != nil {
		c.Update = &executorapi.Call_Update{Status: u}
	}
	return c
}

func benchLaunched(m proto.Message) bool {
	e, ok := m.(*executorapi.Event)
	return ok && e.GetType() == executorapi.Event_LAUNCH
}

// worldConfig is that of an agent which has something to reserve.
func worldConfig(seed uint64) Config {
	c := testConfig(seed)
	c.Info = proto.CloneOf(c.Info)
	c.Info.Resources = simTotal.Proto()
	return c
}
