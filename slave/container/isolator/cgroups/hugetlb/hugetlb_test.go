package hugetlb

import (
	"strings"
	"testing"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/tools/cgrouptest"
)

// Where the subsystem is to be had, containers are placed; where it is not, that
// is said. Few machines mount it on version 1.
func TestPlace(t *testing.T) {
	tree := cgrouptest.Tree(t)
	i, err := New(tree)
	if tree.Version() == 1 && err != nil {
		if !strings.Contains(err.Error(), "hugetlb is not mounted: mkdir -p /sys/fs/cgroup/hugetlb && mount -t cgroup -o hugetlb") {
			t.Error(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &isolator.Container{ID: []string{"box"}}
	cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "wait")
	if pids, err := cgroups.Processes(i.Dir(0, c)); err != nil || len(pids) != 1 {
		t.Errorf("%v, %v", pids, err)
	}
	files := 0
	if err := cgroups.Walk(i.Dir(0, c), func(dir string) error {
		if cgroups.Exists(dir, "hugetlb.2MB.max") || cgroups.Exists(dir, "hugetlb.2MB.limit_in_bytes") {
			files++
		}
		return nil
	}); err != nil || files == 0 {
		t.Errorf("no file of huge pages in it, %v", err)
	}
}
