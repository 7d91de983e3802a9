package cgroups_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup1"
	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	"github.com/containerd/cgroups/v3/cgroup2"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/isolator/cgroups/blkio"
	"troupe/slave/container/isolator/cgroups/cpu"
	"troupe/slave/container/isolator/cgroups/devices"
	"troupe/slave/container/isolator/cgroups/kill"
	"troupe/slave/container/isolator/cgroups/mem"
	"troupe/slave/container/isolator/cgroups/pids"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
)

func TestMain(m *testing.M) { os.Exit(cgrouptest.Main(m)) }

// full is an isolator with the abilities that are measured here.
type full interface {
	isolator.Isolator
	isolator.Cleaner
}

// usual are the isolators of --isolation=cgroups/cpu,cgroups/mem.
func usual(tb testing.TB, t *cgroups.Tree) []full {
	tb.Helper()
	c, err := cpu.New(t, cpu.Settings{CFS: true})
	if err != nil {
		tb.Fatal(err)
	}
	m, err := mem.New(t, mem.Settings{})
	if err != nil {
		tb.Fatal(err)
	}
	k, err := kill.New(t)
	if err != nil {
		tb.Fatal(err)
	}
	return []full{k, c, m}
}

// every are those that do something.
func every(tb testing.TB, t *cgroups.Tree) []full {
	tb.Helper()
	p, err := pids.New(t, pids.Settings{Max: 100})
	if err != nil {
		tb.Fatal(err)
	}
	b, err := blkio.New(t)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := devices.New(t, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return append(usual(tb, t), p, b, d)
}

func box(n int) *isolator.Container {
	return &isolator.Container{ID: []string{"box" + strconv.Itoa(n)}, Amounts: isolator.Amounts{CPUs: 1, Mem: 64 << 20}}
}

func usage(tb testing.TB, c *isolator.Container, isolators []full) *mesos.ResourceStatistics {
	tb.Helper()
	u := &mesos.ResourceStatistics{}
	for _, i := range isolators {
		if m, ok := i.(isolator.Meter); ok {
			if err := m.Usage(c, u); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return u
}

// What is read here is what containerd/cgroups reads.
func TestFiguresAgree(t *testing.T) {
	tree := cgrouptest.Tree(t)
	isolators := every(t, tree)
	c := box(1)
	var list []isolator.Isolator
	for _, i := range isolators {
		list = append(list, i)
	}
	p := cgrouptest.Prepare(t, c, list...)
	hog := cgrouptest.Start(t, p, "hog", "30")
	seen := "nothing"
	defer func() {
		if t.Failed() {
			t.Logf("last: %s; the hog lives: %t", seen, hog.Lives())
		}
	}()
	cgrouptest.Eventually(t, "30 MiB in both", func() bool {
		u := usage(t, c, isolators)
		anon, threads, err := theirs(tree, p)
		seen = fmt.Sprintf("%v, the library says %d bytes, %d threads, %v", u, anon, threads, err)
		return err == nil && u.GetMemAnonBytes() >= 30<<20 && u.GetMemAnonBytes() == anon && uint64(u.GetThreads()) == threads
	})
}

// theirs is the memory and the threads of a container by the library.
func theirs(tree *cgroups.Tree, p *plan.Plan) (anon, threads uint64, err error) {
	if tree.Version() == 2 {
		m, err := cgroup2.Load(strings.TrimPrefix(filepath.Dir(p.Cgroups[0]), "/sys/fs/cgroup"))
		if err != nil {
			return 0, 0, err
		}
		s, err := m.Stat()
		return s.GetMemory().GetAnon(), s.GetPids().GetCurrent(), err
	}
	s, err := stat1(p)
	return s.GetMemory().GetTotalRSS(), s.GetPids().GetCurrent(), err
}

// Creating and destroying what a container needs.
func BenchmarkContainer(b *testing.B) {
	for name, isolators := range map[string][]full{"usual": usual(b, cgrouptest.Tree(b)), "every": every(b, cgrouptest.Tree(b))} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, p := box(1), &plan.Plan{}
				for _, i := range isolators {
					if err := i.Prepare(b.Context(), c, p); err != nil {
						b.Fatal(err)
					}
				}
				for _, i := range isolators {
					if err := i.Cleanup(b.Context(), c); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// Reading what 500 containers use, as is done each second.
func BenchmarkUsageOf500(b *testing.B) {
	tree := cgrouptest.Tree(b)
	isolators := every(b, tree)
	plans := make([]plan.Plan, 500)
	for n := range plans {
		for _, i := range isolators {
			if err := i.Prepare(b.Context(), box(n), &plans[n]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("here", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for n := range plans {
				usage(b, box(n), isolators)
			}
		}
	})
	b.Run("containerd", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for n := range plans {
				if _, _, err := theirs(tree, &plans[n]); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Cleanup(func() {
		for n := range plans {
			for _, i := range isolators {
				if err := i.Cleanup(b.Context(), box(n)); err != nil && b.Context().Err() == nil {
					b.Error(err)
				}
			}
		}
	})
}

func stat1(p *plan.Plan) (*v1.Metrics, error) {
	// Below the mount of any hierarchy: /sys/fs/cgroup/NAME/ROOT/ID.
	below := strings.SplitN(strings.TrimPrefix(p.Cgroups[0], "/sys/fs/cgroup/"), "/", 2)
	c, err := cgroup1.Load(cgroup1.StaticPath("/" + below[1]))
	if err != nil {
		return nil, err
	}
	return c.Stat(cgroup1.IgnoreNotExist)
}
