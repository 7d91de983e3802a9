package check

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// Machine is the checks of one task.
type Machine struct {
	series  [2]*series // by Which; nil: the task has none
	stopped bool

	grace   time.Duration
	most    uint32 // failures in a row that end the task
	started time.Time
	proven  bool // has been healthy
	row     int  // failures in a row that count

	status *mesos.CheckStatusInfo // what was told last
}

// New makes the machine of a valid task; one without checks does nothing.
func New(t *mesos.TaskInfo) *Machine {
	m := &Machine{
		series: [2]*series{Health: seriesOfHealth(t.GetHealthCheck()), General: seriesOfCheck(t.GetCheck())},
		grace:  duration(t.GetHealthCheck().GetGracePeriodSeconds()),
		most:   t.GetHealthCheck().GetConsecutiveFailures(),
	}
	m.status = m.Unknown()
	return m
}

// Unknown is the check's status while there is no result: what every update of
// a task with a check has at least. Nil for a task without one.
func (m *Machine) Unknown() *mesos.CheckStatusInfo {
	if s := m.series[General]; s != nil {
		return s.probe.status(nil)
	}
	return nil
}

// Step takes one input in and returns what is to be done, in order. After Stop
// it returns nothing.
func (m *Machine) Step(now time.Time, in Input) []Effect {
	if m.stopped {
		return nil
	}
	switch in := in.(type) {
	case Start:
		return m.start(now)
	case Due:
		if s := m.of(in.Which); s != nil && s.open == waiting {
			s.open = running
			return []Effect{Run{Which: in.Which, Probe: s.probe}}
		}
	case Done:
		if s := m.of(in.Which); s != nil && s.open == running {
			return m.done(now, s, in)
		}
	case Stop:
		return m.stop()
	}
	return nil
}

func (m *Machine) of(w Which) *series {
	if w != Health && w != General {
		return nil
	}
	return m.series[w]
}

func (m *Machine) start(now time.Time) []Effect {
	if !m.started.IsZero() {
		return nil
	}
	m.started = now
	var out []Effect
	for w, s := range m.series {
		if s != nil {
			s.open = waiting
			out = append(out, Wait{Which: Which(w), After: s.delay})
		}
	}
	return out
}

func (m *Machine) stop() []Effect {
	m.stopped = true
	var out []Effect
	for w, s := range m.series {
		if s != nil && s.open != idle {
			s.open = idle
			out = append(out, Cancel{Which: Which(w)})
		}
	}
	return out
}

// done tells what is news, and asks for the next probe.
func (m *Machine) done(now time.Time, s *series, in Done) []Effect {
	var out []Effect
	if in.Which == General {
		if st := s.probe.status(&in.Result); !proto.Equal(st, m.status) {
			m.status = st
			out = append(out, Learned{Status: st})
		}
	} else if j, news := m.judge(now, s.probe.failure(in.Result)); news {
		out = append(out, j)
	}
	s.open = waiting
	return append(out, Wait{Which: in.Which, After: s.interval})
}

// judge takes the outcome of one health probe in; cause is "" for a success.
func (m *Machine) judge(now time.Time, cause string) (j Judged, news bool) {
	if cause == "" {
		news = !m.proven || m.row > 0
		m.proven, m.row = true, 0
		return Judged{Healthy: true}, news
	}
	if !m.proven && m.grace > 0 && now.Sub(m.started) <= m.grace {
		return Judged{}, false
	}
	m.row++
	return Judged{Failures: m.row, Kill: m.row >= int(m.most), Cause: cause}, true
}
