package du

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/disk"
)

// BenchmarkRound measures 500 sandboxes of ten files each, once.
func BenchmarkRound(b *testing.B) {
	const containers = 500
	top := b.TempDir()
	m := newMeter(Options{Records: disk.Records{Dir: filepath.Join(top, "records")}, Interval: time.Nanosecond})
	m.running = true // the benchmark takes the steps
	for i := range containers {
		c := &isolator.Container{ID: []string{fmt.Sprint(i)}, Sandbox: filepath.Join(top, fmt.Sprint("s", i))}
		must(b, os.MkdirAll(c.Sandbox, 0o755))
		for n := range 10 {
			must(b, os.WriteFile(filepath.Join(c.Sandbox, fmt.Sprint(n)), nil, 0o644))
		}
		m.hold(c, nil)
	}
	before := cpu(b)
	for b.Loop() {
		for range containers {
			var going []*tree
			m.next(&going)
			for _, t := range going {
				for !m.step(t) {
				}
			}
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N)/containers, "cpu-µs/container")
}

func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	must(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
