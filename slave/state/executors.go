package state

import (
	"cmp"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
)

// executor is one life of an executor, in one container. Another with the
// same id may follow when it has ended; the tasks of both are the
// framework's.
type executor struct {
	framework *framework
	info      *mesos.ExecutorInfo
	kind      cluster.LaunchContainer_Kind
	container ContainerID
	user      string
	phase     view.Phase
	step      step
	host      *host // nil until it is placed
	launched  bool  // the host says that it runs
	given     bool  // it has had a task
	pid       int32
	groups    *mesos.CgroupInfo // of its container, as its host tells; nil if nothing is told
	sandbox   string
	doing     string // what its launch takes its time for
	// What its host was told last that the container may use; nil if nothing.
	amounts *cluster.ContainerAmounts
	peer    Peer // of its newest subscription; "" while it has none
	tasks   map[TaskID]*task
	knock   *knock // a subscription that waits for its host; nil if none does
	// What its tasks are told when it ends; the zero fate while it is not
	// being ended for a reason of the agent's.
	fate fate
}

// step is how far the launch of a container has come.
type step uint8

const (
	accepting step = iota // the journal is being written
	sandboxing
	sandboxed // its first launch is being prepared
	waiting   // for its host to be ready
	asked     // the host has been told to launch it
)

// fate is why tasks end with their executor.
type fate struct {
	state   mesos.TaskState
	reason  mesos.TaskStatus_Reason
	message string
	// That the container ran into; nil for none.
	limit *cluster.ContainerLimit
}

// ending is how a container ended.
type ending struct {
	message string // for people; may be empty
	// As wait(2) has it, of the executor's process; nil if it never was.
	status *int32
	limit  *cluster.ContainerLimit // nil if it is not what ended it
	// How its tasks' programs had ended, found after its host was lost, which had not
	// told.
	found map[TaskID]exit
}

func (e *executor) id() ExecutorID { return ExecutorID(e.info.GetExecutorId().GetValue()) }

func (e *executor) containerID() *mesos.ContainerID {
	return &mesos.ContainerID{Value: proto.String(string(e.container))}
}

// generated executors are invisible to the master.
func (e *executor) generated() bool { return e.kind == cluster.LaunchContainer_COMMAND }

// idle tells that no task of the executor is left that could have news.
func (e *executor) idle() bool {
	for _, t := range e.tasks {
		if !check.Over(t.next) {
			return false
		}
	}
	return true
}

func (m *Machine) newExecutor(f *framework, info *mesos.ExecutorInfo, kind cluster.LaunchContainer_Kind, first *mesos.TaskInfo) *executor {
	if info.FrameworkId == nil {
		info = proto.CloneOf(info)
		info.FrameworkId = f.info.Id
	}
	e := &executor{
		framework: f, info: info, kind: kind, container: m.chance.container(), tasks: map[TaskID]*task{},
	}
	if m.cfg.SwitchUser {
		e.user = f.info.GetUser()
		if u := info.GetCommand().GetUser(); u != "" {
			e.user = u
		} else if u := first.GetCommand().GetUser(); u != "" && e.generated() {
			e.user = u
		}
	}
	f.executors[e.id()] = e
	m.containers[e.container] = e
	return e
}

func executorRecord(e *executor) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Executor{Executor: &cluster.ExecutorAccepted{
		FrameworkId: e.framework.info.Id, Executor: e.info, ContainerId: e.containerID(), Kind: e.kind.Enum(), User: &e.user,
	}}}
}

func (m *Machine) publishExecutor(e *executor) {
	v := &view.Executor{
		ID: e.id(), Framework: e.framework.id(), Container: e.container, Info: e.info, Generated: e.generated(),
		Phase: e.phase, Doing: e.doing, Sandbox: e.sandbox, Pid: e.pid, Groups: e.groups, User: e.user, Peer: string(e.peer), Amounts: e.amounts,
	}
	if e.host != nil {
		v.Host = e.host.id
	}
	m.publish(view.ExecutorChanged{Executor: v})
}

func (m *Machine) sandboxMade(in SandboxMade) {
	e := m.containers[in.Container]
	switch {
	case e == nil || e.step != sandboxing:
		m.note(Warn, "A sandbox was made that nobody asked for", Field{"container", string(in.Container)})
	case in.Err != nil:
		m.count(view.LaunchErrors)
		if e.phase < view.Terminating {
			e.fate = launchFailed("making the sandbox: " + in.Err.Error())
		}
		m.ended(e, ending{}, nil)
	case e.phase >= view.Terminating:
		m.ended(e, ending{}, nil)
	default:
		e.sandbox, e.step = m.sandbox(e), sandboxed
		for _, t := range e.inOrder() {
			m.prepare(t.launch)
			m.advance(e, t.launch)
		}
	}
}

func (m *Machine) sandbox(e *executor) string {
	return m.cfg.Sandbox(m.id().GetValue(), e.framework.id(), e.id(), e.container)
}

func launchFailed(message string) fate {
	return failed(mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, message)
}

func failed(reason mesos.TaskStatus_Reason, message string) fate {
	return fate{state: mesos.TaskState_TASK_FAILED, reason: reason, message: message}
}

// containerLaunched starts the executor's time to subscribe anew, as the launch
// may have taken long, unless it has subscribed already: that message takes
// another way.
func (m *Machine) containerLaunched(from Peer, msg *cluster.ContainerLaunched) {
	e := m.containers[ContainerID(msg.GetContainerId().GetValue())]
	if e == nil || e.host == nil || e.host.peer != from {
		return
	}
	e.launched, e.pid, e.groups, e.doing = true, msg.GetPid(), msg.GetCgroupInfo(), ""
	if e.phase == view.Launching {
		e.phase = view.Registering
		m.emit(SetTimer{containerTimer(timerSubscription, e.container), m.cfg.ExecutorRegistration})
	}
	m.publishExecutor(e)
	m.knocked(e)
}

