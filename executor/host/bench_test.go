package host_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/messages/cluster"
)

// perHost is how many containers share a host: 1 is a process per task.
var perHost = []int{1, 16, 64, 500}

// BenchmarkTrue is what a task that does nothing costs: host, fork, exec, and
// the agent's side of the conversation left out.
func BenchmarkTrue(b *testing.B) {
	for _, n := range perHost {
		b.Run(fmt.Sprintf("perHost=%d", n), func(b *testing.B) {
			s := newStation(b, "true")
			var before syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &before); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			var h *hostProcess
			for i := range b.N {
				if i%n == 0 {
					s.stop(h)
					h = s.host()
				}
				s.launch(h, fmt.Sprintf("C%d", i))
				next(b, s.over, "ContainerEnded")
			}
			s.stop(h)
			b.StopTimer()
			var after syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &after); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpu(after)-cpu(before))/float64(b.N)/float64(time.Millisecond), "cpu-ms/task")
		})
	}
}

func cpu(r syscall.Rusage) time.Duration {
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// stop ends a host and waits for it, so that what it used is counted.
func (s *station) stop(h *hostProcess) {
	if h == nil {
		return
	}
	s.tell(h, &cluster.StopHost{})
	if err := h.cmd.Wait(); err != nil {
		s.t.Fatal(err)
	}
}

// BenchmarkSleepMemory is what a running task costs in its host: proportional
// set size of all hosts over the number of tasks.
func BenchmarkSleepMemory(b *testing.B) {
	const sleeping = 500
	for _, n := range perHost {
		b.Run(fmt.Sprintf("perHost=%d", n), func(b *testing.B) {
			for range b.N {
				s := newStation(b, "exec sleep 300")
				var h *hostProcess
				for i := range sleeping {
					if i%n == 0 {
						h = s.host()
					}
					s.launch(h, fmt.Sprintf("C%d", i))
				}
				for range sleeping {
					next(b, s.running, "TASK_RUNNING")
				}
				total := 0
				for _, h := range s.hosts {
					total += pss(b, h.cmd.Process.Pid)
				}
				b.ReportMetric(float64(total)/sleeping, "KB/task")
				b.ReportMetric(float64(total)/float64(len(s.hosts))/1024, "MB/host")
				for _, h := range s.hosts {
					if err := h.cmd.Process.Kill(); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// pss is a process's proportional set size in KB.
func pss(b *testing.B, pid int) int {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "Pss:" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("no Pss of process %d", pid)
	return 0
}
