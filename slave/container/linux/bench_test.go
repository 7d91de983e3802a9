package linux

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// hierarchies of version 1 that plans of benchmarks enter.
var hierarchies = []string{"cpu", "cpuacct", "memory", "freezer"}

// inGroups gives a plan cgroups of its own, as isolators do, and the way to remove
// them.
func inGroups(b *testing.B, p plan.Plan, n int) (plan.Plan, func()) {
	p.Cgroups = nil
	for _, h := range hierarchies {
		folder := fmt.Sprintf("/sys/fs/cgroup/%s/troupe-bench-%d-%d", h, os.Getpid(), n)
		if err := os.Mkdir(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		p.Cgroups = append(p.Cgroups, folder)
	}
	p.Kill = p.Cgroups[len(p.Cgroups)-1]
	return p, func() {
		for _, folder := range p.Cgroups {
			eventually(b, folder+" is removed", func() bool { return os.Remove(folder) == nil })
		}
	}
}

// BenchmarkTrue is what a launch of true, and the end of all that it took, cost by
// what the plan asks for: the time, one after the other and two at a time, and the
// CPU time of this process and of all that it started.
func BenchmarkTrue(b *testing.B) {
	proc := []plan.Mount{{Source: "proc", Target: "/proc", Type: "proc", Flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC}}
	plans := []struct {
		name   string
		plan   plan.Plan
		groups bool
		status bool
	}{
		{name: "plain"},
		{name: "init", plan: plan.Plan{NoNewPrivileges: true}},
		{name: "status", plan: plan.Plan{NoNewPrivileges: true}, status: true},
		{name: "mount", plan: plan.Plan{New: plan.NewMount}},
		{name: "pid", plan: plan.Plan{New: plan.NewPID | plan.NewMount, Mounts: proc}},
		{name: "all-namespaces", plan: plan.Plan{New: plan.NewPID | plan.NewMount | plan.NewIPC | plan.NewUTS | plan.NewCgroup, Mounts: proc}},
		{name: "cgroups", groups: true},
		{name: "cgroups-pid", plan: plan.Plan{New: plan.NewPID | plan.NewMount, Mounts: proc}, groups: true, status: true},
	}
	for _, c := range plans {
		for _, parallel := range []int{1, 2} {
			b.Run(c.name+"/at-a-time-"+strconv.Itoa(parallel), func(b *testing.B) {
				l := newLauncher(b)
				dirs := make([]string, parallel)
				for i := range dirs {
					dirs[i] = b.TempDir()
				}
				before := cpu(b)
				b.ResetTimer()
				turns, done := make(chan int), make(chan bool)
				for _, dir := range dirs {
					go func() {
						defer func() { done <- true }()
						for n := range turns {
							s, p, remove := shell(dir, "true"), c.plan, func() {}
							s.Path, s.Args = "/bin/true", nil
							if c.groups {
								p, remove = inGroups(b, p, n)
							}
							if c.status {
								s.Status = filepath.Join(dir, "status")
							}
							process, err := l.Launch(s, p, nil)
							if err != nil {
								b.Error(err)
								continue
							}
							<-process.Done()
							remove()
						}
					}()
				}
				for n := range b.N {
					turns <- n
				}
				close(turns)
				for range dirs {
					<-done
				}
				b.StopTimer()
				b.ReportMetric((cpu(b)-before)*1000/float64(b.N), "cpu-ms/op")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "launches/s")
			})
		}
	}
}

// cpu is what this process and its children have used, in seconds.
func cpu(b *testing.B) float64 {
	sum := 0.0
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	return sum
}

// BenchmarkMemory is what a running program costs in its init: the proportional set
// size of 100 of them, and how much of that is its own.
func BenchmarkMemory(b *testing.B) {
	l := newLauncher(b)
	p := plan.Plan{New: plan.NewPID | plan.NewMount, Mounts: []plan.Mount{{Source: "proc", Target: "/proc", Type: "proc"}}}
	const count = 100
	var pss, private, threads int
	for b.Loop() {
		pss, private, threads = 0, 0, 0
		var all []*Process
		for range count {
			s := shell(b.TempDir(), "")
			s.Path, s.Args = "/bin/sleep", []string{"sleep", "1000"}
			all = append(all, launch(b, l, s, p, nil))
		}
		for _, process := range all {
			rollup := fields(b, "/proc/"+strconv.Itoa(process.Init())+"/smaps_rollup")
			pss += rollup["Pss:"]
			private += rollup["Private_Dirty:"]
			threads += fields(b, "/proc/"+strconv.Itoa(process.Init())+"/status")["Threads:"]
		}
		for _, process := range all {
			process.Kill(0)
			<-process.Done()
		}
	}
	b.ReportMetric(float64(pss)/count, "pss-KB/init")
	b.ReportMetric(float64(private)/count, "dirty-KB/init")
	b.ReportMetric(float64(threads)/count, "threads/init")
}

func fields(b *testing.B, path string) map[string]int {
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	values := map[string]int{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) >= 2 {
			if n, err := strconv.Atoi(f[1]); err == nil {
				values[f[0]] = n
			}
		}
	}
	return values
}
