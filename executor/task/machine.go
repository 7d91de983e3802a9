package task

import (
	"fmt"
	"time"

	"troupe/messages/mesos"
)

// DefaultGrace passes between SIGTERM and SIGKILL when neither the kill nor
// the task says otherwise.
const DefaultGrace = 3 * time.Second

// Input is what can happen to a task.
type Input interface{ input() }

// Effect is what a task's machine asks of its shell, in order.
type Effect interface{ effect() }

type (
	// Start begins the task: the first input.
	Start struct{}
	// Launched answers Launch: the program runs.
	Launched struct{}
	// LaunchFailed answers Launch: nothing runs.
	LaunchFailed struct{ Err error }
	// Exited tells that the program and all it started are gone. Status is as
	// wait(2) gave it, -1 when unknown.
	Exited struct{ Status int }
	// Kill is somebody's wish that the task ends. Policy may be nil.
	Kill struct{ Policy *mesos.KillPolicy }
	// Destroy ends the task at once.
	Destroy struct{}
	// Deadline answers SetDeadline.
	Deadline struct{}
)

type (
	// Launch asks to run the program; answered by Launched or LaunchFailed.
	Launch struct{}
	// Signal asks to end all processes of the task, by force after Grace; a
	// later Signal has the shorter deadline.
	Signal struct{ Grace time.Duration }
	// SetDeadline asks for Deadline.
	SetDeadline struct{ After time.Duration }
	// Update is news for the framework. Message may be empty, Reason nil.
	Update struct {
		State   mesos.TaskState
		Message string
		Reason  *mesos.TaskStatus_Reason
	}
)

func (Start) input()        {}
func (Launched) input()     {}
func (LaunchFailed) input() {}
func (Exited) input()       {}
func (Kill) input()         {}
func (Destroy) input()      {}
func (Deadline) input()     {}

func (Launch) effect()      {}
func (Signal) effect()      {}
func (SetDeadline) effect() {}
func (Update) effect()      {}

type phase int

const (
	fresh phase = iota
	launching
	running
	over
)

// Machine is the life of one task, as decisions: what to do on launch, exit,
// kill and the lapse of its time. It is pure; Runner performs its effects.
type Machine struct {
	info  *mesos.TaskInfo
	phase phase
	// tellsKilling: the framework knows TASK_KILLING.
	tellsKilling bool
	// killed: somebody wants the task to end. late: its time was up.
	killed, late bool
	// force is when processes are killed by force; zero while none is asked for.
	force time.Time
}

// NewMachine makes the life of a task. tellsKilling is whether its framework
// has the capability TASK_KILLING_STATE.
func NewMachine(info *mesos.TaskInfo, tellsKilling bool) *Machine {
	return &Machine{info: info, tellsKilling: tellsKilling}
}

// Over tells whether the last Update is out and nothing runs.
func (m *Machine) Over() bool { return m.phase == over }

// Step takes one input in and returns what is to be done, in order.
func (m *Machine) Step(now time.Time, in Input) []Effect {
	if m.phase == over {
		return nil
	}
	switch in := in.(type) {
	case Start:
		m.phase = launching
		return []Effect{Update{State: mesos.TaskState_TASK_STARTING}, Launch{}}
	case Launched:
		return m.launched(now)
	case LaunchFailed:
		m.phase = over
		return []Effect{m.failed(in.Err)}
	case Exited:
		m.phase = over
		return []Effect{m.exited(in.Status)}
	case Kill:
		return m.kill(now, in.Policy)
	case Destroy:
		m.killed = true
		return m.signal(now, 0)
	case Deadline:
		if m.phase != running || m.killed {
			return nil
		}
		m.late = true
		return m.signal(now, m.grace(nil))
	}
	return nil
}

func (m *Machine) launched(now time.Time) []Effect {
	m.phase = running
	if !m.force.IsZero() {
		return []Effect{Signal{Grace: max(0, m.force.Sub(now))}}
	}
	out := []Effect{Update{State: mesos.TaskState_TASK_RUNNING}}
	if d := m.info.GetMaxCompletionTime(); d != nil {
		out = append(out, SetDeadline{After: time.Duration(max(0, d.GetNanoseconds()))})
	}
	return out
}

func (m *Machine) kill(now time.Time, p *mesos.KillPolicy) []Effect {
	first := !m.killed && !m.late
	m.killed = true
	out := m.signal(now, m.grace(p))
	if first && m.tellsKilling {
		out = append([]Effect{Update{State: mesos.TaskState_TASK_KILLING}}, out...)
	}
	return out
}

// signal never moves the forced end to a later time.
func (m *Machine) signal(now time.Time, grace time.Duration) []Effect {
	force := now.Add(grace)
	if !m.force.IsZero() && !force.Before(m.force) {
		return nil
	}
	m.force = force
	if m.phase != running {
		return nil
	}
	return []Effect{Signal{Grace: grace}}
}

func (m *Machine) grace(p *mesos.KillPolicy) time.Duration {
	for _, p := range []*mesos.KillPolicy{p, m.info.GetKillPolicy()} {
		if p.GetGracePeriod() != nil {
			return time.Duration(max(0, p.GetGracePeriod().GetNanoseconds()))
		}
	}
	return DefaultGrace
}

func (m *Machine) failed(err error) Update {
	if m.killed {
		return Update{State: mesos.TaskState_TASK_KILLED, Message: "killed before it was launched"}
	}
	return Update{
		State:   mesos.TaskState_TASK_FAILED,
		Message: err.Error(),
		Reason:  mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED.Enum(),
	}
}

func (m *Machine) exited(status int) Update {
	u := Update{Message: Describe(status)}
	switch {
	case m.late:
		u.State = mesos.TaskState_TASK_FAILED
		u.Reason = mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED.Enum()
		u.Message = fmt.Sprintf("ran longer than max_completion_time %s; %s",
			time.Duration(m.info.GetMaxCompletionTime().GetNanoseconds()), u.Message)
	case m.killed:
		u.State = mesos.TaskState_TASK_KILLED
	case status == 0:
		u.State = mesos.TaskState_TASK_FINISHED
	default:
		u.State = mesos.TaskState_TASK_FAILED
	}
	return u
}
