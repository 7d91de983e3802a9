package linux

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/plan"
)

const (
	// nudge is how long an init may say nothing of a launch before it is held for
	// stopped, and made to go on.
	nudge = 250 * time.Millisecond
	// slowest is how long a launch may take, on file systems that do not answer.
	slowest = 2 * time.Minute
)

// begin waits for the init's word that the program runs.
func (p *Process) begin() error {
	report, pidfd, err := p.said, -1, error(nil)
	for begun := time.Now(); report == nil && err == nil; {
		err = p.control.SetReadDeadline(time.Now().Add(nudge))
		if err == nil {
			report, pidfd, err = p.hear()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && time.Since(begun) < slowest {
			// A program may stop its init before that could say that it runs.
			err = p.child.Signal(p.child.Pid(), unix.SIGCONT)
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("launching: the init ended before it said why")
	case err != nil:
		return fmt.Errorf("launching: %w", err)
	case report.Kind == plan.Failed:
		return explain(report)
	case report.Kind != plan.Started:
		return fmt.Errorf("launching: the init says %q", rune(report.Kind))
	case pidfd < 0:
		return nil // it holds namespaces
	}
	if err := unix.SetNonblock(pidfd, true); err != nil {
		return errors.Join(fmt.Errorf("launching: making a pidfd non-blocking: %w", err), unix.Close(pidfd))
	}
	p.pidfd = os.NewFile(uintptr(pidfd), "pidfd")
	if p.pid, err = numberOf(pidfd); err != nil {
		return errors.Join(fmt.Errorf("launching: %w", err), p.pidfd.Close())
	}
	return nil
}

// numberOf is the number, on this machine, of the process of a pidfd; 0 if it has
// been reaped already.
func numberOf(pidfd int) (int, error) {
	data, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(pidfd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "Pid:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			return max(n, 0), err
		}
	}
	return 0, fmt.Errorf("a pidfd without a number: %q", data)
}

// hear waits for a report, and the file that may come with it, -1 if none. io.EOF
// means that the init is gone.
func (p *Process) hear() (*plan.Report, int, error) {
	raw, err := p.control.SyscallConn()
	if err != nil {
		return nil, -1, err
	}
	var report *plan.Report
	var rerr error
	file := -1
	err = raw.Read(func(fd uintptr) bool {
		report, file, rerr = receive(int(fd))
		return !errors.Is(rerr, unix.EAGAIN)
	})
	return report, file, errors.Join(err, rerr)
}

// receive takes a report off a socket, and the file that may come with it.
func receive(socket int) (*plan.Report, int, error) {
	b, rights := make([]byte, 16<<10), make([]byte, unix.CmsgSpace(4))
	var n, rn int
	for {
		var err error
		n, rn, _, _, err = unix.Recvmsg(socket, b, rights, unix.MSG_CMSG_CLOEXEC)
		// An init that ended with an order unread leaves a reset, before its reports.
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ECONNRESET) {
			continue
		}
		if err != nil {
			return nil, -1, err
		}
		break
	}
	if n == 0 {
		return nil, -1, io.EOF
	}
	file := -1
	if messages, err := unix.ParseSocketControlMessage(rights[:rn]); err == nil && len(messages) == 1 {
		if fds, err := unix.ParseUnixRights(&messages[0]); err == nil && len(fds) == 1 {
			file = fds[0]
		}
	}
	report, err := plan.DecodeReport(b[:n])
	return report, file, err
}

// wait runs until the program has ended, then ends what it left.
func (p *Process) wait() {
	status, known := -1, true
	if p.pidfd != nil {
		p.awaitProgram()
		status, known = p.finish()
	}
	aerr := p.awaitInit()
	if !known {
		p.purge() // what an init that was killed could not keep
		status = p.recorded()
	}
	_, rerr := p.child.Reap()
	p.tell(errors.Join(aerr, rerr))
	p.grace.End()
	p.exit = container.Exit{Status: status}
	p.child.Forget()
	p.control.Close() // nothing is on its way to who is gone
	if p.pidfd != nil {
		p.pidfd.Close()
	}
	close(p.done)
}

// recorded is the status that an init had written down before it was killed; -1 if none.
func (p *Process) recorded() int {
	if p.status == "" {
		return -1
	}
	status, ok, err := ReadStatus(p.status)
	p.tell(err)
	if !ok {
		return -1
	}
	return status
}

// awaitProgram blocks until the program is a zombie, or gone.
func (p *Process) awaitProgram() {
	raw, err := p.pidfd.SyscallConn()
	if err == nil {
		err = raw.Read(ended)
	}
	p.tell(err)
}

// awaitInit waits until the init has reaped everything and ended. Who is always
// another process may be overlooked, so it is looked for again.
func (p *Process) awaitInit() error {
	if p.pidfd == nil {
		return p.child.Await()
	}
	for {
		ended, err := p.child.AwaitFor(nudge)
		if ended || err != nil {
			return err
		}
		_ = p.child.Signal(p.child.Pid(), unix.SIGCONT) // somebody may have stopped it
		p.purge()
	}
}

// finish ends what the program has left, and says how it ended, if its init does.
// Most leave nothing: then nobody has to look.
func (p *Process) finish() (status int, known bool) {
	_ = p.child.Signal(p.child.Pid(), unix.SIGCONT) // its program may have stopped it
	report, err := p.hearEnd(nudge)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.clear() // somebody keeps the init from its work
		report, err = p.hearEnd(patience)
	}
	switch {
	case err != nil:
		p.endInit()
		return -1, false
	case report.Left && p.new&plan.NewPID == 0:
		p.purge()
	default:
		p.killGroup()
	}
	return int(report.Status), true
}

// hearEnd waits for how the program ended.
func (p *Process) hearEnd(wait time.Duration) (*plan.Report, error) {
	if err := p.control.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	report, _, err := p.hear()
	if err == nil && report.Kind != plan.Exited {
		err = fmt.Errorf("the init says %q", rune(report.Kind))
	}
	return report, err
}
