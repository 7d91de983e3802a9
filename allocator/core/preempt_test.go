package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const patient = 10 * time.Second

// wantPreempted lets time pass and compares what was asked of the master since then.
func wantPreempted(r *rig, wait time.Duration, list ...string) {
	r.t.Helper()
	r.preempted = nil
	r.advance(wait)
	var got []string
	for _, m := range r.preempted {
		text := fmt.Sprintf("%s of %s/%s: %s", m.AgentId.GetValue(), m.FrameworkId.GetValue(), m.GetRole(), totalOf(r, m.Resources))
		for _, name := range slices.Sorted(maps.Keys(m.AtMost)) {
			text += fmt.Sprintf(", at most %s:%v", name, m.AtMost[name].GetValue())
		}
		got = append(got, text)
	}
	slices.Sort(got)
	if !slices.Equal(got, list) {
		r.t.Fatalf("asked for\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(list, "\n "))
	}
}

// crowded is a cluster of two agents that g, in role s, has all of, and f, in
// role r, is guaranteed cpus of.
func crowded(t *testing.T, o Options, guarantee string) *rig {
	r := newRig(t, o)
	r.send(addFramework("g", "s"), addAgent("a", "cpus:4"), addAgent("b", "cpus:2"))
	r.advance(2 * settling)
	r.take()
	r.send(suppress("g"), quotaOf("r", guarantee, ""), addFramework("f", "r"))
	return r
}

func TestPreemptionTakesWhatIsGuaranteed(t *testing.T) {
	r := crowded(t, Options{PreemptAfter: patient}, "cpus:3")
	wantPreempted(r, patient-time.Second)
	wantPreempted(r, 2*time.Second, "a of g/s: cpus:3")
	// The master frees them; what is on its way is not asked for again.
	r.send(recoverFrom("g", "s", "a", "cpus:1"))
	wantPreempted(r, 3*patient)
	r.send(recoverFrom("g", "s", "a", "cpus:2"))
	r.want("a to f/r: cpus:1", "a to f/r: cpus:2")
	wantPreempted(r, 10*preemptPatience)
}

func TestPreemptionIsOffUnlessAsked(t *testing.T) {
	wantPreempted(crowded(t, Options{}, "cpus:3"), time.Hour)
}

// What does not come free is asked for again.
func TestPreemptionInsists(t *testing.T) {
	r := crowded(t, Options{PreemptAfter: patient}, "cpus:5")
	wantPreempted(r, patient+time.Second, "a of g/s: cpus:4", "b of g/s: cpus:1")
	wantPreempted(r, preemptPatience-2*patient)
	wantPreempted(r, 2*patient, "a of g/s: cpus:4", "b of g/s: cpus:1")
}

// A role that wants nothing takes nothing from others.
func TestPreemptionIsForThoseWhoWant(t *testing.T) {
	r := crowded(t, Options{PreemptAfter: patient}, "cpus:3")
	r.send(suppress("f"))
	wantPreempted(r, 3*patient)
	r.send(&cluster.ReviveOffers{FrameworkId: frameworkIDOf("f")})
	wantPreempted(r, 2*patient, "a of g/s: cpus:3")
}

// What is free comes first, also when it is refused.
func TestPreemptionSparesWhatIsFree(t *testing.T) {
	r := crowded(t, Options{PreemptAfter: patient}, "cpus:3")
	r.send(addAgent("c", "cpus:2"))
	r.want("c to f/r: cpus:2")
	r.send(decline("f", "r", "c", "cpus:2", 3600))
	wantPreempted(r, 3*patient, "a of g/s: cpus:1")
}

// A role with a guarantee of its own gives no more than it has beyond that.
func TestPreemptionKeepsGuarantees(t *testing.T) {
	r := crowded(t, Options{PreemptAfter: patient}, "cpus:3")
	r.send(quotaOf("s", "cpus:5;mem:8", ""))
	wantPreempted(r, patient+time.Second, "a of g/s: cpus:1, at most cpus:1, at most mem:0")
	r = crowded(t, Options{PreemptAfter: patient}, "cpus:3")
	r.send(quotaOf("s", "cpus:6", ""))
	wantPreempted(r, 3*patient)
}

// What a role owes already counts for what it may not be asked for, also when it
// is late.
func TestPreemptionCountsWhatIsOwed(t *testing.T) {
	r := crowded(t, Options{PreemptAfter: patient}, "cpus:2")
	r.send(quotaOf("s", "cpus:3", ""))
	wantPreempted(r, patient+time.Second, "a of g/s: cpus:2, at most cpus:3")
	r.send(quotaOf("r", "cpus:6", ""))
	wantPreempted(r, 2*patient, "b of g/s: cpus:1, at most cpus:1")
}

// The role with the greatest share gives first.
func TestPreemptionTakesFromTheRich(t *testing.T) {
	r := newRig(t, Options{PreemptAfter: patient})
	r.send(addFramework("rich", "x"), addAgent("a", "cpus:8"))
	r.advance(2 * settling)
	r.send(suppress("rich"), addFramework("poor", "y"), addAgent("b", "cpus:2"))
	r.advance(2 * settling)
	r.send(suppress("poor"), quotaOf("r", "cpus:9", ""), addFramework("f", "r"))
	wantPreempted(r, patient+time.Second, "a of rich/x: cpus:8", "b of poor/y: cpus:1")
}

// Whatever happens, no role is asked for what is guaranteed to it.
func TestPreemptionNeverTakesWhatIsGuaranteed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		r.a.options.PreemptAfter = patient
		c := &commands{r: r, quotas: true}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r.send(c.draw(t))
			r.preempted = nil
			r.advance(time.Duration(rapid.IntRange(0, 30).Draw(t, "s")) * time.Second)
			checkPreempted(t, r)
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func checkPreempted(t *rapid.T, r *rig) {
	for _, m := range r.preempted {
		for _, each := range m.Resources {
			n := r.a.bundles.index.Number(each.GetName())
			amount, err := resources.MilliOf(each.GetScalar().GetValue())
			if err != nil || amount == 0 {
				t.Fatalf("asked for %v: %v", each, err)
			}
			top := r.a.tops[topName(m.GetRole())]
			if top == nil {
				continue // it has gone since
			}
			most, named := m.AtMost[each.GetName()]
			if guarantee := top.guarantees.Of(n); guarantee > 0 && (!named || most.GetValue() < amount.Float()) {
				t.Fatalf("role %s, which is guaranteed %s, is asked for %s of at most %v", top.role, guarantee, amount, most)
			}
		}
	}
}

func totalOf(r *rig, list []*mesos.Resource) resources.Resources {
	r.t.Helper()
	total, err := resources.New(list...)
	if err != nil {
		r.t.Fatalf("preemption of invalid resources: %v", err)
	}
	return total
}
