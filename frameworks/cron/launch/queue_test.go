package launch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/frameworks/cron/plan"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// offer is of an agent with one attribute.
func offer(agent, has, rack string) *mesos.Offer {
	return &mesos.Offer{
		Id: &mesos.OfferID{Value: new("O-" + agent)}, FrameworkId: &mesos.FrameworkID{Value: new("F")},
		AgentId: &mesos.AgentID{Value: new(agent)}, Hostname: new("host-" + agent), Resources: resources.MustParse(has).Proto(),
		Attributes: []*mesos.Attribute{{Name: new("rack"), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: new(rack)}}},
	}
}

func job(name string, cpus float64, constraints ...[3]string) *plan.Job {
	return &plan.Job{Name: name, CPUs: cpus, Mem: 10, Constraints: constraints, Command: plan.Command{Text: "true"}}
}

// line adds a run of each job, in this order.
func line(q *Queue, jobs ...*plan.Job) {
	for i, j := range jobs {
		q.Add(noon.Add(time.Duration(i)*time.Second), plan.Run{Job: j.Name, Number: uint64(i + 1), Due: noon, Launches: 1}, j)
	}
}

func jobsOf(list []*mesos.TaskInfo) string {
	var all []string
	for _, t := range list {
		all = append(all, strings.TrimPrefix(t.GetName(), "ChronosTask:"))
	}
	return strings.Join(all, " ")
}

func urgent(j *plan.Job) *plan.Job {
	j.Policy.HighPriority = true
	return j
}

func TestTurns(t *testing.T) {
	for name, c := range map[string]struct {
		jobs     []*plan.Job
		has      string
		launched string
	}{
		"in the order of coming":     {[]*plan.Job{job("a", 1), job("b", 2), job("c", 1)}, "cpus:4;mem:100", "a b c"},
		"high priority first":        {[]*plan.Job{job("a", 1), urgent(job("b", 1)), job("c", 1), urgent(job("d", 1))}, "cpus:3;mem:100", "b d a"},
		"what is too big is left":    {[]*plan.Job{job("a", 8), job("b", 2), job("c", 1)}, "cpus:3;mem:100", "b c"},
		"another resource lacks":     {[]*plan.Job{job("a", 1), job("b", 1)}, "cpus:3;mem:19", "a"},
		"a rack":                     {[]*plan.Job{job("a", 1, [3]string{"rack", "EQUALS", "r2"}), job("b", 1, [3]string{"rack", "EQUALS", "r1"})}, "cpus:3;mem:100", "b"},
		"a host":                     {[]*plan.Job{job("a", 1, [3]string{"hostname", "LIKE", "host-.*"}), job("b", 1, [3]string{"hostname", "UNLIKE", "host-.*"})}, "cpus:3;mem:100", "a"},
		"any text equals":            {[]*plan.Job{job("a", 1, [3]string{"rack", "EQUALS", "r 1"})}, "cpus:3;mem:100", ""},
		"constraints twice":          {[]*plan.Job{job("a", 1, [3]string{"rack", "EQUALS", "r1"}, [3]string{"rack", "EQUALS", "r1"})}, "cpus:3;mem:100", "a"},
		"an empty offer":             {[]*plan.Job{job("a", 1)}, "", ""},
		"what is reserved goes, too": {[]*plan.Job{job("a", 2)}, "cpus(cron):1;cpus:1;mem:100", "a"},
	} {
		q := New()
		line(q, c.jobs...)
		got := jobsOf(q.Offer(noon, offer("S1", c.has, "r1")))
		if got != c.launched || q.Len() != len(c.jobs)-len(strings.Fields(got)) {
			t.Errorf("%s: launched %q, %d wait; want %q", name, got, q.Len(), c.launched)
		}
	}
}

func TestFirstOfItsKind(t *testing.T) {
	q := New()
	j := job("a", 1)
	run := plan.Run{Job: "a", Number: 1, Due: noon, Launches: 1}
	second := run
	second.Number = 2
	if !q.Add(noon, run, j) || q.Add(noon, second, j) {
		t.Error("the first of its kind is the first one")
	}
	if !q.Remove(run.Task()) || q.Remove(run.Task()) || q.Len() != 1 || !q.Has(second.Task()) {
		t.Error("one is taken out, once")
	}
	if jobsOf(q.Offer(noon, offer("S1", "cpus:8;mem:100", ""))) != "a" || q.Len() != 0 || len(q.shapes) != 0 {
		t.Error("the other one remains")
	}
	if !q.Add(noon, run, j) {
		t.Error("there was none of its kind")
	}
}

