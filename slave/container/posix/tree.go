package posix

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// sendTo is nil for a process that is gone: that is what signals here are for.
// Nothing else can fail but EPERM, for a process of another user, as one that
// ran a setuid program may be.
func sendTo(pid int, sig unix.Signal) error {
	if err := unix.Kill(pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// maxRefusals is how often a process is killed in vain before it is left alone:
// one that has only just changed its user may change it back.
const maxRefusals = 10

// killAll stops, then kills, all that find finds, until it finds none that is
// alive. Stopping first keeps processes from forking faster than they are
// found; what forked between two looks is seen in the next. Processes that this
// one may not signal are left alone in the end; the error names them.
func killAll(find func() []int, send func(pid int, sig unix.Signal) error) error {
	stopped, refused := map[int]bool{}, map[int]int{}
	for pause := time.Millisecond; ; {
		fresh, alive, left := 0, []int(nil), []int(nil)
		for _, pid := range find() {
			s, err := readStat(pid)
			switch {
			case err != nil || s.state == 'Z' || s.state == 'X':
				continue
			case refused[pid] >= maxRefusals:
				left = append(left, pid)
				continue
			}
			alive = append(alive, pid)
			if !stopped[pid] {
				fresh++
				stopped[pid] = true
				_ = send(pid, unix.SIGSTOP) // that it cannot be killed is what counts
			}
		}
		switch {
		case len(alive) == 0 && len(left) == 0:
			return nil
		case len(alive) == 0:
			slices.Sort(left)
			return fmt.Errorf("kill processes %v: %w", left, unix.EPERM)
		case fresh > 0:
			continue
		}
		for _, pid := range alive {
			if send(pid, unix.SIGKILL) != nil {
				refused[pid]++
			}
		}
		time.Sleep(pause) // dying takes the kernel a moment
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// tree lists pid and its descendants, parents first.
func tree(pid int) []int {
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		pids = append(pids, children(pids[i])...)
	}
	return pids
}
