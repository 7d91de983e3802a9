package pids

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/tools/cgrouptest"
)

func newIsolator(t testing.TB, limit uint64) *Isolator {
	t.Helper()
	i, err := New(cgrouptest.Tree(t), Settings{Max: limit})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// forked is how many of a hundred programs came to life.
func forked(t *testing.T, i *Isolator, c *isolator.Container) (int, string) {
	t.Helper()
	out, err := cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "fork", "100").Wait(t)
	if err != nil {
		t.Fatal(err, out)
	}
	count, why, _ := strings.Cut(out, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		t.Fatal(out)
	}
	return n, why
}

// Those that fork without end stop at the limit, and their neighbours fork on.
func TestForkBomb(t *testing.T) {
	i := newIsolator(t, 60)
	c := &isolator.Container{ID: []string{"bomb"}}
	if n, why := forked(t, i, c); n >= 60 || !strings.Contains(why, "resource temporarily unavailable") {
		t.Errorf("%d of 100 were started within 60: %s", n, why)
	}
	shared := &isolator.Container{ID: []string{"bomb", "inner"}, Parent: c, Shared: true}
	if n, why := forked(t, i, shared); n >= 60 || !strings.Contains(why, "resource temporarily unavailable") {
		t.Errorf("%d of 100 were started in a nested container within 60: %s", n, why)
	}
	free := newIsolator(t, 0)
	if n, why := forked(t, free, &isolator.Container{ID: []string{"free"}}); n != 100 {
		t.Errorf("without a limit: %d, %s", n, why)
	}
}

func TestUsage(t *testing.T) {
	i := newIsolator(t, 0)
	c := &isolator.Container{ID: []string{"counted"}}
	cgrouptest.Start(t, cgrouptest.Prepare(t, c, i), "wait")
	var u mesos.ResourceStatistics
	if err := i.Usage(c, &u); err != nil || u.GetThreads() < 1 {
		t.Errorf("%v, %v", err, &u)
	}
	var none mesos.ResourceStatistics
	if err := i.Usage(&isolator.Container{ID: []string{"unknown"}}, &none); err != nil || none.Threads != nil {
		t.Errorf("%v, %v", err, &none)
	}
}

func TestBeyondTheKernel(t *testing.T) {
	if _, err := New(cgrouptest.Tree(t), Settings{Max: math.MaxInt32 + 1}); err == nil || !strings.Contains(err.Error(), "cgroups_max_pids") {
		t.Errorf("%v", err)
	}
}
