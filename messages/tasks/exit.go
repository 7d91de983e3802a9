package tasks

import (
	"fmt"
	"strconv"
	"strings"
)

// Describe says in words what wait(2) gave, as Mesos does: "exited with status
// 3", "terminated with signal Killed". -1 is unknown.
func Describe(status int) string {
	if status < 0 {
		return "terminated with unknown status"
	}
	if sig := status & 0x7f; sig != 0 {
		core := ""
		if status&0x80 != 0 {
			core = dumped
		}
		return endedBy + signalName(sig) + core
	}
	return exitedWith + strconv.Itoa(ExitCode(status))
}

// ExitCode is what a shell would put into $? for a wait status: the exit
// status, 128 and the signal's number, or 255 when unknown.
func ExitCode(status int) int {
	if status < 0 {
		return 255
	}
	if sig := status & 0x7f; sig != 0 {
		return 128 + sig
	}
	return status >> 8 & 0xff
}

const (
	exitedWith = "exited with status "
	endedBy    = "terminated with signal "
	dumped     = " (core dumped)"
)

// CodeOf is the exit code that a text of Describe tells of, also when other
// text goes before it, even such a text; false when it tells of none.
func CodeOf(text string) (code int, known bool) {
	exit, signal := strings.LastIndex(text, exitedWith), strings.LastIndex(text, endedBy)
	if exit > signal {
		n, err := strconv.Atoi(text[exit+len(exitedWith):])
		return n, err == nil
	}
	if signal < 0 {
		return 0, false
	}
	name := strings.TrimSuffix(text[signal+len(endedBy):], dumped)
	for n := 1; n <= maxSignal; n++ {
		if signalName(n) == name {
			return 128 + n, true
		}
	}
	return 0, false
}

// maxSignal is the last signal that a wait status can name.
const maxSignal = 0x7f

// signalNames are what strsignal(3) calls those of Linux, by number.
var signalNames = [...]string{
	1: "Hangup", 2: "Interrupt", 3: "Quit", 4: "Illegal instruction", 5: "Trace/breakpoint trap", 6: "Aborted",
	7: "Bus error", 8: "Floating point exception", 9: "Killed", 10: "User defined signal 1", 11: "Segmentation fault",
	12: "User defined signal 2", 13: "Broken pipe", 14: "Alarm clock", 15: "Terminated", 16: "Stack fault",
	24: "CPU time limit exceeded", 25: "File size limit exceeded", 26: "Virtual timer expired",
	27: "Profiling timer expired", 29: "I/O possible", 30: "Power failure", 31: "Bad system call",
}

// firstRealTime is SIGRTMIN.
const firstRealTime = 34

func signalName(n int) string {
	switch {
	case n < len(signalNames) && signalNames[n] != "":
		return signalNames[n]
	case n >= firstRealTime && n <= firstRealTime+30:
		return fmt.Sprintf("Real-time signal %d", n-firstRealTime)
	}
	return fmt.Sprintf("Unknown signal %d", n)
}
