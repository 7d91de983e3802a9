package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// socket is that of HAProxy's master process, which passes commands on to workers.
type socket string

const (
	// answerTime bounds how long a command may take.
	answerTime = 5 * time.Second
	// moment bounds how long a socket may be without anybody who listens.
	moment = 3 * time.Second
	// longestAnswer bounds what is read of one, in bytes.
	longestAnswer = 64 << 20
)

// errNoMaster tells that nobody listens.
var errNoMaster = errors.New("no master process listens")

// ask sends one command and returns its answer without the line that ends it.
func (s socket) ask(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, err := s.dial(ctx)
	if err != nil {
		return "", fmt.Errorf("haproxy: %s: %w: %w", s, errNoMaster, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	text, err := exchange(c, command)
	if err := errors.Join(err, c.Close()); err != nil {
		return "", fmt.Errorf("haproxy: %q: %w", command, err)
	}
	return text, nil
}

// dial connects to the master. While one begins anew nobody listens for a moment,
// though the socket is there.
func (s socket) dial(ctx context.Context) (net.Conn, error) {
	limit := time.NewTimer(moment)
	defer limit.Stop()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "unix", string(s))
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return c, err
		}
		select {
		case <-limit.C:
			return nil, err
		case <-tick.C:
		}
	}
}

// exchange sends all there is to send, and reads until the other side has, too. (An
// empty line ends most answers, but not all.)
func exchange(c net.Conn, command string) (string, error) {
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		return "", err
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return "", err
		}
	}
	answer, err := io.ReadAll(io.LimitReader(c, longestAnswer))
	return strings.TrimSpace(string(answer)), err
}

// worker asks the current worker.
func (s socket) worker(ctx context.Context, command string) (string, error) {
	return s.ask(ctx, "@1 "+command)
}

// processes are those of an HAProxy.
type processes struct {
	master          int // process id
	reloads, failed int
	current         bool  // there is a worker
	old             []int // workers that finish what they have begun, by process id
}

// processes asks the master.
func (s socket) processes(ctx context.Context) (processes, error) {
	text, err := s.ask(ctx, "show proc")
	if err != nil {
		return processes{}, err
	}
	return readProcesses(text)
}

// readProcesses reads the table of "show proc".
func readProcesses(text string) (processes, error) {
	var p processes
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(f[0], "#") {
			continue
		}
		pid, err := strconv.Atoi(f[0])
		reloads, err2 := strconv.Atoi(f[2])
		if err := errors.Join(err, err2); err != nil {
			return p, fmt.Errorf("haproxy: show proc: %q: %w", strings.TrimSpace(line), err)
		}
		switch {
		case f[1] == "master":
			p.master, p.reloads = pid, reloads
			if len(f) > 4 && f[3] == "[failed:" {
				if p.failed, err = strconv.Atoi(strings.TrimSuffix(f[4], "]")); err != nil {
					return p, fmt.Errorf("haproxy: show proc: %q: %w", strings.TrimSpace(line), err)
				}
			}
		case f[1] == "worker" && reloads == 0:
			p.current = true
		case f[1] == "worker":
			p.old = append(p.old, pid)
		}
	}
	if p.master == 0 {
		return p, fmt.Errorf("haproxy: show proc: no master in %q", text)
	}
	return p, nil
}

// busy adds how many requests or connections are on their way in a worker, by server
// and so by task; "1" is the current worker, "!PID" another.
func (s socket) busy(ctx context.Context, worker string, sum map[string]int) error {
	text, err := s.ask(ctx, "@"+worker+" show servers conn")
	if err != nil {
		return err
	}
	return readBusy(text, sum)
}

// busyHead is how that table begins.
const busyHead = "# bkname/svname"

// readBusy reads the table of "show servers conn".
func readBusy(text string, sum map[string]int) error {
	if !strings.HasPrefix(text, busyHead) {
		return fmt.Errorf("haproxy: show servers conn: %.200q", text)
	}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 7 || strings.HasPrefix(f[0], "#") {
			continue
		}
		n, err := strconv.Atoi(f[6])
		if err != nil {
			return fmt.Errorf("haproxy: show servers conn: %q: %w", strings.TrimSpace(line), err)
		}
		sum[f[0][strings.LastIndexByte(f[0], '/')+1:]] += n
	}
	return nil
}
