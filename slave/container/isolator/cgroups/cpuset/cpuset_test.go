package cpuset

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/tools/cgrouptest"
)

// A program can join its group, nested too, and keeps to the CPUs that the group
// is narrowed to.
func TestPlace(t *testing.T) {
	i, err := New(cgrouptest.Tree(t))
	if err != nil {
		t.Fatal(err)
	}
	outer := &isolator.Container{ID: []string{"outer"}}
	inner := &isolator.Container{ID: []string{"outer", "inner"}, Parent: outer}
	cgrouptest.Prepare(t, outer, i)
	p := cgrouptest.Prepare(t, inner, i)
	g := cgrouptest.Start(t, p, "wait")
	if got := allowed(t, g.Pid()); got == "0" {
		t.Fatalf("before: %s", got)
	}
	for _, c := range []*isolator.Container{inner, outer} { // version 1 wants the inner one first
		for _, dir := range []string{i.Dir(0, c), filepath.Dir(i.Dir(0, c))} {
			if dir == i.Controllers[0].Base() {
				continue
			}
			if err := cgroups.Write(dir, "cpuset.cpus", "0"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := allowed(t, g.Pid()); got != "0" {
		t.Errorf("CPUs %s", got)
	}
}

func allowed(t *testing.T, pid int) string {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), "Cpus_allowed_list:")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line)
}
