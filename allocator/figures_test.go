package allocator

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
)

func (r *rig) figures() map[string]float64 {
	figures := make(map[string]float64)
	r.allocator.Metrics(func(key string, value float64) { figures[key] = value })
	return figures
}

// ofRoles are the figures of roles, but for what is told of quotas.
func ofRoles(figures map[string]float64) map[string]float64 {
	maps.DeleteFunc(figures, func(key string, _ float64) bool {
		return !strings.Contains(key, "/roles/") || strings.Contains(key, "/quota/")
	})
	return figures
}

func TestRunsAreMeasured(t *testing.T) {
	run(t, func(r *rig) {
		const latency = "allocator/mesos/allocation_run_latency_ms"
		if f := r.figures(); f["allocator/mesos/allocation_runs"] != 0 || f["allocator/mesos/allocation_run_ms/count"] != 0 {
			t.Errorf("before any run: %v", f)
		}
		r.say(time.Second, start(1), addFramework(), addAgent())
		f := r.figures()
		if f["allocator/mesos/allocation_runs"] != 1 || f["allocator/mesos/allocation_run_ms/count"] != 1 || f[latency+"/count"] != 1 {
			t.Errorf("after a run: %v", f)
		}
		// Time is virtual: only the pause before a pass takes any.
		if f[latency] != 1 || f[latency+"/p9999"] != 1 {
			t.Errorf("the pass came %v ms after it was asked for, want 1", f[latency])
		}
		wait(2 * time.Hour)
		if f := r.figures(); f["allocator/mesos/allocation_runs"] != 1 || f[latency+"/count"] != 0 {
			t.Errorf("two hours later: %v", f)
		}
	})
}

func TestRolesAreTold(t *testing.T) {
	run(t, func(r *rig) {
		want := func(when string, want map[string]float64) {
			t.Helper()
			if got := ofRoles(r.figures()); !maps.Equal(got, want) {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		star := func(filters, share float64) map[string]float64 {
			return map[string]float64{
				"allocator/mesos/offer_filters/roles/*/active": filters, "allocator/mesos/roles/*/shares/dominant": share,
			}
		}
		want("before anything", map[string]float64{})
		r.say(30*time.Millisecond, start(1), addFramework(), addAgent())
		want("all is offered", star(0, 1))
		given := r.probe.got()[0].Allocations[0]
		r.say(30*time.Millisecond, &cluster.RecoverResources{
			FrameworkId: given.FrameworkId, AgentId: given.AgentId, Role: given.Role,
			Resources: given.Resources, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(60)},
		})
		want("all is refused", star(1, 0))
		wait(58 * time.Second)
		want("still refused", star(1, 0))
		wait(4 * time.Second)
		want("offered again", star(0, 1))
		r.say(30*time.Millisecond, &cluster.RemoveFramework{FrameworkId: given.FrameworkId})
		if got := slices.Collect(maps.Keys(ofRoles(r.figures()))); len(got) != 0 {
			t.Errorf("nobody is in a role: %v", got)
		}
	})
}

// TestFiltersLapseWithoutAnyChange leaves a filter in nobody's way: no message
// follows the refusal.
func TestFiltersLapseWithoutAnyChange(t *testing.T) {
	run(t, func(r *rig) {
		r.say(30*time.Millisecond, start(1), addFramework(), addAgent())
		given := r.probe.got()[0].Allocations[0]
		r.say(30*time.Millisecond, &cluster.RecoverResources{
			FrameworkId: given.FrameworkId, AgentId: given.AgentId, Role: given.Role,
			Resources: given.Resources, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(30)},
		}, &cluster.DeactivateFramework{FrameworkId: given.FrameworkId})
		wait(40 * time.Second)
		if n := r.figures()["allocator/mesos/offer_filters/roles/*/active"]; n != 0 {
			t.Errorf("%v filters are active after they lapsed", n)
		}
	})
}

func TestQuotasAreTold(t *testing.T) {
	run(t, func(r *rig) {
		r.say(30*time.Millisecond, start(1), addFramework(), addAgent(), &cluster.UpdateQuota{Configs: []*quota.QuotaConfig{{
			Role:       proto.String("eng"),
			Guarantees: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(1.5)}},
			Limits:     map[string]*mesos.Value_Scalar{"mem": {Value: proto.Float64(64)}},
		}}})
		f := r.figures()
		for key, want := range map[string]float64{
			"allocator/mesos/quota/roles/eng/resources/cpus/guarantee":           1.5,
			"allocator/mesos/quota/roles/eng/resources/cpus/consumed":            0,
			"allocator/mesos/quota/roles/eng/resources/mem/limit":                64,
			"allocator/mesos/quota/roles/eng/resources/mem/offered_or_allocated": 0,
			"allocator/quota/required/cpus":                                      1.5,
			"allocator/quota/headroom/cpus":                                      1.5,
		} {
			if got, ok := f[key]; !ok || got != want {
				t.Errorf("%s is %v (%v), want %v", key, got, ok, want)
			}
		}
		if _, ok := f["allocator/mesos/quota/roles/eng/resources/cpus/limit"]; ok {
			t.Error("a limit is told where there is none")
		}
	})
}

// TestWhatRolesWithoutAQuotaConsumeIsTold tells that and their sum, and no more.
func TestWhatRolesWithoutAQuotaConsumeIsTold(t *testing.T) {
	run(t, func(r *rig) {
		r.say(30*time.Millisecond, start(1), addFramework(), addAgent())
		want := map[string]float64{}
		for _, given := range r.probe.got()[0].Allocations[0].Resources {
			if given.GetType() == mesos.Value_SCALAR {
				for _, role := range []string{"*", ""} {
					want["allocator/mesos/quota/roles/"+role+"/resources/"+given.GetName()+"/consumed"] += given.GetScalar().GetValue()
				}
			}
		}
		got := r.figures()
		maps.DeleteFunc(got, func(key string, _ float64) bool { return !strings.HasPrefix(key, "allocator/mesos/quota/") })
		if len(want) == 0 || !maps.Equal(got, want) {
			t.Errorf("told: %v, want %v", got, want)
		}
	})
}
