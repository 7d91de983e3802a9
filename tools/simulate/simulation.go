package simulate

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"troupe/master/state"
	"troupe/messages/mesos"
)

// simulation is one cluster: every process, the network between them
// and the oracle that watches.
type simulation struct {
	options    Options
	manners    manners
	seed       uint64
	net        *network
	oracle     *oracle
	quorum     *quorum
	masters    []*masterNode
	agents     []*agentNode
	schedulers []*schedulerNode
	guest      *guest // nil until nothing runs any more
	ordered    int    // operations of operators so far
	failure    string
	subject    string // the task that failed, if one did
}

// plan is what becomes of a task if nothing happens to it.
type plan struct {
	lasts  time.Duration
	ends   mesos.TaskState
	killed time.Duration // when its framework kills it; 0 is never
}

func newSimulation(o Options, seed uint64, traced bool) *simulation {
	keep := 0
	if traced {
		keep = 200_000
	}
	c := &simulation{options: o, manners: mannersOf(o, seed), seed: seed, net: newNetwork(newWorld(seed, keep))}
	c.net.content = o.contents
	if o.FaultEvery > 0 {
		c.net.slowOneIn, c.net.repeatOneIn = 200, 100
	}
	c.oracle = newOracle(c)
	c.net.judge = c.oracle.reveals
	for i := range o.mastersOf(seed) {
		c.masters = append(c.masters, newMasterNode(c, i))
	}
	c.quorum = newQuorum(c)
	for i := range o.Agents {
		c.agents = append(c.agents, newAgentNode(c, i))
	}
	for i := range o.Frameworks {
		c.schedulers = append(c.schedulers, newSchedulerNode(newAuthor(c, i)))
	}
	if o.sabotage != nil {
		o.sabotage(c)
	}
	return c
}

// planOf makes a task's plan of the seed and its id alone. That of a framework
// that knows nothing of partitions ends by itself: who was told that it is
// lost does not ask for its end.
func (c *simulation) planOf(task string, aware bool) plan {
	r := seeded(c.seed, task)
	p := plan{lasts: time.Duration(r.Int64N(int64(time.Minute))), ends: mesos.TaskState_TASK_FINISHED}
	switch r.IntN(10) {
	case 0:
		p.ends = mesos.TaskState_TASK_FAILED
	case 1:
		p.killed = 1 + time.Duration(r.Int64N(int64(time.Minute)))
	case 2: // a service
		p.killed = time.Minute + time.Duration(r.Int64N(int64(4*time.Minute)))
		p.lasts = p.killed + time.Minute
		if aware {
			p.lasts = 24 * time.Hour
		}
	}
	return p
}

// removalRate is how fast agents become unreachable: for every second seed, at
// most so many.
func (c *simulation) removalRate() state.Rate {
	if c.seed%2 == 0 {
		return state.Rate{}
	}
	return state.Rate{Count: 1, Per: 5 * time.Second}
}

// diskTime is how long a device takes to make something durable.
func (c *simulation) diskTime() time.Duration {
	if c.net.slowOneIn > 0 && c.net.oneIn(c.net.slowOneIn) {
		return c.net.between(100*time.Millisecond, 5*time.Second)
	}
	return c.net.between(200*time.Microsecond, 5*time.Millisecond)
}

func (c *simulation) fail(format string, args ...any) { c.failTask("", format, args...) }

// failTask ends the run with a complaint; the first one counts.
func (c *simulation) failTask(task, format string, args ...any) {
	if c.failure == "" {
		c.failure, c.subject = fmt.Sprintf(format, args...), task
		c.net.note("FAILED: %s", c.failure)
	}
}

// calm is how long after the last fault everything must have come right: the
// longest waits are the agents' repetition of updates and the schedulers'
// reconciliation.
const calm = 45 * time.Minute

// run lets the cluster live, and returns how it went.
func (c *simulation) run() Run {
	for _, m := range c.masters {
		m.boot()
	}
	c.quorum.begin()
	for _, a := range c.agents {
		c.net.after(c.net.between(0, 2*time.Second), func() { a.boot(false) })
	}
	for _, s := range c.schedulers {
		c.net.after(c.net.between(0, 2*time.Second), s.boot)
	}
	calmFrom := c.net.begin.Add(c.options.Duration)
	c.inventFaults(calmFrom)
	for _, f := range c.options.script {
		c.net.after(f.at, func() {
			if err := c.fault(f.words); err != nil {
				c.fail("scenario: %v", err)
			}
		})
	}
	c.inspect(calmFrom)
	c.eachMinute(calmFrom)
	end := calmFrom.Add(calm)
	for c.failure == "" && !c.finished(calmFrom) && c.net.next(end) {
		continue
	}
	if c.failure == "" {
		c.check()
		c.oracle.atTheEnd()
		c.expectDone()
	}
	return c.report()
}

