package gang

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/work"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// The timers, each followed by the gang's id and epoch.
const (
	timerHold  = "gang-hold/"
	timerWait  = "gang-wait/"
	timerStart = "gang-start/"
)

// Machine is all gangs of a framework. It is not safe for concurrent use.
type Machine struct {
	// order has the gangs that are not done: those that wait behind the others
	// for offers are behind them here, too.
	order []*band
	// live finds a member by the task id of its attempt.
	live   map[string]seat
	fleet  map[string]match.Host
	closed bool
	// asked is the gang for which offers were asked for last; nil when they are
	// not wanted.
	asked  *band
	chance uint64
	// turn spreads the ports that are picked.
	turn uint64

	out []Effect
}

// New makes a Machine without gangs. The seed is the chance for every wait;
// two frameworks should not have the same.
func New(seed uint64) *Machine {
	return &Machine{live: map[string]seat{}, fleet: map[string]match.Host{}, chance: seed, turn: seed}
}

// Step takes one input in and returns what is to be done, in order.
func (m *Machine) Step(_ time.Time, in Input) []Effect {
	m.out = nil
	switch in := in.(type) {
	case Add:
		m.add(in.Gang)
	case Close:
		m.closed = true
	case Offers:
		m.offers(in.Offers)
	case Rescinded:
		m.void(func(h *held) bool { return h.offer.GetId().GetValue() == in.Offer })
	case Disconnected:
		m.void(all)
	case Updated:
		m.updated(in.Status)
	case Kill:
		m.kill(func(b *band) bool { return b.named(in.ID) })
	case KillAll:
		m.kill(func(*band) bool { return true })
	case AgentGone:
		delete(m.fleet, in.Agent)
	case TimerFired:
		m.fired(in.Key)
	}
	m.ask()
	return m.out
}

// ask says whether offers are wanted. With every turn they are asked for anew:
// what did not suit one gang was declined, and may suit the next.
func (m *Machine) ask() {
	switch b := m.first(); {
	case b == m.asked:
		return
	case b == nil:
		m.do(Suppress{})
	default:
		m.do(Revive{})
	}
	m.asked = m.first()
}

// Open counts the gangs that are not done.
func (m *Machine) Open() int { return len(m.order) }

// Collecting tells whether some gang needs offers now.
func (m *Machine) Collecting() bool { return m.first() != nil }

// Owns tells whether a task id is that of a live attempt of a member, so that
// updates of it belong here.
func (m *Machine) Owns(task string) bool { return m.live[task].member != nil }

func (m *Machine) do(e Effect) { m.out = append(m.out, e) }

func (m *Machine) add(g *Gang) {
	members, err := g.check()
	switch {
	case err != nil:
	case m.closed:
		err = errors.New("no more gangs are taken")
	case slices.ContainsFunc(m.order, func(b *band) bool { return b.gang.ID == g.ID }):
		err = field.Invalid("id", g.ID, "is the id of another gang that is not done")
	default:
		for i, u := range members {
			if slices.ContainsFunc(m.order, func(b *band) bool { return b.named(u.task.ID) }) {
				err = field.At("members", i, field.Invalid("id", u.task.ID, "is the id of another gang or its member"))
			}
		}
	}
	if err != nil {
		for _, r := range refused(g, err) {
			m.do(r)
		}
		return
	}
	b := &band{gang: g, members: members}
	m.order = append(m.order, b)
	m.enqueue(b)
}

// named tells whether an id is that of the gang or a member.
func (b *band) named(id string) bool {
	return b.gang.ID == id || slices.ContainsFunc(b.members, func(u *member) bool { return u.task.ID == id })
}

// enqueue puts a gang behind all others.
func (m *Machine) enqueue(b *band) {
	b.phase = queued
	m.order = append(slices.DeleteFunc(m.order, func(o *band) bool { return o == b }), b)
}

// void forgets offers that are no more.
func (m *Machine) void(gone func(*held) bool) {
	for _, b := range m.order {
		b.drop(gone)
	}
}

// timer sets the only timer of a gang that counts from here on.
func (m *Machine) timer(b *band, kind string, after time.Duration) {
	b.epoch++
	m.do(SetTimer{Key: b.key(kind), After: after})
}

func (b *band) key(kind string) string { return kind + b.gang.ID + "/" + strconv.Itoa(b.epoch) }

