// Package container is the vocabulary between those who want a program run in
// a container and those who can do it: what to run, and what can be asked of
// it while it runs. Its folders hold the implementations. Imported by wiring
// and by its own folders.
package container

import (
	"os"
	"syscall"
	"time"

	"troupe/messages/mesos"
)

// Spec says what to run. Nothing of the launcher's own environment, folder or
// open files reaches the program.
type Spec struct {
	// Path is the program: absolute, relative to Dir if it has a slash, else
	// looked up in the PATH of Env.
	Path string
	// Args is the whole argument vector, the program's own name first; empty
	// means Path alone.
	Args []string
	// Dir is the sandbox: an existing folder, absolute, and the program's
	// working directory.
	Dir string
	// Within is a folder that holds Dir, and that no program can replace, as it can
	// those between the two: output goes nowhere else, whatever links there are.
	// Empty means Dir.
	Within string
	// Env is the whole environment, as NAME=value.
	Env []string
	// User is a user's name or number; empty means the launcher's own.
	User string
	// Stdout and Stderr are files that are appended to, and made when they do
	// not exist; empty means Dir/stdout and Dir/stderr.
	Stdout, Stderr string
	// Streams take the place of the files, where not nil: standard input (which
	// is empty otherwise), output and error. They stay the caller's, to be closed
	// after Launch.
	Streams [3]*os.File
	// Terminal: Streams[0] is one, and becomes that of the program's session.
	Terminal bool
	// Window is the size of the terminal when the program starts; nil leaves it as
	// it is.
	Window *mesos.TTYInfo_WindowSize
	// Guest: Dir is the sandbox of another program, whose is whatever this one
	// leaves behind outside its session, but for what has its Mark.
	Guest bool
	// Mark is an entry of a guest's Env that no other program has; may be empty.
	Mark string
	// Status is a file, made by the launch, that holds the program's wait status
	// when it has ended, durably and before anybody is told; see
	// linux.ReadStatus. Only an init writes one; empty means none.
	Status string
	// Own is a guest's own environment: Env has it but for its secrets, which the
	// container gives.
	Own *mesos.Environment
}

// Launcher starts programs. Safe for concurrent use.
type Launcher interface {
	// Launch starts a program in a session of its own. An error names what
	// was wrong: nothing is left of the attempt then.
	Launch(s Spec) (Process, error)
}

// Process is a launched program together with everything it started. Safe
// for concurrent use.
type Process interface {
	// Pid is that of the program itself.
	Pid() int
	// Done is closed when the program has exited and no process that it
	// started is left.
	Done() <-chan struct{}
	// Exit is valid after Done is closed.
	Exit() Exit
	// Kill asks everything to end (SIGTERM) and forces it (SIGKILL) after the
	// grace. It returns at once. A later call can only shorten the time that
	// is left; zero forces at once.
	Kill(grace time.Duration)
	// Signal sends a signal to the program alone, if it has not exited.
	Signal(signal syscall.Signal)
	// Usage is what the program and everything it started use now.
	Usage() (Usage, error)
}

// Exit is how a program ended.
type Exit struct {
	// Status is as wait(2) gave it; -1 when unknown.
	Status int
}

// Usage is what a container's processes use. Times are totals since the
// start, and include those of ended children that were waited for.
type Usage struct {
	User, System time.Duration
	// RSS is resident memory in bytes; pages shared by processes count once
	// for each.
	RSS uint64
	// Processes and Threads count those alive.
	Processes, Threads int
}

// Add counts v's usage to u's.
func (u *Usage) Add(v Usage) {
	u.User += v.User
	u.System += v.System
	u.RSS += v.RSS
	u.Processes += v.Processes
	u.Threads += v.Threads
}
