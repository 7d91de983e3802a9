package core

import (
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

const year = 365 * 24 * time.Hour

// declined is a rig whose framework f declined agent s1 whole, a moment ago.
func declined(t testing.TB, filters *mesos.Filters) *rig {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	m := recoverFrom("f", "*", "s1", whole)
	m.Filters = filters
	r.send(m)
	return r
}

func TestRefusalLasts(t *testing.T) {
	tests := []struct {
		name    string
		seconds *float64
		lasts   time.Duration
	}{
		{"by default", nil, 5 * time.Second},
		{"as told", proto.Float64(60), time.Minute},
		{"fractions", proto.Float64(2.5), 2500 * time.Millisecond},
		{"no less than an interval", proto.Float64(0.25), time.Second},
		{"negative is the default", proto.Float64(-1), 5 * time.Second},
		{"NaN is the default", proto.Float64(math.NaN()), 5 * time.Second},
		{"minus infinity is the default", proto.Float64(math.Inf(-1)), 5 * time.Second},
		{"a year at most", proto.Float64(1e12), year},
		{"infinity is a year", proto.Float64(math.Inf(1)), year},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := declined(t, &mesos.Filters{RefuseSeconds: test.seconds})
			r.advance(test.lasts - time.Millisecond)
			if got := r.take(); len(got) != 0 {
				t.Fatalf("offered %v while the filter holds", got)
			}
			r.want("s1 to f/*: cpus:4; mem:1024")
		})
	}
}

func TestRefusalOfZeroSecondsIsNoFilter(t *testing.T) {
	r := declined(t, &mesos.Filters{RefuseSeconds: proto.Float64(0)})
	r.want("s1 to f/*: cpus:4; mem:1024")
	// Refusing the same again and again is answered ever more slowly.
	start, last := r.now, time.Duration(0)
	for range 20 {
		r.send(decline("f", "*", "s1", whole, 0))
		before := r.now
		for len(r.given) == 0 && r.now.Sub(before) < 2*time.Second {
			r.advance(time.Millisecond)
		}
		pause := r.now.Sub(before)
		if pause < last {
			t.Fatalf("offered again after %v, before that after %v", pause, last)
		}
		last = pause
		r.take()
	}
	if last < time.Second || last > time.Second+10*time.Millisecond {
		t.Errorf("the last pause is %v, want an interval; all took %v", last, r.now.Sub(start))
	}
	// A change ends that.
	r.send(&cluster.UpdateAgent{Agent: agentInfo("s1", "cpus:5;mem:1024")})
	r.want("s1 to f/*: cpus:1")
	r.send(decline("f", "*", "s1", "cpus:5;mem:1024", 0))
	r.want("s1 to f/*: cpus:5; mem:1024")
}

func TestFilterMatchesWhatIsNoMore(t *testing.T) {
	tests := []struct {
		name  string
		total string // of the agent after the refusal of cpus:4;mem:1024
		want  []string
	}{
		{"the same", whole, nil},
		{"less", "cpus:3;mem:1024", nil},
		{"less of all", "cpus:1;mem:100", nil},
		{"more cpus", "cpus:5;mem:1024", []string{"s1 to f/*: cpus:5; mem:1024"}},
		{"more of one, less of the other", "cpus:5;mem:10", []string{"s1 to f/*: cpus:5; mem:10"}},
		{"another kind", "cpus:4;mem:1024;disk:1", []string{"s1 to f/*: cpus:4; disk:1; mem:1024"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := declined(t, &mesos.Filters{})
			r.send(&cluster.UpdateAgent{Agent: agentInfo("s1", test.total)})
			r.want(test.want...)
		})
	}
}

func TestFilterEndsEarly(t *testing.T) {
	attributes := agentInfo("s1", whole)
	attributes.Attributes = []*mesos.Attribute{{
		Name: proto.String("rack"), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: proto.String("r1")},
	}}
	f := frameworkIDOf("f")
	tests := []struct {
		name     string
		messages []proto.Message
		offered  bool
	}{
		{"never by itself", nil, false},
		{"by revival", []proto.Message{&cluster.ReviveOffers{FrameworkId: f}}, true},
		{"by revival of the role", []proto.Message{&cluster.ReviveOffers{FrameworkId: f, Roles: []string{"*"}}}, true},
		{"not by a subscription while active", []proto.Message{addFramework("f", "*")}, false},
		{"by deactivation", []proto.Message{&cluster.DeactivateFramework{FrameworkId: f}, addFramework("f", "*")}, true},
		{"by new attributes", []proto.Message{&cluster.UpdateAgent{Agent: attributes}}, true},
		{"not by the same agent again", []proto.Message{addAgent("s1", whole)}, false},
		{"by the agent again with new attributes", []proto.Message{&cluster.AddAgent{Agent: attributes}}, true},
		{"not by an update with none", []proto.Message{&cluster.UpdateAgent{Agent: agentInfo("s1", whole)}}, false},
		{"by removal of the agent", []proto.Message{&cluster.RemoveAgent{AgentId: agentIDOf("s1")}, addAgent("s1", whole)}, true},
		{"by leaving the role", []proto.Message{addFramework("f", "a"), addFramework("f", "*")}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := declined(t, &mesos.Filters{RefuseSeconds: proto.Float64(3600)})
			r.send(test.messages...)
			r.advance(2 * settling)
			if got := len(r.take()) > 0; got != test.offered {
				t.Errorf("offered: %v, want %v", got, test.offered)
			}
		})
	}
}