func (m *Machine) fired(key string) {
	for _, b := range slices.Clone(m.order) {
		switch {
		case key == b.key(timerHold) && b.phase == queued:
			m.giveBack(b)
		case key == b.key(timerWait) && b.phase == waiting:
			m.enqueue(b)
		case key == b.key(timerStart) && b.phase == started:
			m.takeBack(b)
		}
	}
}

// wait is a random time that grows with what was in vain: two gangs that have
// given back at the same moment do not begin again at the same moment.
func (m *Machine) wait(b *band) time.Duration {
	most := b.gang.Wait
	for n := b.vain; n > 0 && most < b.gang.WaitMax; n-- {
		most += min(most, b.gang.WaitMax-most)
	}
	b.vain++
	most = min(most, b.gang.WaitMax)
	return most/8 + time.Duration(m.next()%uint64(most-most/8))
}

// next is splitmix64: waits need spread, not secrecy.
func (m *Machine) next() uint64 {
	m.chance += 0x9e3779b97f4a7c15
	z := m.chance
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (m *Machine) rest(b *band, wait time.Duration) {
	b.phase = waiting
	m.timer(b, timerWait, wait)
}

// updated follows a member's attempt.
func (m *Machine) updated(st *mesos.TaskStatus) {
	s := m.live[st.GetTaskId().GetValue()]
	b, u := s.band, s.member
	if u == nil {
		return
	}
	u.last = st
	state := st.GetState()
	u.ran = u.ran || state == mesos.TaskState_TASK_RUNNING || state == mesos.TaskState_TASK_FINISHED
	m.do(b.report(u, false))
	if !tasks.Live(state) {
		m.over(b, u, st)
	}
	switch {
	case b.phase == started && b.all(func(u *member) bool { return u.ran }):
		b.phase, b.vain = together, 0
	case b.phase == ending && b.all(func(u *member) bool { return u.over }):
		m.again(b)
		return
	}
	if b.phase == together && b.all(func(u *member) bool { return u.over }) {
		m.finish(b)
	}
}

func (b *band) all(holds func(*member) bool) bool {
	return !slices.ContainsFunc(b.members, func(u *member) bool { return !holds(u) })
}

// over takes in how a member's attempt ended. If it has not finished, nor was
// to end, that is the end of the whole attempt.
func (m *Machine) over(b *band, u *member, st *mesos.TaskStatus) {
	u.over = true
	delete(m.live, u.id)
	if st.GetState() == mesos.TaskState_TASK_UNREACHABLE {
		m.do(KillAttempt{ID: u.id})
	}
	if st.GetState() == mesos.TaskState_TASK_FINISHED || b.phase == ending {
		return
	}
	if !work.NeverRan(st) {
		b.failures++
	}
	b.fatal = st.GetState() == mesos.TaskState_TASK_ERROR
	m.takeBack(b)
}

// takeBack ends what is left of an attempt.
func (m *Machine) takeBack(b *band) {
	b.phase = ending
	for _, u := range b.members {
		if !u.over {
			m.do(KillAttempt{ID: u.id})
		}
	}
}

// again follows an attempt that was taken back: with another, unless there
// were enough.
func (m *Machine) again(b *band) {
	if b.killed || b.fatal || b.gang.Retries != work.Forever && b.failures > b.gang.Retries {
		m.finish(b)
		return
	}
	m.rest(b, m.wait(b))
}

// finish reports all members for the last time.
func (m *Machine) finish(b *band) {
	m.order = slices.DeleteFunc(m.order, func(o *band) bool { return o == b })
	for _, u := range b.members {
		m.do(b.report(u, true))
	}
}

func (m *Machine) kill(chosen func(*band) bool) {
	for _, b := range slices.Clone(m.order) {
		if b.killed || !chosen(b) {
			continue
		}
		b.killed = true
		switch b.phase {
		case queued, waiting:
			m.abandon(b)
		case started, together:
			m.takeBack(b)
		case ending: // it is on its way
		}
	}
}

// abandon ends a gang of which nothing runs.
func (m *Machine) abandon(b *band) {
	if held := b.offersHeld(); len(held) > 0 {
		d := Decline{Refuse: time.Second}
		for _, h := range held {
			d.Offers = append(d.Offers, h.offer.GetId())
		}
		m.do(d)
	}
	for _, u := range b.members {
		u.last = nil
	}
	m.finish(b)
}
