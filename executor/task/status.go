package task

import "fmt"

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