func (m *Machine) subscriptionOverdue(c ContainerID) {
	e := m.containers[c]
	if e == nil || e.phase >= view.Running {
		return
	}
	why := "The executor did not subscribe within " + m.cfg.ExecutorRegistration.String()
	if e.doing != "" {
		why += "; the last that was heard of its launch: " + e.doing
	}
	e.fate = failed(mesos.TaskStatus_REASON_EXECUTOR_REGISTRATION_TIMEOUT, why)
	m.note(Warn, "An executor did not subscribe in time", Field{"framework", string(e.framework.id())}, Field{"executor", string(e.id())})
	m.destroy(e)
}

// executorLost notices that an executor's link broke. It subscribes again, or
// its container ends; both come by themselves.
func (m *Machine) executorLost(p Peer) {
	e := m.subscribers[p]
	if e == nil {
		return
	}
	e.peer = ""
	delete(m.subscribers, p)
	m.note(Debug, "The link to an executor broke", Field{"framework", string(e.framework.id())}, Field{"executor", string(e.id())})
}

// hear makes p the one who speaks for an executor; "" is nobody.
func (m *Machine) hear(e *executor, p Peer) {
	if e.peer == p {
		return
	}
	if e.peer != "" {
		m.emit(Unlink{e.peer})
		delete(m.subscribers, e.peer)
	}
	e.peer = p
	if p != "" {
		m.emit(Link{p})
		m.subscribers[p] = e
	}
}

func (m *Machine) shutdownExecutorOf(msg *cluster.ShutdownExecutor) {
	if f := m.frameworks[FrameworkID(msg.GetFrameworkId().GetValue())]; f != nil {
		if e := f.executors[ExecutorID(msg.GetExecutorId().GetValue())]; e != nil {
			m.shutdownExecutor(e)
		}
	}
}

// shutdownExecutor asks an executor to end, and makes it end after its grace.
func (m *Machine) shutdownExecutor(e *executor) {
	switch {
	case e.phase >= view.Terminating:
	case e.phase == view.Running && e.peer != "":
		e.phase = view.Terminating
		m.event(e, shutdownEvent())
		m.emit(SetTimer{containerTimer(timerGrace, e.container), m.grace(e)})
		m.publishExecutor(e)
	default:
		m.destroy(e)
	}
}

func (m *Machine) grace(e *executor) time.Duration {
	if g := e.info.GetShutdownGracePeriod(); g != nil {
		return time.Duration(g.GetNanoseconds())
	}
	return m.cfg.ShutdownGrace
}

// destroyAgain is how long a host has to end a container before it is asked
// again.
const destroyAgain = 10 * time.Second

// destroy ends an executor's container, wherever its launch has come to.
func (m *Machine) destroy(e *executor) {
	if e.phase < view.Terminating {
		e.phase = view.Terminating
		m.publishExecutor(e)
	}
	m.emit(CancelTimer{containerTimer(timerSubscription, e.container)})
	switch e.step {
	case accepting, sandboxed, waiting:
		m.ended(e, ending{}, nil)
	case sandboxing:
		// SandboxMade is still to come, and ends it.
	case asked:
		m.send(e.host.peer, &cluster.DestroyContainer{ContainerId: e.containerID()})
		m.emit(SetTimer{containerTimer(timerDestroy, e.container), destroyAgain})
	}
}

// ended takes an executor out whose container is gone, or never was. Its tasks
// share its fate; once that is durable, they and the master are told, and then
// follows, which may be nil.
func (m *Machine) ended(e *executor, how ending, then func()) {
	f, fate := e.framework, e.verdict(how)
	e.phase = view.Terminated
	m.hear(e, "")
	m.turnAway(e)
	for _, timer := range []string{timerSubscription, timerGrace, timerDestroy} {
		m.emit(CancelTimer{containerTimer(timer, e.container)})
	}
	delete(m.containers, e.container)
	if f.executors[e.id()] == e {
		delete(f.executors, e.id())
	}
	m.publishExecutor(e)
	m.unplace(e)
	records := []*cluster.JournalRecord{goneRecord(e)}
	var list []news
	for _, t := range e.inOrder() {
		switch {
		case f.ending:
			m.removeTask(t)
		case !check.Over(t.next):
			n := m.lastNews(t, fate, how)
			list, records = append(list, n), append(records, n.record())
		}
	}
	m.going[e.container] = true
	m.checkpoint(func() { m.onGone(e, list, how.status, then) }, records...)
	m.forgetFramework(f)
}

func goneRecord(e *executor) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Gone{
		Gone: &cluster.ContainerGone{ContainerId: e.containerID()},
	}}
}

// verdict is what tasks are told that end with e. A limit comes first: whatever
// else was to end the container came too late.
func (e *executor) verdict(how ending) fate {
	message := how.message
	switch l := how.limit; {
	case l != nil:
		return fate{state: mesos.TaskState_TASK_FAILED, reason: l.GetReason(), message: l.GetMessage(), limit: l}
	case e.fate != fate{}:
		return e.fate
	case !e.launched && e.phase < view.Running:
		return launchFailed(cmp.Or(message, "The container could not be launched"))
	case message == "":
		message = "Executor terminated"
	default:
		message = "Executor terminated: " + message
	}
	return failed(mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, message)
}

func (m *Machine) onGone(e *executor, list []news, status *int32, then func()) {
	delete(m.going, e.container)
	for _, n := range list {
		m.known(n)
	}
	m.executorExited(e, status)
	if then != nil {
		then()
	}
	if e.step > accepting {
		m.emit(RetireSandbox{e.framework.id(), e.id(), e.container})
	}
}
