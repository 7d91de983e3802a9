package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// meter finds the least CPU time that this process and a child took together
// for a load.
type meter struct {
	child *child
	least time.Duration
}

func (m *meter) around(load func() (time.Duration, error)) (time.Duration, error) {
	before, err := m.read()
	if err != nil {
		return 0, err
	}
	took, err := load()
	if err != nil {
		return 0, err
	}
	after, err := m.read()
	if used := after - before; m.least == 0 || used < m.least {
		m.least = used
	}
	return took, err
}

func (m *meter) read() (time.Duration, error) {
	own, err := cpuTime()
	if err != nil {
		return 0, err
	}
	other, err := cpuTimeOf(m.child.cmd.Process.Pid)
	return own + other, err
}

// cpuTime is what this process has used.
func cpuTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// clockTick is the unit of times in /proc on Linux.
const clockTick = 10 * time.Millisecond

// cpuTimeOf is what another process has used, from /proc/PID/stat: the 14th
// and 15th fields, of which the second, in parentheses, may hold anything.
func cpuTimeOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields behind the name", pid, len(fields))
	}
	var sum time.Duration
	for _, f := range fields[11:13] {
		ticks, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		sum += time.Duration(ticks) * clockTick
	}
	return sum, nil
}
