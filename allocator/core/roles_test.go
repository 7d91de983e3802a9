package core

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

func TestRoles(t *testing.T) {
	r := newRig(t, Options{})
	want := func(when string, after time.Duration, want ...RoleFigures) {
		t.Helper()
		if got := r.a.Roles(r.now.Add(after)); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	want("an empty cluster", 0)
	r.send(addFramework("f", "web", "batch"), addAgent("s1", whole), addAgent("s2", whole))
	want("before a pass", 0, RoleFigures{"batch", 0, 0}, RoleFigures{"web", 0, 0})
	r.send(&cluster.SuppressOffers{FrameworkId: frameworkIDOf("f"), Roles: []string{"batch"}})
	r.advance(time.Second)
	want("one role has all", 0, RoleFigures{"batch", 0, 0}, RoleFigures{"web", 1, 0})
	r.send(&cluster.UpdateWeights{Weights: []*cluster.StartAllocator_Weight{{Role: proto.String("web"), Weight: proto.Float64(4)}}})
	want("a share is weighted", 0, RoleFigures{"batch", 0, 0}, RoleFigures{"web", 0.25, 0})
	r.send(decline("f", "web", "s1", whole, 10), decline("f", "web", "s2", "cpus:1", 20))
	want("two refusals", 0, RoleFigures{"batch", 0, 0}, RoleFigures{"web", 0.125, 2})
	want("one of them lapses", 10*time.Second, RoleFigures{"batch", 0, 0}, RoleFigures{"web", 0.125, 1})
	want("both do", 20*time.Second, RoleFigures{"batch", 0, 0}, RoleFigures{"web", 0.125, 0})
	r.send(&cluster.RemoveFramework{FrameworkId: frameworkIDOf("f")})
	r.send(recoverFrom("f", "web", "s2", "cpus:3;mem:1024"))
	want("nothing is left", 0)
}
