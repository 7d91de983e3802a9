package du

import (
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// run measures until there is nothing to measure. It keeps its thread, which has
// the lowest priority for CPU and disk and ends with it.
func (m *meter) run() {
	runtime.LockOSThread()
	yieldToOthers()
	var going []*tree
	for {
		going = m.current(going)
		wait, more := m.next(&going)
		switch {
		case !more:
			return
		case len(going) > 0:
			t := going[0]
			going = going[1:]
			if !m.step(t) {
				going = append(going, t)
			}
		default:
			timer := time.NewTimer(wait)
			select {
			case <-m.wake:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
}

// yieldToOthers may be refused, by which measuring is dearer and nothing worse.
func yieldToOthers() {
	const (
		thread = 1       // IOPRIO_WHO_PROCESS, 0 being this thread
		idle   = 3 << 13 // IOPRIO_CLASS_IDLE
	)
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, thread, 0, idle)
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 19)
}

// current ends walks of trees that nobody wants measured any more.
func (m *meter) current(going []*tree) []*tree {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(going, func(t *tree) bool {
		if m.trees[t.path] == t {
			return false
		}
		if err := t.walk.End(); err != nil {
			m.o.Failed(err)
		}
		return true
	})
}

// next begins trees that are due, the one that has waited longest first. It
// returns the time until another is, and false when there is none.
func (m *meter) next(going *[]*tree) (time.Duration, bool) {
	for {
		m.mu.Lock()
		if len(m.trees) == 0 && len(*going) == 0 {
			m.running = false
			m.mu.Unlock()
			return 0, false
		}
		var first *tree
		for _, t := range m.trees {
			if t.walk == nil && (first == nil || t.due.Before(first.due) || t.due.Equal(first.due) && t.path < first.path) {
				first = t
			}
		}
		m.mu.Unlock()
		if first == nil || len(*going) == turns {
			return m.o.Interval, true
		}
		if wait := time.Until(first.due); wait > 0 {
			return wait, true
		}
		if err := m.begin(first); err != nil {
			m.failed(err)
			m.rest(first)
			continue
		}
		*going = append(*going, first)
	}
}
