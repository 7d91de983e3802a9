package simulate

import (
	"context"
	"errors"
	"slices"
	"time"

	"troupe/master/registry"
	"troupe/master/store"
	"troupe/messages/cluster"
)

// How long a leader may be out of sight of the quorum before it has lost the
// election, how long one may go on that was not told so yet, and how long a
// master waits for a write.
const (
	sessionTimeout = 10 * time.Second
	afterlife      = 20 * time.Second
	storeTimeout   = 20 * time.Second
)

var (
	errFenced  = errors.New("the store: another master leads")
	errRefused = errors.New("the store: it could not be written")
	errUnknown = errors.New("the store: the connection was lost, and with it the answer")
	errTimeout = errors.New("the store: no answer")
)

// quorum elects one of the masters, tells everybody who leads, and keeps the
// registry. It never loses what it acknowledged, and lets only the newest
// leader write. With a single master it is that one's own disk.
type quorum struct {
	*process // of no life: where it is, for partitions
	cluster  *simulation
	store    *store.Memory
	// Of the newest leader, and who it is; nil while nobody leads.
	epoch      uint64
	leader     *masterNode
	leaderLife int
	seen       time.Time // when the leader was last seen
	vacant     time.Time // since when nobody leads
	trouble    trouble
	until      time.Time // when the trouble ends
	followers  []*follower
	// For tests of oracles: writes of anybody are let in, and records of agents
	// with this status are not written.
	unfenced bool
	loses    string
}

// trouble is what ails the store for a time.
type trouble string

const (
	slow   trouble = "slow"   // every write takes seconds
	fails  trouble = "fails"  // no write is done
	silent trouble = "silent" // writes are done, and nobody is told
)

// follower is one incarnation of a process that wants to know who leads.
type follower struct {
	process *process
	life    int
	told    string
	tell    func(leader string)
}

func newQuorum(c *simulation) *quorum {
	return &quorum{process: c.net.process("quorum:2181"), cluster: c, store: store.NewMemory("simulated"), vacant: c.net.begin}
}

// single tells that there is no election: one master keeps its own registry.
func (q *quorum) single() bool { return len(q.cluster.masters) == 1 }

// reaches tells whether a process can speak to the quorum.
func (q *quorum) reaches(p *process) bool { return q.single() || !q.net.apart(p, q.process) }

// begin watches over the leader.
func (q *quorum) begin() {
	if q.single() {
		return
	}
	q.net.after(time.Second, func() {
		q.watchLeader()
		q.begin()
	})
}

func (q *quorum) watchLeader() {
	switch m := q.leader; {
	case m == nil:
		q.elect()
	case m.up && m.life == q.leaderLife && !m.paused && q.reaches(m.process):
		q.seen = q.net.now
	case q.net.now.Sub(q.seen) >= sessionTimeout:
		q.depose()
	}
}

// elect makes one of the masters that are there the leader.
func (q *quorum) elect() {
	var there []*masterNode
	for _, m := range q.cluster.masters {
		if m.up && m.epoch == 0 && !m.paused && q.reaches(m.process) {
			there = append(there, m)
		}
	}
	if len(there) > 0 {
		q.choose(there[q.net.chance.IntN(len(there))])
	}
}

func (q *quorum) choose(m *masterNode) {
	q.epoch++
	q.leader, q.leaderLife, q.seen = m, m.life, q.net.now
	m.epoch = q.epoch
	q.net.note("%s is elected, epoch %d", m.address, q.epoch)
	m.later(q.net.latency(), m.load)
	q.tellAll()
}

// depose ends the leadership. The leader hears of it some time, and goes on
// until then.
func (q *quorum) depose() {
	m := q.leader
	if m == nil {
		return
	}
	q.net.note("%s has lost the election", m.address)
	q.leader, q.vacant = nil, q.net.now
	if m.up && m.life == q.leaderLife {
		m.later(q.net.between(0, afterlife), func() { m.resign("it lost the election") })
	}
	q.tellAll()
}

