package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// cluster is a master and an agent, each a process.
type cluster struct {
	dir, program  string
	master, agent *process
	members       []*process // masters of another cluster, that share a registry
	// gone tells that the agent was told to end: its exit status says so.
	gone bool
}

// name is what kind of daemon a process is.
func (p *process) name() string { return p.state + p.cmd.Args[1] }

// process is a daemon of the cluster.
type process struct {
	address string // host:port
	state   string // standingBy, or empty
	cmd     *exec.Cmd
	log     *lines
}

// startMaster builds the program and starts a master on a free port; it serves
// when this returns.
func startMaster(ctx context.Context, dir string) (*cluster, error) {
	program := filepath.Join(dir, "troupe")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "troupe/tools/troupe").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build troupe: %w\n%s", err, out)
	}
	c := &cluster{dir: dir, program: program}
	var err error
	c.master, err = start(ctx, program, "master", "--port=0", "--ip=127.0.0.1", "--hostname=localhost",
		"--work_dir="+filepath.Join(dir, "master"), "--log_dir="+filepath.Join(dir, "log"), "--cluster=example", "--allocation_interval=50ms")
	return c, err
}

// startAgent starts an agent of the master.
func (c *cluster) startAgent(ctx context.Context) (err error) {
	c.agent, err = start(ctx, c.program, "agent", "--port=0", "--ip=127.0.0.1", "--hostname=localhost", "--master="+c.master.address,
		"--work_dir="+filepath.Join(c.dir, "agent"), "--log_dir="+filepath.Join(c.dir, "log"), "--registration_backoff_factor=50ms",
		"--executor_shutdown_grace_period=1secs", "--executor_heartbeat_interval=1secs",
		"--resources=cpus:4;mem:4096;disk:10240;ports:[31000-32000]", "--attributes=rack:r1")
	return err
}

// start starts a daemon, and returns when it serves.
func start(ctx context.Context, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), log: &lines{address: make(chan string, 1)}}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(program), "TMPDIR=" + filepath.Dir(program)}
	p.cmd.Dir, p.cmd.Stderr = "/", p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", args[0], err)
	}
	ended := make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // stop looks at how it ended
		close(ended)
	}()
	p.log.ended = ended
	select {
	case p.address = <-p.log.address:
		return p, nil
	case <-ended:
		return nil, fmt.Errorf("the %s ended: %s", args[0], p.log)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stop ends the agent with all that it runs, and then the master.
func (c *cluster) stop() error {
	var err error
	for _, p := range append([]*process{c.agent, c.master}, c.members...) {
		if p == nil {
			continue
		}
		signal := syscall.SIGTERM
		if p == c.agent {
			signal = syscall.SIGUSR1
		}
		_ = p.cmd.Process.Signal(signal) // it may have ended
		<-p.log.ended
		if state := p.cmd.ProcessState; !state.Success() && (p != c.agent || !c.gone) {
			err = errors.Join(err, fmt.Errorf("%s: %v\n%s", p.cmd.Args[1], state, p.log))
		}
	}
	return err
}

// lines is what a daemon logs, in which it says where it serves.
type lines struct {
	address chan string
	ended   <-chan struct{}

	mu   sync.Mutex
	text bytes.Buffer
	told bool
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if l.told {
		return len(p), nil
	}
	in := bufio.NewReader(bytes.NewReader(l.text.Bytes()))
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return len(p), nil
		}
		var said struct{ Msg, URL string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "serving" {
			l.told = true
			l.address <- strings.TrimPrefix(said.URL, "http://")
			return len(p), nil
		}
	}
}

// String is all that was logged.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
