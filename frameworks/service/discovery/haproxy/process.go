package haproxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// process is a master that we started.
type process struct {
	command *exec.Cmd
	done    chan struct{}
	status  error    // once done
	said    *os.File // the end of its output that we read

	mu   sync.Mutex
	last string // line that it said
}

// failure is why it ended.
func (p *process) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("%w: %s", p.status, p.last)
}

// ended is closed when it has; nil for no process.
func (p *process) ended() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.done
}

// times of processes.
const (
	startTime = 15 * time.Second // until a worker is ready
	checkTime = 15 * time.Second
	otherTime = 30 * time.Second // of Options.Reload
	softTime  = 5 * time.Second  // to finish what has begun
	askAgain  = 20 * time.Millisecond
)

// alive tells whether there is a process, ours or one that was found.
func (k *Keeper) alive(ctx context.Context) (bool, error) {
	if k.process != nil {
		select {
		case <-k.process.done:
			k.log.Error("HAProxy ended; it is started again", zap.Error(k.process.failure()))
			k.process, k.held = nil, map[string]bool{}
			k.lose(none)
		default:
			return true, nil
		}
	}
	_, err := k.socket.processes(ctx)
	if errors.Is(err, errNoMaster) {
		k.held = map[string]bool{}
		k.lose(none)
		return false, nil
	}
	return err == nil, err
}

// start starts a process. It is in a session of its own: signals for ours are not
// for it, and it runs on when we are killed.
func (k *Keeper) start(ctx context.Context, c Config) error {
	if err := k.write(ctx, c, true); err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("haproxy: %w", err)
	}
	p := &process{done: make(chan struct{}), said: read}
	p.command = exec.Command(k.options.Program, "-W", "-S", string(k.socket)+",mode,600,level,admin", "-f", k.options.Config)
	p.command.Stdout, p.command.Stderr = write, write
	p.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = p.command.Start()
	if err := errors.Join(err, write.Close()); err != nil {
		return errors.Join(fmt.Errorf("haproxy: %w", err), read.Close())
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		k.listen(p)
	}()
	go func() {
		p.status = p.command.Wait()
		<-heard
		close(p.done)
	}()
	k.process = p
	k.lose(unknown)
	k.log.Info("HAProxy started", zap.Int("pid", p.command.Process.Pid), zap.String("config", k.options.Config))
	return k.await(ctx, func(now processes) (bool, error) { return now.current, nil })
}

// listen logs what a process says.
func (k *Keeper) listen(p *process) {
	for lines := bufio.NewScanner(p.said); lines.Scan(); {
		k.log.Debug("HAProxy says", zap.String("text", lines.Text()))
		p.mu.Lock()
		p.last = lines.Text()
		p.mu.Unlock()
	}
}

// reload has a new worker read the configuration, and inherit the sockets. The old
// one finishes what it has begun.
func (k *Keeper) reload(ctx context.Context, c Config) error {
	if err := k.write(ctx, c, true); err != nil {
		return err
	}
	before, err := k.socket.processes(ctx)
	if err != nil {
		return err
	}
	k.lose(unknown)
	if _, err := k.socket.ask(ctx, "reload"); err != nil {
		return err
	}
	return k.await(ctx, func(now processes) (bool, error) {
		if now.failed > before.failed {
			return false, errors.New("haproxy: the new process did not start, the old one goes on; is a port in use?")
		}
		return now.reloads > before.reloads && now.current, nil
	})
}

// await polls until the processes are as they should be.
func (k *Keeper) await(ctx context.Context, ok func(processes) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	var last error
	for {
		now, err := k.socket.processes(ctx)
		if err == nil {
			var good bool
			if good, err = ok(now); good || err != nil {
				return err
			}
		}
		last = err
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("haproxy: no worker is ready: %w", ctx.Err()), last)
		case <-k.process.ended():
			return fmt.Errorf("haproxy: it ended at once: %w", k.process.failure())
		case <-tick.C:
		}
	}
}

// write puts a configuration in its place, unless it is there already; with check
// only one that HAProxy can read.
func (k *Keeper) write(ctx context.Context, c Config, check bool) error {
	text := Render(c)
	if text == k.text {
		return nil
	}
	fresh := k.options.Config + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		return fmt.Errorf("haproxy: %w", err)
	}
	if check {
		if err := k.check(ctx, fresh); err != nil {
			return err
		}
	}
	if err := os.Rename(fresh, k.options.Config); err != nil {
		return fmt.Errorf("haproxy: %w", err)
	}
	k.text, k.written = text, time.Now()
	return nil
}

// check has HAProxy read a configuration.
func (k *Keeper) check(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	said, err := exec.CommandContext(ctx, k.options.Program, "-c", "-f", path).CombinedOutput()
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitCode() == nothingToDo {
		return nil
	}
	return fmt.Errorf("haproxy: %s -c -f %s: %w: %s", k.options.Program, path, err, ending(said))
}

// nothingToDo is how a check ends of a configuration that is right, and serves
// nothing; with a master's socket that does no harm.
const nothingToDo = 2

// ending is the end of an output.
func ending(said []byte) string {
	const most = 1000
	said = bytes.TrimSpace(said)
	return string(said[max(0, len(said)-most):])
}

// tellOther runs the operator's command after a change.
func (k *Keeper) tellOther(ctx context.Context, c Config) error {
	if Render(c) == k.text {
		return nil
	}
	if k.wait() > 0 {
		return k.lastFailure()
	}
	if err := k.write(ctx, c, false); err != nil {
		return k.tried(err, c)
	}
	ctx, cancel := context.WithTimeout(ctx, otherTime)
	defer cancel()
	said, err := exec.CommandContext(ctx, "/bin/sh", "-c", k.options.Reload).CombinedOutput()
	if err != nil {
		k.text = "" // to be told again
		err = fmt.Errorf("haproxy: %q: %w: %s", k.options.Reload, err, ending(said))
	}
	return k.tried(err, c)
}

// end ends the process, unless it is to be left, or another's.
func (k *Keeper) end() error {
	if k.process != nil {
		defer k.process.said.Close()
	}
	if k.options.Leave || k.options.Reload != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*softTime)
	defer cancel()
	now, err := k.socket.processes(ctx)
	pid := now.master
	switch {
	case k.process != nil:
		pid = k.process.command.Process.Pid
	case errors.Is(err, errNoMaster):
		return nil
	case err != nil:
		return err
	}
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(pid, s); errors.Is(err, syscall.ESRCH) || k.gone(softTime) {
			return nil
		}
	}
	return fmt.Errorf("haproxy: process %d does not end", pid)
}

// gone waits until the process has ended.
func (k *Keeper) gone(limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		if k.process == nil {
			if _, err := k.socket.processes(ctx); errors.Is(err, errNoMaster) {
				return ctx.Err() == nil
			}
		}
		select {
		case <-k.process.ended():
			return true
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
