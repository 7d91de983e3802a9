package allocation

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// stopwatch is when something began, by the clock and in CPU time of the
// process.
type stopwatch struct {
	began time.Time
	cpu   time.Duration
}

func watch() stopwatch { return stopwatch{time.Now(), cpu()} }

// took is as a Figure has it.
func (w stopwatch) took() time.Duration {
	wall, busy := time.Since(w.began), cpu()-w.cpu
	if busy <= 0 { // less than its unit, or unknown
		return wall
	}
	return min(wall, busy)
}

// cpu is the CPU time of the process, in microseconds; 0 where it cannot be told.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed returns how long f takes.
func timed(f func()) time.Duration {
	w := watch()
	f()
	return w.took()
}

// settled is timed after a collection of what was thrown away before, which
// would be charged to f if it came to an end then.
func settled(f func()) time.Duration {
	runtime.GC()
	return timed(f)
}