// published is the leader's address; empty if there is none.
func (q *quorum) published() string {
	if q.leader == nil {
		return ""
	}
	return q.leader.address
}

// follow tells this incarnation of a process now and later who leads.
func (q *quorum) follow(p *process, tell func(leader string)) {
	if q.single() {
		tell(q.cluster.masters[0].address)
		return
	}
	f := &follower{process: p, life: p.life, tell: tell}
	q.followers = append(q.followers, f)
	q.inform(f, q.net.latency())
}

func (q *quorum) tellAll() {
	kept := q.followers[:0]
	for _, f := range q.followers {
		if f.process.up && f.process.life == f.life {
			kept = append(kept, f)
		}
	}
	clear(q.followers[len(kept):])
	q.followers = kept
	for _, f := range kept {
		q.inform(f, q.net.between(time.Millisecond, 3*time.Second))
	}
}

func (q *quorum) inform(f *follower, wait time.Duration) {
	f.process.later(wait, func() {
		if f.process.life != f.life || f.told == q.published() {
			return
		}
		if !q.reaches(f.process) {
			q.inform(f, time.Second)
			return
		}
		f.told = q.published()
		f.tell(f.told)
	})
}

// write makes changes durable for the leader of an epoch: all or none. A
// master that dies meanwhile is not answered.
func (q *quorum) write(m *masterNode, changes []registry.Change, answer func(error)) {
	life, epoch, answered := m.life, m.epoch, false
	reply := func(wait time.Duration, err error) {
		q.net.after(wait, func() {
			m.wake(life, func() {
				if !answered {
					answered = true
					answer(err)
				}
			})
		})
	}
	reply(storeTimeout, errTimeout)
	q.net.after(q.diskTime(), func() {
		switch ail := q.ail(); {
		case m.up && !q.reaches(m.process):
			// It never arrives.
		case q.single() && (m.life != life || !m.up && q.net.oneIn(2)):
			// The process died first.
		case epoch != q.epoch && !q.unfenced:
			reply(q.net.latency(), errFenced)
		case ail == fails:
			reply(q.net.latency(), errRefused)
		default:
			q.apply(epoch, changes)
			if ail == silent {
				reply(q.net.latency(), errUnknown)
			} else if q.reaches(m.process) {
				reply(q.answerTime(), nil)
			}
		}
	})
}

func (q *quorum) apply(epoch uint64, changes []registry.Change) {
	if q.loses != "" {
		changes = slices.DeleteFunc(slices.Clone(changes), func(c registry.Change) bool {
			return c.Record.GetAgent() != nil && c.Record.GetAgent().GetStatus().String() == q.loses
		})
	}
	if err := q.store.Write(context.Background(), changes); err != nil {
		q.cluster.fail("the store: %v", err)
		return
	}
	q.net.note("epoch %d writes %d records", epoch, len(changes))
	q.cluster.oracle.registryWritten(epoch, changes)
}

// diskTime is how long it takes to make something durable.
func (q *quorum) diskTime() time.Duration {
	if q.ail() == slow {
		return q.net.between(time.Second, storeTimeout/2)
	}
	return q.cluster.diskTime()
}

func (q *quorum) answerTime() time.Duration {
	if q.single() {
		return 0
	}
	return q.net.latency()
}

// ail is what is wrong with the store right now.
func (q *quorum) ail() trouble {
	switch {
	case q.net.now.Before(q.until):
		return q.trouble
	case q.net.slowOneIn == 0 || !q.net.oneIn(300):
		return ""
	}
	return []trouble{slow, fails, silent}[q.net.chance.IntN(3)]
}

func (q *quorum) ails(t trouble, d time.Duration) {
	q.trouble, q.until = t, q.net.now.Add(d)
}

// load is what the store holds.
func (q *quorum) load() ([]*cluster.RegistryRecord, error) { return q.store.Load(context.Background()) }