// eachMinute calls whoever wants to look, until then.
func (c *simulation) eachMinute(until time.Time) {
	if c.options.EachMinute == nil || c.net.now.Add(time.Minute).After(until) {
		return
	}
	c.net.after(time.Minute, func() {
		c.options.EachMinute()
		c.eachMinute(until)
	})
}

// finished tells that nothing is left to see. A guest that has come stays.
func (c *simulation) finished(calmFrom time.Time) bool {
	if c.guest != nil {
		return c.host()
	}
	if c.net.now.Before(calmFrom) || c.leader() == nil {
		return false
	}
	for _, s := range c.schedulers {
		if !s.up || !s.done() {
			return false
		}
	}
	for _, f := range c.oracle.fates {
		if f.alive || !c.oracle.endAcknowledged(f) {
			return false
		}
	}
	return c.host()
}

// expectDone judges whether every framework got what it wanted.
func (c *simulation) expectDone() {
	for _, s := range c.schedulers {
		if s.launched < c.options.Tasks {
			c.fail("scheduler %d launched %d of %d tasks, long after the last fault", s.number, s.launched, c.options.Tasks)
		}
	}
}

// inspect looks at the machines' own accounts again and again: every second,
// more rarely in a large cluster.
func (c *simulation) inspect(calmFrom time.Time) {
	every := time.Second * time.Duration(1+len(c.agents)/1000)
	c.net.after(every, func() {
		c.check()
		if c.net.now.Before(calmFrom.Add(calm)) {
			c.inspect(calmFrom)
		}
	})
}

func (c *simulation) check() {
	for _, m := range c.masters {
		if !m.leads() {
			continue
		}
		if err := m.machine.Check(); err != nil {
			c.fail("law 1: the machine of %s: %v", m.address, err)
		}
		if err := m.allocator.core.Check(); err != nil {
			c.fail("law 1: the allocator of %s: %v", m.address, err)
		}
		if m == c.leader() {
			c.oracle.checkLimits(m)
		}
	}
}

// processes lists those that outlive their crashes.
func (c *simulation) processes() []*process {
	list := []*process{c.quorum.process}
	for _, m := range c.masters {
		list = append(list, m.process)
	}
	for _, a := range c.agents {
		list = append(list, a.process)
	}
	for _, s := range c.schedulers {
		list = append(list, s.process)
	}
	return list
}

// leader is the master that was elected and knows it; nil if there is none.
func (c *simulation) leader() *masterNode {
	if m := c.quorum.leader; m != nil && m.leads() && m.epoch == c.quorum.epoch {
		return m
	}
	return nil
}

func (c *simulation) report() Run {
	r := Run{
		Seed: c.seed, Hash: c.net.trace.hash, Steps: c.net.trace.count, Messages: c.net.sent,
		Lasted: c.net.now.Sub(c.net.begin), Failure: c.failure, Ends: make(map[string]int),
	}
	for state, n := range c.oracle.counts {
		r.Ends[state.String()] = n
	}
	if c.failure != "" {
		r.Trace = c.excerpt()
		r.Replay = c.options.command(c.seed)
	}
	return r
}

// excerpt is the end of the trace: what concerns the task that failed, and
// faults; or everything when no task did.
func (c *simulation) excerpt() []string {
	var lines []string
	for _, l := range c.net.trace.newest() {
		text := l.text()
		if !c.options.WholeTrace && c.subject == "" && routine(text) {
			continue
		}
		if !c.options.WholeTrace && c.subject != "" && !mentions(text, c.subject) && !strings.HasPrefix(text, "fault") && !strings.HasPrefix(text, "FAILED") {
			continue
		}
		text = shortened(text)
		if len(text) > 300 && !c.options.WholeTrace {
			text = strings.ToValidUTF8(text[:300], "") + "…"
		}
		lines = append(lines, fmt.Sprintf("%12s %s", l.at.Round(time.Microsecond), text))
	}
	return lines[max(0, len(lines)-max(c.options.Trace, 0)):]
}

// routine tells of a line that says only that all is well.
func routine(text string) bool {
	return strings.Contains(text, " troupe.cluster.Ping ") || strings.Contains(text, " troupe.cluster.Pong ") ||
		strings.HasSuffix(text, " type:HEARTBEAT")
}

var wordy = regexp.MustCompile(`\{value:"?([^"{}]*)"?\} *`)

// shortened is a line without what its reader can do without.
func shortened(text string) string {
	text = wordy.ReplaceAllString(text, "$1 ")
	return strings.NewReplacer("troupe.cluster.", "", "mesos.v1.", "", " type:SCALAR scalar:", ":", "  ", " ").Replace(text)
}

// mentions tells whether a text has a task's id that is not part of another.
func mentions(text, id string) bool {
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, id)
		if !ok {
			return false
		}
		if after == "" || after[0] < '0' || after[0] > '9' {
			return true
		}
		rest = after
	}
}
