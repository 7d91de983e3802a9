package nested

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"troupe/executor/program"
	"troupe/executor/terminal"
	"troupe/messages/field"
	"troupe/messages/mesos/agent"
)

// streams are the host's ends of what a program has for its input and output.
type streams struct {
	terminal *terminal.Terminal // nil without one
	// stdin takes input; it is the terminal's keyboard, if there is one.
	stdin *os.File
	// outputs are stdout and stderr, or the terminal's screen alone.
	outputs []*os.File
	// log keeps what the screen shows; nil for sessions.
	log io.WriteCloser
	// The program's ends, until it is launched.
	theirs []*os.File
}

// Started is a program that runs, with the host's ends of its input and output.
type Started struct {
	Process program.Process
	spec    program.Spec
	streams *streams // nil when its output goes to files
}

// Start launches a program, on a terminal of its own if it wants one. Whoever
// calls it gives what is started to Adopt, which reads what the terminal shows.
func Start(l program.Launcher, s program.Spec) (Started, error) { return start(l, s, false) }

func start(l program.Launcher, spec program.Spec, session bool) (s Started, err error) {
	s.spec = spec
	if s.streams, err = open(&s.spec, session); err == nil {
		s.Process, err = l.Launch(s.spec)
		err = errors.Join(err, s.streams.launched())
	}
	if err != nil {
		err = errors.Join(err, s.streams.close())
		if s.Process != nil {
			s.Process.Kill(0)
		}
	}
	s.spec.Streams = [3]*os.File{}
	return s, err
}

// open makes what a program needs; nil when its output goes to files.
func open(spec *program.Spec, session bool) (*streams, error) {
	switch {
	case spec.Terminal:
		return openTerminal(spec, session)
	case !session:
		return nil, nil
	}
	s := &streams{}
	ours, theirs := make([]*os.File, 3), make([]*os.File, 3)
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			s.outputs = ours[:i]
			return s, err
		}
		if ours[i], theirs[i] = r, w; i == 0 {
			ours[i], theirs[i] = w, r
		}
		s.theirs = append(s.theirs, theirs[i])
	}
	s.stdin, s.outputs = ours[0], ours[1:]
	copy(spec.Streams[:], theirs)
	return s, nil
}

func openTerminal(spec *program.Spec, session bool) (*streams, error) {
	uid, gid := -1, -1
	if spec.User != "" {
		var err error
		if uid, gid, err = program.LookUp(spec.User); err != nil {
			return nil, err
		}
	}
	t, err := terminal.Open(uid)
	if err != nil {
		return nil, err
	}
	s := &streams{terminal: t, stdin: t.Ours, outputs: []*os.File{t.Ours}, theirs: []*os.File{t.Theirs}}
	spec.Streams = [3]*os.File{t.Theirs, t.Theirs, t.Theirs}
	if session {
		return s, nil
	}
	s.log, err = openLog(*spec, uid, gid)
	return s, err
}

// openLog opens what keeps a terminal's output, for the user whose program is on it.
func openLog(spec program.Spec, uid, gid int) (io.WriteCloser, error) {
	log, err := openOutput(spec, filepath.Join(spec.Dir, "stdout"), os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	if err != nil {
		return nil, err
	}
	if uid >= 0 {
		if err := give(log, uid, gid); err != nil {
			return nil, errors.Join(err, log.Close())
		}
	}
	return log, nil
}

// launched closes the program's ends: it has its own now, or never will.
func (s *streams) launched() error {
	if s == nil {
		return nil
	}
	var failed error
	for _, f := range s.theirs {
		failed = errors.Join(failed, f.Close())
	}
	s.theirs = nil
	return failed
}

// close closes what is open. It is called once.
func (s *streams) close() error {
	if s == nil {
		return nil
	}
	failed := s.launched()
	if s.stdin != nil && s.terminal == nil {
		if err := s.stdin.Close(); err != nil && !errors.Is(err, os.ErrClosed) { // by the client's end of input
			failed = errors.Join(failed, err)
		}
	}
	for _, f := range s.outputs {
		failed = errors.Join(failed, f.Close())
	}
	if s.log != nil {
		failed = errors.Join(failed, s.log.Close())
	}
	return failed
}

// take writes a piece of input, or does what it says about the terminal. It
// blocks as long as the program takes nothing, unless a deadline is set.
func (s *streams) take(io *agent.ProcessIO) error {
	switch {
	case io.GetType() == agent.ProcessIO_CONTROL && io.GetControl().GetType() == agent.ProcessIO_Control_TTY_INFO:
		if s.terminal == nil {
			return field.Invalid("control.tty_info", nil, "there is no terminal")
		}
		size := io.GetControl().GetTtyInfo().GetWindowSize()
		return s.terminal.Resize(size.GetRows(), size.GetColumns())
	case io.GetType() != agent.ProcessIO_DATA:
		return nil // a heartbeat
	case io.GetData().GetType() != agent.ProcessIO_Data_STDIN:
		return field.Invalid("data.type", io.GetData().GetType().String(), "must be STDIN")
	case len(io.GetData().GetData()) > 0:
		_, err := s.stdin.Write(io.GetData().GetData())
		return err
	case s.terminal == nil:
		return s.stdin.Close()
	}
	return nil // the program behind a terminal is told by the character for it
}
