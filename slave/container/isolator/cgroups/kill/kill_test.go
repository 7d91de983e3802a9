package kill

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
)

func newIsolator(t testing.TB) *Isolator {
	t.Helper()
	i, err := New(cgrouptest.Tree(t))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// shell runs a script in the groups of a plan.
func shell(t *testing.T, p *plan.Plan, script string) {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", "read go; "+script)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	})
	for _, dir := range p.Cgroups {
		if err := cgroups.Write(dir, "cgroup.procs", strconv.Itoa(c.Process.Pid)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
}

// Whatever a process has become, it ends with its container, and with those
// within; what is beside lives on.
func TestKill(t *testing.T) {
	for name, script := range map[string]string{
		"double fork": `(setsid sh -c 'sleep 1000 & sleep 1000' &) ; sleep 1000`,
		"stopped":     `sleep 1000 & kill -STOP $! ; kill -STOP $$`,
		"fork storm":  `f() { while :; do sleep 1000 & done; }; f & f & i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i+1)); done; wait`,
		"deaf":        `trap '' TERM INT HUP; while :; do sleep 1000; done`,
	} {
		t.Run(name, func(t *testing.T) {
			i := newIsolator(t)
			outer := &isolator.Container{ID: []string{"outer"}}
			inner := &isolator.Container{ID: []string{"outer", "inner"}, Parent: outer}
			beside := &isolator.Container{ID: []string{"beside"}}
			cgrouptest.Prepare(t, outer, i)
			innerPlan, besidePlan := cgrouptest.Prepare(t, inner, i), cgrouptest.Prepare(t, beside, i)
			if innerPlan.Kill != i.Dir(0, inner) {
				t.Errorf("plan.Kill is %q", innerPlan.Kill)
			}
			neighbour := cgrouptest.Start(t, besidePlan, "wait")
			shell(t, innerPlan, script)
			cgrouptest.Eventually(t, "two processes", func() bool {
				pids, err := cgroups.Processes(i.Dir(0, outer))
				return err == nil && len(pids) >= 2
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := i.Kill(ctx, outer); err != nil {
				t.Fatal(err)
			}
			if pids, err := cgroups.Processes(i.Dir(0, outer)); err != nil || len(pids) > 0 {
				t.Errorf("left: %v, %v", pids, err)
			}
			if !neighbour.Lives() {
				t.Error("its neighbour was killed")
			}
			if err := i.Kill(ctx, &isolator.Container{ID: []string{"unknown"}}); err != nil {
				t.Errorf("of a container that is gone: %v", err)
			}
		})
	}
}

// The folders of a container go, the nested ones first, and only then.
func TestCleanup(t *testing.T) {
	i := newIsolator(t)
	outer := &isolator.Container{ID: []string{"outer"}}
	inner := &isolator.Container{ID: []string{"outer", "inner"}, Parent: outer}
	cgrouptest.Prepare(t, outer, i)
	p := cgrouptest.Prepare(t, inner, i)
	g := cgrouptest.Start(t, p, "wait")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := i.Cleanup(ctx, outer); err == nil {
		t.Fatal("a group with a process was removed")
	} else if want := strconv.Itoa(g.Pid()) + " ("; !contains(err, want) {
		t.Errorf("%v: does not name %s", err, want)
	}
	found, err := i.Recover(t.Context())
	if err != nil || len(found) != 2 {
		t.Fatalf("%v, %v", found, err)
	}
	if err := i.Kill(t.Context(), outer); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := i.Cleanup(t.Context(), outer); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := i.Recover(t.Context()); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
