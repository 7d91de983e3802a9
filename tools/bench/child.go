package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// childCommand makes this program one of the processes that a work starts.
const childCommand = "child"

// role is what a child does: it prints a line when it is ready, and ends with
// its input.
type role func(args []string, in io.Reader, out io.Writer) error

func roles() map[string]role {
	return map[string]role{
		"node":       nodeRole,
		"bare":       bareRole,
		"peers":      peersRole,
		"plain":      plainRole,
		"crowd":      crowdRole,
		"leader":     leaderRole,
		"returning":  returningRole,
		"reregister": reregisterRole,
		"showing":    showingRole,
		"changing":   changingRole,
		"audience":   audienceRole,
	}
}

func runChild(name string, args []string, in io.Reader, out io.Writer) error {
	r, ok := roles()[name]
	if !ok {
		return fmt.Errorf("no role %q", name)
	}
	return r(args, in, out)
}

// child is a process that a work started.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
	ready string // what it printed when it was
}

// startChild starts this program in a role and waits until it is ready.
func startChild(ctx context.Context, role string, args ...string) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(ctx, exe, append([]string{childCommand, role}, args...)...)}
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.lines = bufio.NewReader(out)
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("child %s was never ready: %w", role, err), c.end())
	}
	c.ready = strings.TrimSpace(line)
	return c, nil
}

// end closes the child's input and waits for it.
func (c *child) end() error {
	return errors.Join(c.in.Close(), c.cmd.Wait())
}

// numbers reads whole numbers among a child's arguments.
func numbers(args []string, into ...*int) (err error) {
	for i, n := range into {
		if *n, err = strconv.Atoi(args[i]); err != nil {
			return err
		}
	}
	return nil
}

// start tells that a child is ready, and waits for a line that says go. What
// comes after the line is in what it returns.
func start(in io.Reader, out io.Writer) (*bufio.Reader, error) {
	fmt.Fprintln(out, "ready")
	input := bufio.NewReader(in)
	_, err := input.ReadString('\n')
	return input, err
}

// untilEOF waits for the end of a child's input.
func untilEOF(in io.Reader) error {
	_, err := io.Copy(io.Discard, in)
	return err
}
