package task

import (
	"fmt"
	"strconv"
	"strings"
)

// Describe says in words what wait(2) gave: "exited with status 3",
// "terminated by signal SIGKILL". -1 is unknown.
func Describe(status int) string {
	if status < 0 {
		return "ended with unknown status"
	}
	if sig := status & 0x7f; sig != 0 {
		core := ""
		if status&0x80 != 0 {
			core = " (core dumped)"
		}
		return "terminated by signal " + signalName(sig) + core
	}
	return fmt.Sprintf("exited with status %d", ExitCode(status))
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

// CodeOf is the exit code that a text of Describe tells of, also when other
// text goes before it; false when it tells of none.
func CodeOf(text string) (code int, known bool) {
	if _, number, ok := cutLast(text, "exited with status "); ok {
		n, err := strconv.Atoi(number)
		return n, err == nil
	}
	_, name, ok := cutLast(text, "terminated by signal ")
	if !ok {
		return 0, false
	}
	name = strings.TrimSuffix(name, " (core dumped)")
	for n := range maxSignal + 1 {
		if n > 0 && signalName(n) == name {
			return 128 + n, true
		}
	}
	return 0, false
}

func cutLast(text, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(text, sep); i >= 0 {
		return text[:i], text[i+len(sep):], true
	}
	return text, "", false
}

// maxSignal is the last signal that a wait status can name.
const maxSignal = 0x7f

// signalNames are those of Linux, by number.
var signalNames = [...]string{
	1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1",
	11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
}

func signalName(n int) string {
	if n < len(signalNames) && signalNames[n] != "" {
		return "SIG" + signalNames[n]
	}
	return fmt.Sprint(n)
}
