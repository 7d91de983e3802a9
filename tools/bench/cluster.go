package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// localCluster is a running `troupe local`.
type localCluster struct {
	Master string // host:port
	dir    string
	cmd    *exec.Cmd
}

// readyTimeout bounds the start of a cluster; building the program is part of
// it.
const readyTimeout = 3 * time.Minute

// startLocal builds troupe and runs it with one agent that has the given
// resources.
func startLocal(ctx context.Context, resources string) (_ *localCluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	dir, program, err := buildTroupe(ctx)
	if err != nil {
		return nil, err
	}
	c := &localCluster{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	c.cmd = exec.Command(program, "local", "--agents=1", "--port=0", "--work_dir="+filepath.Join(dir, "work"),
		"--resources="+resources, "--logging_level=warning")
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.Master, err = readMaster(ctx, out)
	return c, err
}

// readMaster finds the master's address in what the cluster says when it is
// ready, and lets it go on talking.
func readMaster(ctx context.Context, out io.Reader) (string, error) {
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), "http://"); ok {
				select {
				case found <- strings.FieldsFunc(rest, func(r rune) bool { return r == '/' || r == ' ' })[0]:
				default: // the first URL is the master's
				}
			}
		}
		close(found)
	}()
	select {
	case address, ok := <-found:
		if !ok {
			return "", errors.New("troupe local ended before it was ready")
		}
		return address, answers(ctx, address)
	case <-ctx.Done():
		return "", fmt.Errorf("troupe local is not ready: %w", ctx.Err())
	}
}

func answers(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/health", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// stop ends the cluster as Ctrl-C does.
func (c *localCluster) stop() error {
	var err error
	if c.cmd != nil && c.cmd.Process != nil {
		if err = c.cmd.Process.Signal(syscall.SIGINT); err == nil {
			err = c.cmd.Wait()
		}
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// processes are the cluster's own: the one with master and agent, and the
// executor hosts that it started, but not the tasks.
func (c *localCluster) processes() ([]int, error) {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	ours := []int{c.cmd.Process.Pid}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var pid int
		args := strings.Split(string(text), "\x00")
		if len(args) < 2 || args[1] != "executor-host" || args[0] != c.cmd.Path {
			continue
		}
		if _, err := fmt.Sscanf(path, "/proc/%d/cmdline", &pid); err != nil {
			return nil, err
		}
		ours = append(ours, pid)
	}
	return ours, nil
}
