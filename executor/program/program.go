// Package program says what an executor host needs of whoever starts
// processes for it, and makes what to start out of a command. The executor
// packages import it, and wiring, which brings the launcher.
package program

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/field"
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
	// Terminal: the program has one, which becomes that of its session. To a
	// Launcher it is given as Streams[0]; nested.Start opens it.
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
	// when it has ended, durably and before anybody is told. Only a program that is
	// isolated has one; empty means none.
	Status string
	// Container is the one that the program runs in; nil: in none.
	Container Container
	// Secrets: who makes the container gives a command's variables of that type.
	Secrets bool
	// Own is a guest's own environment, which is in Env but for its secrets: these
	// the container gives it, which it must have then.
	Own *mesos.Environment
}

// Launcher starts programs. Safe for concurrent use.
type Launcher interface {
	// Launch starts a program in a session of its own. An error names what was
	// wrong: nothing is left of the attempt then.
	Launch(s Spec) (Process, error)
}

// Process is a launched program together with everything it started. Safe for
// concurrent use.
type Process interface {
	// Pid is that of the program itself.
	Pid() int
	// Done is closed when the program has exited and no process that it started
	// is left.
	Done() <-chan struct{}
	// Status is as wait(2) gave it, -1 when unknown; valid after Done is closed.
	Status() int
	// Limit is what the container that it was in, or one around that, had run into
	// by then; nil if nothing. Valid after Done is closed.
	Limit() *cluster.ContainerLimit
	// Kill asks everything to end (SIGTERM) and forces it (SIGKILL) after the
	// grace. It returns at once. A later call can only shorten the time that is
	// left; zero forces at once.
	Kill(grace time.Duration)
	// Signal sends a signal to the program alone, if it has not exited.
	Signal(signal syscall.Signal)
}

// ForCommand completes a Spec that has Dir, Env and User with a command: its
// program and arguments, and its environment on top. A user named by the
// command counts only when base has one: otherwise whoever gave base does not
// switch users. Errors name the field.
func ForCommand(base Spec, c *mesos.CommandInfo) (Spec, error) {
	if err := checkCommand(c, base.Secrets); err != nil {
		return Spec{}, err
	}
	s := base
	if s.Guest {
		s.Own = c.GetEnvironment()
	}
	if c.GetShell() {
		s.Path, s.Args = "/bin/sh", []string{"sh", "-c", c.GetValue()}
	} else {
		s.Path, s.Args = c.GetValue(), c.GetArguments()
	}
	if base.User != "" && c.GetUser() != "" {
		s.User = c.GetUser()
	}
	s.Env = Merge(base.Env, Environment(c.GetEnvironment())...)
	return s, nil
}

// Mounts tells that the container of s has its volumes as mounts.
func Mounts(s Spec) bool { return s.Container != nil && s.Container.Mounts() }

// OnTerminal is s with the terminal that a container asks for, if it does.
func OnTerminal(s Spec, c *mesos.ContainerInfo) Spec {
	s.Terminal, s.Window = c.GetTtyInfo() != nil, c.GetTtyInfo().GetWindowSize()
	return s
}

func checkCommand(c *mesos.CommandInfo, secrets bool) error {
	switch {
	case c.GetValue() == "":
		return field.Missing("command.value")
	case strings.ContainsRune(c.GetValue(), 0):
		return field.Invalid("command.value", c.GetValue(), "has a zero byte")
	}
	for i, a := range c.GetArguments() {
		if strings.ContainsRune(a, 0) {
			return field.At("command.arguments", i, field.Invalid("", a, "has a zero byte"))
		}
	}
	for i, v := range c.GetEnvironment().GetVariables() {
		if err := checkVariable(v, secrets); err != nil {
			return field.At("command.environment.variables", i, err)
		}
	}
	return nil
}

func checkVariable(v *mesos.Environment_Variable, secrets bool) error {
	switch {
	case v.GetName() == "" || strings.ContainsAny(v.GetName(), "=\x00"):
		return field.Invalid("name", v.GetName(), "cannot name a variable")
	case strings.ContainsRune(v.GetValue(), 0):
		return field.Invalid("value", v.GetName(), "has a zero byte")
	case v.GetType() == mesos.Environment_Variable_SECRET && !secrets:
		return field.Invalid("type", v.GetName()+" "+v.GetType().String(), "cannot be had: nobody resolves secrets here")
	}
	return nil
}

// Environment is e as NAME=value. Secrets are left out: they are the container's
// to give.
func Environment(e *mesos.Environment) []string {
	var env []string
	for _, v := range e.GetVariables() {
		if v.GetType() != mesos.Environment_Variable_SECRET {
			env = append(env, v.GetName()+"="+v.GetValue())
		}
	}
	return env
}

// Merge puts variables on top of env; the last of a name wins. Neither is
// changed.
func Merge(env []string, variables ...string) []string {
	out := slices.Clip(slices.Clone(env))
	at := make(map[string]int, len(out)+len(variables))
	for i, kv := range out {
		at[name(kv)] = i
	}
	for _, kv := range variables {
		if i, ok := at[name(kv)]; ok {
			out[i] = kv
			continue
		}
		at[name(kv)] = len(out)
		out = append(out, kv)
	}
	return out
}

func name(kv string) string {
	n, _, _ := strings.Cut(kv, "=")
	return n
}
