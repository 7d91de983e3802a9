package launch

import (
	"fmt"
	"math"
	"slices"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/match"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// shapeKey is all of a job that matters to an offer: if one task of a shape does
// not fit, none does.
type shapeKey struct {
	high            bool
	cpus, mem, disk float64
	constraints     string
}

// shape is a queue of tasks that are alike to an offer.
type shape struct {
	key     shapeKey
	want    resources.Resources
	amounts room
	rules   *match.Spread
	ruled   bool   // there are constraints
	broken  string // why no host can ever do; empty as a rule
	items   []*item
	head    int
	waiting int
	refusals
}

func keyOf(job *plan.Job) shapeKey {
	k := shapeKey{high: job.Policy.HighPriority, cpus: job.CPUs, mem: job.Mem, disk: job.Disk}
	if len(job.Constraints) > 0 {
		k.constraints = fmt.Sprintf("%q", job.Constraints)
	}
	return k
}

func newShape(key shapeKey, job *plan.Job) *shape {
	s := &shape{key: key, refusals: refusals{by: map[string]refusal{}}}
	rules, err := match.Parse(constraints(job.Constraints))
	if err != nil {
		s.broken = "constraints: " + err.Error()
	}
	s.rules, s.ruled = rules.Spread(nil, nil), len(rules) > 0
	s.amounts = room{job.CPUs, job.Mem, job.Disk}
	var wants []*mesos.Resource
	for i, amount := range s.amounts {
		if amount > 0 {
			wants = append(wants, &mesos.Resource{
				Name: new(measured[i]), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &amount},
			})
		}
	}
	if s.want, err = resources.New(wants...); err != nil {
		s.broken = "resources: " + err.Error()
	}
	return s
}

// equals is Chronos's word.
const equals = "EQUALS"

// constraints are a job's in the words of package match, each once. EQUALS is IS,
// or for texts that IS does not take CLUSTER, which compares any.
func constraints(list [][3]string) [][]string {
	var all [][]string
	for i, c := range list {
		if slices.Contains(list[:i], c) {
			continue
		}
		operator := c[1]
		if operator == equals {
			operator = string(match.Is)
			if _, err := match.ParseOne([]string{c[0], operator, c[2]}); err != nil && c[2] != "" {
				operator = string(match.Cluster)
			}
		}
		all = append(all, []string{c[0], operator, c[2]})
	}
	return all
}

// written is a constraint as jobs have it.
func written(c match.Constraint) string {
	operator := string(c.Operator())
	if c.Operator() == match.Is || c.Operator() == match.Cluster {
		operator = equals
	}
	return c.Field() + " " + operator + " " + c.Value()
}

// first is the task that has waited longest; nil when none waits.
func (s *shape) first() *item {
	for s.head < len(s.items) && s.items[s.head].gone {
		s.items[s.head] = nil
		s.head++
	}
	if s.head == len(s.items) {
		s.items, s.head = nil, 0
		return nil
	}
	return s.items[s.head]
}

// tidy forgets what does not wait any more, when that is most of it.
func (s *shape) tidy() {
	if len(s.items) > 2*s.waiting+1000 {
		s.items, s.head = slices.DeleteFunc(s.items[s.head:], func(i *item) bool { return i.gone }), 0
	}
}

// turn is the order of the first task.
func (s *shape) turn() uint64 {
	if i := s.first(); i != nil {
		return i.order
	}
	return math.MaxUint64
}

// room is how much there is of what is measured.
type room [3]float64

var measured = [...]string{resources.CPUs, resources.Mem, resources.Disk}

func roomIn(left resources.Resources) (r room) {
	for i, name := range measured {
		r[i] = left.Scalar(name).Float()
	}
	return r
}

// rest is what is left of an offer.
type rest struct {
	resources resources.Resources
	room      room
}

// fit takes a task's resources out of what is left of an offer, or says why not.
func (s *shape) fit(h match.Host, left *rest) (taken resources.Resources, no refusal, ok bool) {
	if s.broken != "" {
		return taken, refusal{rule: s.broken}, false
	}
	if s.ruled {
		if r := s.rules.Check(h); r != nil {
			return taken, refusal{rule: written(r.Constraint), why: r.Reason}, false
		}
	}
	for i, amount := range s.amounts {
		if left.room[i] < amount {
			return taken, refusal{has: left.room, short: true}, false
		}
	}
	taken, after, ok := left.resources.Take(s.want)
	if !ok {
		return taken, refusal{has: left.room}, false
	}
	left.resources, left.room = after, roomIn(after)
	return taken, no, true
}