func TestRevivalOfOneRoleLeavesOthersAlone(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "a", "b"), addAgent("s1", whole))
	r.want("s1 to f/a: cpus:4; mem:1024")
	r.send(decline("f", "a", "s1", whole, 3600))
	r.want("s1 to f/b: cpus:4; mem:1024")
	r.send(decline("f", "b", "s1", whole, 3600))
	r.want()
	r.send(&cluster.ReviveOffers{FrameworkId: frameworkIDOf("f"), Roles: []string{"b"}})
	r.want("s1 to f/b: cpus:4; mem:1024")
	r.send(recoverFrom("f", "b", "s1", whole))
	r.want("s1 to f/b: cpus:4; mem:1024")
}

func TestWhatOneRefusesIsOfferedToTheNext(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addFramework("g", "*"), addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(decline("f", "*", "s1", whole, 60))
	r.want("s1 to g/*: cpus:4; mem:1024")
	r.send(decline("g", "*", "s1", whole, 3600))
	r.want()
	r.advance(time.Minute)
	if got := r.take(); len(got) != 1 || got[0] != "s1 to f/*: cpus:4; mem:1024" {
		t.Errorf("after f's filter lapsed %v was handed out", got)
	}
}

func TestRestOfAnAcceptedOfferIsFiltered(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(decline("f", "*", "s1", "cpus:3;mem:1000", 5))
	r.want()
	r.send(recoverFrom("f", "*", "s1", "cpus:1;mem:24")) // its task ended
	r.want("s1 to f/*: cpus:4; mem:1024")
}

// The clock is set forward, by more than a filter lasts whose timer is to come.
func TestWhoRefusesIsAskedAgainThoughTheClockWasSet(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(decline("f", "*", "s1", whole, 3600), addAgent("s2", "cpus:1;mem:32"))
	r.want("s2 to f/*: cpus:1; mem:32")
	r.now = r.now.Add(2 * time.Hour)
	for key, at := range r.timers {
		r.timers[key] = at.Add(2 * time.Hour)
	}
	r.send(decline("f", "*", "s2", "cpus:1;mem:32", 0))
	r.want("s1 to f/*: cpus:4; mem:1024", "s2 to f/*: cpus:1; mem:32")
}

// A filter lasts as long as was asked for, whatever is done to the date; the
// allocator of a process reads a clock that nobody sets.
func TestFiltersLastThoughTheDateIsCorrected(t *testing.T) {
	a := New(Options{})
	began := time.Now()
	a.Step(began, Received{From: master, Message: &cluster.StartAllocator{Epoch: proto.Uint64(1)}})
	later := began.Add(time.Minute)
	corrected := later.Round(0).Add(-time.Hour) // no reading of that clock
	if d := a.instant(later) - a.instant(began); d != int64(time.Minute) {
		t.Errorf("a minute is %d ns", d)
	}
	if a.instant(corrected) >= a.instant(began) || a.instant(corrected) < 0 {
		t.Errorf("an hour before is %d, and now %d", a.instant(corrected), a.instant(began))
	}
	if !a.timeOf(a.instant(later)).Equal(later) || strings.Contains(later.String(), "m=") != strings.Contains(a.timeOf(a.instant(later)).String(), "m=") {
		t.Errorf("%v comes back as %v", later, a.timeOf(a.instant(later)))
	}
}

func TestFiltersAreBounded(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", "cpus:400;mem:1024"))
	r.advance(time.Second)
	for i := range 100 {
		// Ever more is refused, for ever shorter times, so that none covers another.
		amount := "cpus:" + string(rune('1'+i%9)) + ";mem:1"
		r.send(decline("f", "*", "s1", amount, float64(10_000-i)))
		r.advance(2 * settling)
	}
	if n := len(r.a.byID["s1"].filters.list); n > maxFilters {
		t.Errorf("%d filters are kept, want at most %d", n, maxFilters)
	}
}

func TestFiltersOfRemovedAgentsAreForgotten(t *testing.T) {
	r := declined(t, &mesos.Filters{RefuseSeconds: proto.Float64(3600)})
	r.send(&cluster.RemoveAgent{AgentId: agentIDOf("s1")})
	if len(r.a.wakes) != 0 {
		t.Errorf("%d wakes are kept for an agent that is gone", len(r.a.wakes))
	}
	if figures := r.a.Roles(r.now); figures[0].Filters != 0 {
		t.Errorf("filters of an agent that is gone are counted: %v", figures)
	}
}

// What revivals leave behind does not pile up.
func TestFiltersOfTheRevivedAreForgotten(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", whole))
	for range 1000 {
		r.want("s1 to f/*: cpus:4; mem:1024")
		r.send(decline("f", "*", "s1", whole, 3600), &cluster.ReviveOffers{FrameworkId: frameworkIDOf("f")})
		r.now = r.now.Add(time.Second)
	}
	if n := len(r.a.byID["s1"].filters.list); n > 4*maxFilters {
		t.Errorf("%d filters are kept, one was wanted at a time", n)
	}
}
