package hugetlb

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
)

// newIsolator is nil where version 1 lacks the subsystem, which is said then: few
// machines mount it.
func newIsolator(t *testing.T) *Isolator {
	t.Helper()
	tree := cgrouptest.Tree(t)
	i, err := New(tree)
	if tree.Version() == 1 && err != nil {
		if !strings.Contains(err.Error(), "hugetlb is not mounted: mkdir -p /sys/fs/cgroup/hugetlb && mount -t cgroup -o hugetlb") {
			t.Error(err)
		}
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Where the subsystem is to be had, containers are placed.
func TestPlace(t *testing.T) {
	i := newIsolator(t)
	if i == nil {
		return
	}
	c := &isolator.Container{ID: []string{"box"}}
	cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "wait")
	if pids, err := cgroups.Processes(i.Dir(0, c)); err != nil || len(pids) != 1 {
		t.Errorf("%v, %v", pids, err)
	}
	if limit(i, c) == "" {
		t.Error("no file of huge pages in it")
	}
}

// limit is the file that limits huge pages.
func limit(i *Isolator, c *isolator.Container) string {
	for _, name := range []string{"hugetlb.2MB.max", "hugetlb.2MB.limit_in_bytes"} {
		if cgroups.Exists(i.Dir(0, c), name) {
			return name
		}
	}
	return ""
}

// A limit that an operator sets holds what is in the container, nested ones
// included, and nobody else.
func TestOperatorsLimit(t *testing.T) {
	i := newIsolator(t)
	if i == nil {
		return
	}
	reserve(t, 4)
	box, beside := &isolator.Container{ID: []string{"box"}}, &isolator.Container{ID: []string{"beside"}}
	inner := &isolator.Container{ID: []string{"box", "inner"}, Parent: box}
	boxPlan := cgrouptest.Prepare(t, box, i)
	innerPlan := cgrouptest.Prepare(t, inner, i)
	if err := cgroups.Write(i.Dir(0, box), limit(i, box), "4194304"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		plan      *plan.Plan
		mib, want string
	}{
		{boxPlan, "8", "no more than 4 MiB\n"},
		{innerPlan, "8", "no more than 4 MiB\n"},
		{boxPlan, "4", "survived\n"},
		{cgrouptest.Prepare(t, beside, i), "8", "survived\n"},
	} {
		if out, err := cgrouptest.Start(t, c.plan, "huge", c.mib).Wait(t); out != c.want {
			t.Errorf("%s MiB in huge pages of %v: %q, %v; want %q", c.mib, c.plan.Cgroups, out, err, c.want)
		}
	}
}

// reserve has so many huge pages of 2 MiB free.
func reserve(t *testing.T, n int) {
	t.Helper()
	const file = "/proc/sys/vm/nr_hugepages"
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reserved, err := strconv.Atoi(strings.TrimSpace(string(before)))
	if err != nil {
		t.Fatal(err)
	}
	missing := n - free(t)
	if missing <= 0 {
		return
	}
	t.Cleanup(func() {
		if err := os.WriteFile(file, before, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(file, []byte(strconv.Itoa(reserved+missing)), 0); err != nil {
		t.Fatal(err)
	}
	if has := free(t); has < n {
		t.Fatalf("this machine has no %d free huge pages, but %d", n, has)
	}
}

func free(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), "HugePages_Free:")
	line, _, _ := strings.Cut(after, "\n")
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
