package task

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/executor/check"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// DefaultGrace passes between SIGTERM and SIGKILL when neither the kill nor
// the task says otherwise.
const DefaultGrace = 3 * time.Second

type phase int

const (
	fresh phase = iota
	launching
	running
	over
)

// Machine is the life of one task, as decisions: what to do on launch, exit,
// kill, bad health and the lapse of its time. It is pure; Crew performs its
// effects.
type Machine struct {
	info  *mesos.TaskInfo
	phase phase
	// tellsKilling: the framework knows TASK_KILLING.
	tellsKilling bool
	// killed: somebody wants the task to end. late: its time was up.
	killed, late bool
	// sick is why its health check ended the task; "" if it did not.
	sick string
	// asked is when the task's end was first asked for; zero while it is not.
	asked time.Time
	// force is when processes are killed by force; zero while none is asked for.
	force time.Time

	checks *check.Machine
	// What is known of the task, which every TASK_RUNNING tells: healthy is nil
	// before the first verdict, status nil without a check.
	healthy *bool
	status  *mesos.CheckStatusInfo
}

// NewMachine makes the life of a task. tellsKilling is whether its framework
// has the capability TASK_KILLING_STATE.
func NewMachine(info *mesos.TaskInfo, tellsKilling bool) *Machine {
	checks := check.New(info)
	return &Machine{info: info, tellsKilling: tellsKilling, checks: checks, status: checks.Unknown()}
}

// Over tells whether the last Update is out and nothing runs.
func (m *Machine) Over() bool { return m.phase == over }

// Ending tells whether somebody or something has asked the task to end.
func (m *Machine) Ending() bool { return m.killed || m.late }

// Step takes one input in and returns what is to be done, in order.
func (m *Machine) Step(now time.Time, in Input) []Effect {
	if m.phase == over {
		return nil
	}
	switch in := in.(type) {
	case Start:
		m.phase = launching
		return []Effect{m.plain(mesos.TaskState_TASK_STARTING), Launch{}}
	case Launched:
		return m.launched(now)
	case LaunchFailed:
		m.phase = over
		return []Effect{m.failed(in.Err)}
	case Exited:
		m.phase = over
		return append(m.check(now, check.Stop{}), m.exited(in))
	case Kill:
		return m.kill(now, m.grace(in.Policy))
	case Destroy:
		m.killed = true
		return m.end(now, 0)
	case Deadline:
		if m.phase != running || m.killed {
			return nil
		}
		m.late = true
		return m.end(now, 0)
	case Checked:
		return m.check(now, in.Input)
	}
	return nil
}

func (m *Machine) launched(now time.Time) []Effect {
	m.phase = running
	if !m.force.IsZero() {
		return []Effect{Signal{Grace: max(0, m.force.Sub(now))}}
	}
	out := []Effect{m.runs()}
	if d := m.info.GetMaxCompletionTime().GetNanoseconds(); d > 0 {
		out = append(out, SetDeadline{After: time.Duration(d)})
	}
	return append(out, m.check(now, check.Start{})...)
}

// check lets the task's checks take one input in.
func (m *Machine) check(now time.Time, in check.Input) []Effect {
	var out []Effect
	for _, e := range m.checks.Step(now, in) {
		switch e := e.(type) {
		case check.Learned:
			m.status = e.Status
			u := m.runs()
			u.Reason = mesos.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED.Enum()
			out = append(out, u)
		case check.Judged:
			out = append(out, m.judged(e))
			if e.Kill {
				m.sick = fmt.Sprintf("its health check failed %d times in a row: %s", e.Failures, e.Cause)
				return append(out, m.kill(now, m.grace(nil))...) // which stops the checks
			}
		default:
			out = append(out, Check{Effect: e})
		}
	}
	return out
}

func (m *Machine) judged(j check.Judged) Update {
	m.healthy = proto.Bool(j.Healthy)
	u := m.runs()
	u.Reason = mesos.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED.Enum()
	if !j.Healthy {
		u.Message = fmt.Sprintf("health check failed, %d in a row: %s", j.Failures, j.Cause)
	}
	return u
}

// runs is TASK_RUNNING with all that is known.
func (m *Machine) runs() Update {
	return Update{State: mesos.TaskState_TASK_RUNNING, Healthy: m.healthy, Check: m.status}
}

// plain is a state that tells nothing of checks but that there is one.
func (m *Machine) plain(s mesos.TaskState) Update { return Update{State: s, Check: m.checks.Unknown()} }

func (m *Machine) kill(now time.Time, grace time.Duration) []Effect {
	first := !m.Ending()
	m.killed = true
	out := m.end(now, grace)
	if first && m.tellsKilling {
		out = append([]Effect{m.plain(mesos.TaskState_TASK_KILLING)}, out...)
	}
	return out
}

// end asks the task to end within grace of when it was first asked to: what
// asks later never moves the forced end to a later time.
func (m *Machine) end(now time.Time, grace time.Duration) []Effect {
	out := m.check(now, check.Stop{})
	if m.asked.IsZero() {
		m.asked = now
	}
	force := m.asked.Add(grace)
	if !m.force.IsZero() && !force.Before(m.force) {
		return out
	}
	m.force = force
	if m.phase == launching {
		return append(out, Abort{})
	}
	if m.phase != running {
		return out
	}
	return append(out, Signal{Grace: max(0, force.Sub(now))})
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
	var limited *program.LimitError
	switch {
	case errors.As(err, &limited):
		return m.exceeded(limited.Limit)
	case m.killed:
		u := m.plain(mesos.TaskState_TASK_KILLED)
		u.Message = "killed before it was launched"
		return u
	}
	u := m.plain(mesos.TaskState_TASK_FAILED)
	u.Message = err.Error()
	u.Reason = mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED.Enum()
	return u
}

// exceeded is the end for a limit, whatever else was asked for: the framework is to
// know.
func (m *Machine) exceeded(l *cluster.ContainerLimit) Update {
	u := m.plain(mesos.TaskState_TASK_FAILED)
	u.Reason, u.Message, u.Used = l.GetReason().Enum(), l.GetMessage(), l.GetResources()
	return u
}

func (m *Machine) exited(in Exited) Update {
	if in.Limit != nil {
		return m.exceeded(in.Limit)
	}
	u := m.plain(mesos.TaskState_TASK_FAILED)
	u.Message = "Command " + tasks.Describe(in.Status)
	switch {
	case m.late:
		u.Reason = mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED.Enum()
		u.Message = fmt.Sprintf("ran longer than max_completion_time %s; %s",
			time.Duration(m.info.GetMaxCompletionTime().GetNanoseconds()), u.Message)
	case m.killed:
		u.State = mesos.TaskState_TASK_KILLED
	case in.Status == 0:
		u.State = mesos.TaskState_TASK_FINISHED
	}
	if m.killed && m.sick != "" {
		u.Healthy, u.Message = proto.Bool(false), m.sick+"; "+u.Message
	}
	return u
}
