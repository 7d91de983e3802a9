package linux

import (
	"fmt"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// explain puts in words why an init could not launch a program.
func explain(r *plan.Report) error {
	errno := unix.Errno(r.Errno)
	switch r.Step {
	case plan.StepLookup:
		switch errno {
		case 0:
			return fmt.Errorf("program %q is not in its PATH, in the container", r.Subject)
		case unix.ENOENT:
			return fmt.Errorf("program %q does not exist in the container: %w", r.Subject, errno)
		case unix.EISDIR:
			return fmt.Errorf("program %q is not a file: %w", r.Subject, errno)
		case unix.ENOEXEC:
			return fmt.Errorf("program %q is not executable: %w", r.Subject, errno)
		}
	case plan.StepExec:
		switch errno {
		case unix.ENOENT:
			return fmt.Errorf("launching %q: the program, or the interpreter that it names, does not exist: %w", r.Subject, errno)
		case unix.ENOEXEC:
			return fmt.Errorf("launching %q: it is not a program for this machine (and has no #! line): %w", r.Subject, errno)
		case unix.E2BIG:
			return fmt.Errorf("launching %q: its arguments and environment are too large: %w", r.Subject, errno)
		}
	case plan.StepEnter:
		if errno == unix.ESRCH {
			return fmt.Errorf("%s: the container has ended: %w", r.Step, errno)
		}
	case plan.StepMount:
		switch errno {
		case unix.ELOOP:
			return fmt.Errorf("%s %q: a symbolic link is in the way, which is not followed: %w", r.Step, r.Subject, errno)
		case unix.ENOENT:
			return fmt.Errorf("%s %q: it, or what is mounted there, does not exist: %w", r.Step, r.Subject, errno)
		}
	}
	if r.Subject == "" {
		return fmt.Errorf("%s: %w", r.Step, errno)
	}
	return fmt.Errorf("%s %q: %w", r.Step, r.Subject, errno)
}