func TestWhy(t *testing.T) {
	q := New()
	line(q, job("a", 4), job("b", 1, [3]string{"rack", "LIKE", "east.*"}), job("c", 1, [3]string{"rack", "LIKE", "("}))
	why := func(n uint64, now time.Time) string {
		for _, w := range q.All(now, 10) {
			if strings.HasSuffix(w.Task, fmt.Sprintf(":%d-1", n)) {
				return strings.Join(w.Reasons, "; ")
			}
		}
		return "does not wait"
	}
	expect := func(n uint64, now time.Time, want string) {
		t.Helper()
		if got := why(n, now); got != want {
			t.Errorf("run %d waits because %s, want %s", n, got, want)
		}
	}
	expect(1, noon, "no offer has come since it was queued")
	at := noon.Add(time.Minute)
	for i, has := range []string{"cpus:2;mem:100", "cpus:3;mem:5", "cpus:8;mem:5"} {
		if got := q.Offer(at, offer(fmt.Sprint("S", i), has, "west")); len(got) != 0 {
			t.Fatalf("launched %s", jobsOf(got))
		}
	}
	expect(1, at, "cpus: 4 wanted, 2 of 3 hosts that were offered have less; the most is 3 on host-S1; "+
		"mem: 10 wanted, 2 of 3 hosts that were offered have less; the most is 5 on host-S1")
	expect(2, at, `constraint rack LIKE east.*: 3 of 3 hosts that were offered do not do; on host-S0 rack is "west", which does not match "east.*"`)
	if got := why(3, at); !strings.HasPrefix(got, "constraints: ") || !strings.Contains(got, "not a valid regular expression") {
		t.Errorf("the impossible waits because %s", got)
	}
	expect(1, at.Add(time.Hour), "no offer has come for 10m0s")
	if w, waits := q.Why(at, "ct:nothing"); waits {
		t.Errorf("%+v", w)
	}
	if all := q.All(at, 2); len(all) != 2 || all[0].Job != "a" || !all[0].Since.Equal(noon) {
		t.Errorf("%+v", all)
	}
}

// TestQueueIsAsGoodAsASimpleOne: whatever comes in which order, a list that is
// gone through from the front launches the same.
func TestQueueIsAsGoodAsASimpleOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := New()
		var simple []*plan.Job // in the order of coming
		n := uint64(0)
		ids := map[string]string{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				if len(simple) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(simple)-1).Draw(t, "removed")
				if !q.Remove(ids[simple[i].Name]) {
					t.Fatalf("%s does not wait", simple[i].Name)
				}
				simple = slices.Delete(simple, i, i+1)
			case 1:
				cpus := rapid.IntRange(1, 12).Draw(t, "has")
				rack := rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "rack")
				got := jobsOf(q.Offer(noon, offer("S1", fmt.Sprintf("cpus:%d;mem:1000", cpus), rack)))
				var want string
				want, simple = deal(simple, float64(cpus), rack)
				if got != want {
					t.Fatalf("launched %q, want %q", got, want)
				}
			default:
				n++
				j := job(fmt.Sprint("j", n), float64(rapid.IntRange(1, 4).Draw(t, "cpus")))
				j.Policy.HighPriority = rapid.Bool().Draw(t, "high")
				if rapid.Bool().Draw(t, "picky") {
					j.Constraints = [][3]string{{"rack", "EQUALS", rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "rack")}}
				}
				run := plan.Run{Job: j.Name, Number: n, Due: noon, Launches: 1}
				q.Add(noon, run, j)
				simple, ids[j.Name] = append(simple, j), run.Task()
			}
			if q.Len() != len(simple) || len(q.All(noon, 100)) != len(simple) {
				t.Fatalf("%d wait, want %d", q.Len(), len(simple))
			}
		}
	})
}

// deal goes through a list from the front, twice, and keeps to the rule that who
// does not fit keeps out those who are alike.
func deal(list []*plan.Job, cpus float64, rack string) (launched string, left []*plan.Job) {
	var all []string
	out := map[*plan.Job]bool{}
	refused := map[shapeKey]bool{}
	for _, high := range []bool{true, false} {
		for _, j := range list {
			if j.Policy.HighPriority != high || refused[keyOf(j)] {
				continue
			}
			if j.CPUs > cpus || len(j.Constraints) > 0 && j.Constraints[0][2] != rack {
				refused[keyOf(j)] = true
				continue
			}
			cpus -= j.CPUs
			all = append(all, j.Name)
			out[j] = true
		}
	}
	return strings.Join(all, " "), slices.DeleteFunc(slices.Clone(list), func(j *plan.Job) bool { return out[j] })
}

// Items that were taken out do not pile up behind one that waits.
func TestMemoryIsGivenBack(t *testing.T) {
	q := New()
	j := job("a", 1)
	for n := range uint64(100_000) {
		run := plan.Run{Job: "a", Number: n, Due: noon, Launches: 1}
		q.Add(noon, run, j)
		if n > 0 {
			run.Number = n - 1
			q.Remove(run.Task())
		}
	}
	if s := q.shapes[keyOf(j)]; len(s.items) > 10_000 || q.Len() != 1 {
		t.Errorf("%d items for %d that wait", len(s.items), q.Len())
	}
}

// BenchmarkOffer is a task from Add to its TaskInfo, beside many that wait for a
// bigger host.
func BenchmarkOffer(b *testing.B) {
	for _, kinds := range []int{0, 10, 1000} {
		b.Run(fmt.Sprintf("kinds=%d", kinds), func(b *testing.B) {
			q := New()
			for i := range kinds {
				j := job(fmt.Sprint("big", i), 100+float64(i))
				q.Add(noon, plan.Run{Job: j.Name, Number: uint64(i), Due: noon}, j)
			}
			j := job("a", 0.1)
			o := offer("S1", "cpus:64;mem:65536;disk:1000", "r1")
			b.ReportAllocs()
			for n := uint64(0); b.Loop(); n++ {
				q.Add(noon, plan.Run{Job: "a", Number: 1e6 + n, Due: noon, Launches: 1}, j)
				if len(q.Offer(noon, o)) != 1 {
					b.Fatal("it was not launched")
				}
			}
		})
	}
}
