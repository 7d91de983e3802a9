package posix

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// stat is what /proc/PID/stat says. Times are in clock ticks, rss in pages.
type stat struct {
	state                        byte
	ppid, session, threads       int
	utime, stime, cutime, cstime uint64
	started                      uint64
	rss                          uint64
}

func readStat(pid int) (stat, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	s, err := parseStat(data)
	if err != nil {
		return stat{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return s, nil
}

// parseStat reads the fields of proc(5). The second, the program's name, may
// hold anything, parentheses and spaces too.
func parseStat(data []byte) (stat, error) {
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("no name in %q", data)
	}
	const first, last = 3, 24 // the numbers, in proc(5), of the fields after the name that are read
	var fields [last + 1][]byte
	n, rest := first, data[end+1:]
	for n <= last {
		rest = bytes.TrimLeft(rest, " \n")
		if len(rest) == 0 {
			break
		}
		length := bytes.IndexAny(rest, " \n")
		if length < 0 {
			length = len(rest)
		}
		fields[n], rest = rest[:length], rest[length:]
		n++
	}
	if n <= last || len(fields[first]) != 1 || fields[first][0] < 'A' || fields[first][0] > 'z' {
		return stat{}, fmt.Errorf("no state, or only %d fields, after the name in %q", n-first, data)
	}
	var err error
	number := func(field int) uint64 {
		// rss and the like are never negative, but tty and priority are not read.
		n, perr := strconv.ParseUint(string(fields[field]), 10, 64)
		if perr != nil && err == nil {
			err = fmt.Errorf("field %d: %w", field, perr)
		}
		return n
	}
	s := stat{
		state: fields[first][0],
		ppid:  int(number(4)), session: int(number(6)), threads: int(number(20)),
		utime: number(14), stime: number(15), cutime: number(16), cstime: number(17),
		started: number(22),
		rss:     number(24),
	}
	return s, err
}

// children lists the processes that any thread of pid started or adopted.
func children(pid int) []int {
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil // it is gone
	}
	var pids []int
	for _, t := range tasks {
		if tid, err := strconv.Atoi(t.Name()); err == nil {
			pids = append(pids, childrenOfThread(pid, tid)...)
		}
	}
	return pids
}

// childrenOfThread reads the kernel's list (CONFIG_PROC_CHILDREN, on in every
// distribution's kernel).
func childrenOfThread(pid, tid int) []int {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(tid) + "/children")
	if err != nil {
		return nil
	}
	var pids []int
	for _, f := range strings.Fields(string(data)) {
		if child, err := strconv.Atoi(f); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// sandboxVariable is how a process knows its sandbox.
const sandboxVariable = "MESOS_SANDBOX="

// startedIn is the one of the sandboxes that a process was started with, by
// its environment, or below: tasks of a group and nested containers have theirs
// in their executor's. "" if none.
func startedIn(pid int, sandboxes map[string]bool) string {
	return within(givenIn(pid, sandboxes), sandboxes)
}

// givenIn is the folder in one of the sandboxes that a process was started with.
func givenIn(pid int, sandboxes map[string]bool) string {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	for e := range bytes.SplitSeq(env, []byte{0}) {
		if v, ok := bytes.CutPrefix(e, []byte(sandboxVariable)); ok {
			if path := string(v); within(path, sandboxes) != "" {
				return path
			}
		}
	}
	return ""
}

// carries says whether a process was started with an entry in its environment.
func carries(pid int, entry string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false // it is gone
	}
	for e := range bytes.SplitSeq(env, []byte{0}) {
		if string(e) == entry {
			return true
		}
	}
	return false
}

// worksIn is startedIn, or else the sandbox that holds the process's working
// directory or one of its output files.
func worksIn(pid int, sandboxes map[string]bool) string {
	return within(worksAt(pid, sandboxes), sandboxes)
}

// worksAt is a path in one of the sandboxes: the folder that a process was started
// with, or else its working directory or one of its output files.
func worksAt(pid int, sandboxes map[string]bool) string {
	if path := givenIn(pid, sandboxes); path != "" {
		return path
	}
	for _, link := range []string{"/cwd", "/fd/1", "/fd/2"} {
		target, err := os.Readlink("/proc/" + strconv.Itoa(pid) + link)
		if err == nil && within(target, sandboxes) != "" {
			return target
		}
	}
	return ""
}

// within is the innermost of the sandboxes that holds a path; "" if none does.
func within(path string, sandboxes map[string]bool) string {
	for at := filepath.Clean(path); at != "/" && at != "."; at = filepath.Dir(at) {
		if sandboxes[at] {
			return at
		}
	}
	return ""
}
