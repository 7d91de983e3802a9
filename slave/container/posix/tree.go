package posix

import (
	"time"

	"golang.org/x/sys/unix"
)

// send ignores that a process is gone: that is what signals here are for.
// Nothing else can fail but EPERM, for a process that changed its user; who is
// not root can do nothing about it.
func send(pid int, sig unix.Signal) { _ = unix.Kill(pid, sig) }

// killAll stops, then kills, all that find finds, until it finds none that is
// alive. Stopping first keeps processes from forking faster than they are
// found; what forked between two looks is seen in the next.
func killAll(find func() []int, send func(pid int, sig unix.Signal)) {
	stopped := map[int]bool{}
	for pause := time.Millisecond; ; {
		fresh, alive := 0, []int(nil)
		for _, pid := range find() {
			s, err := readStat(pid)
			if err != nil || s.state == 'Z' || s.state == 'X' {
				continue
			}
			alive = append(alive, pid)
			if !stopped[pid] {
				fresh++
				stopped[pid] = true
				send(pid, unix.SIGSTOP)
			}
		}
		if len(alive) == 0 {
			return
		}
		if fresh > 0 {
			continue
		}
		for _, pid := range alive {
			send(pid, unix.SIGKILL)
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
