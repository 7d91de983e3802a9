package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// pollEvery is how often a daemon is asked whether something has come true.
const pollEvery = 5 * time.Millisecond

// buildTroupe builds the program in a new folder, which is the caller's to use
// and remove. After an error there is none.
func buildTroupe(ctx context.Context) (dir, program string, err error) {
	if dir, err = os.MkdirTemp("", "troupe-bench-"); err != nil {
		return "", "", err
	}
	program = filepath.Join(dir, "troupe")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "troupe/tools/troupe")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", "", errors.Join(fmt.Errorf("build troupe: %w", err), os.RemoveAll(dir))
	}
	return dir, program, nil
}

// daemon is a master or an agent as a process of its own.
type daemon struct {
	program, role string
	port          int
	args          []string
	cmd           *exec.Cmd    // nil while it does not run
	log           bytes.Buffer // of the process that runs; read when it has ended
}

func newDaemon(program, role string, args ...string) (*daemon, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &daemon{program: program, role: role, port: l.Addr().(*net.TCPAddr).Port, args: args}
	return d, l.Close()
}

func (d *daemon) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port)) }

func (d *daemon) start() error {
	args := append([]string{d.role, "--ip=127.0.0.1", "--port=" + strconv.Itoa(d.port), "--logging_level=error"}, d.args...)
	d.cmd = exec.Command(d.program, args...)
	d.log.Reset()
	d.cmd.Stderr = &d.log
	return d.cmd.Start()
}

// kill ends the process as a failure does, and waits until it is gone.
func (d *daemon) kill() error { return d.end(syscall.SIGKILL) }

// end sends a signal that ends the process, and waits until it is gone.
func (d *daemon) end(signal syscall.Signal) error {
	if d.cmd == nil {
		return nil
	}
	if err := d.cmd.Process.Signal(signal); err != nil {
		return err
	}
	var exit *exec.ExitError
	err := d.cmd.Wait()
	d.cmd = nil
	if errors.As(err, &exit) && exit.Exited() && signal == syscall.SIGKILL {
		return fmt.Errorf("%s at %s had ended: %w: %s", d.role, d.address(), err, d.log.Bytes())
	}
	if exit != nil {
		return nil
	}
	return err
}

// direct does not follow a master that names another one.
var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// errNotServed is the error of a daemon that answers without metrics, as
// masters do that do not lead.
var errNotServed = errors.New("no metrics are served")

// metrics reads /metrics/snapshot.
func (d *daemon) metrics(ctx context.Context) (metrics map[string]float64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.address()+"/metrics/snapshot", nil)
	if err != nil {
		return nil, err
	}
	response, err := direct.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s", errNotServed, response.Status)
	}
	return metrics, json.NewDecoder(response.Body).Decode(&metrics)
}

// answers waits until the daemon answers, whatever it says.
func (d *daemon) answers(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		_, err := d.metrics(ctx)
		if err == nil || errors.Is(err, errNotServed) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s at %s does not answer: %w", d.role, d.address(), errors.Join(ctx.Err(), err))
		}
	}
}

// await polls the metrics until they say yes. While the daemon does not answer
// it is asked again.
func (d *daemon) await(ctx context.Context, what string, yes func(metrics map[string]float64) bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		metrics, err := d.metrics(ctx)
		if err == nil && yes(metrics) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		}
	}
}
