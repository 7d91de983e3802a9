package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// Plain TCP is the yardstick of what a machine's kernel and Go's network
// poller cost alone: the same bytes, with neither frames, queues nor actors.

// plainSize is about what a message of 100 bytes is on a link.
const plainSize = 112

// plainRole is a process that connects to the address of the first argument as
// often as the second says, and sends back all that comes.
func plainRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("arguments %q, want an address and a number", args)
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", args[0]); err != nil {
			return err
		}
		go echo(conns[i])
	}
	fmt.Fprintln(out, "connected")
	errs := []error{untilEOF(in)}
	for _, c := range conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// echo ends with the connection.
func echo(c net.Conn) {
	b := make([]byte, 1024)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// plain is connections with processes that echo.
type plain struct {
	children []*child
	conns    []net.Conn
}

func newPlain(ctx context.Context, processes, each int) (p *plain, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, listener.Close()) }()
	p = &plain{}
	accepted := make(chan error, 1)
	go func() {
		for range processes * each {
			c, err := listener.Accept()
			if err != nil {
				accepted <- err
				return
			}
			p.conns = append(p.conns, c)
		}
		accepted <- nil
	}()
	for range processes {
		c, err := startChild(ctx, "plain", listener.Addr().String(), strconv.Itoa(each))
		if err != nil {
			return nil, errors.Join(err, p.end())
		}
		p.children = append(p.children, c)
	}
	return p, <-accepted
}

func (p *plain) end() error {
	var errs []error
	for _, c := range p.conns {
		errs = append(errs, c.Close())
	}
	for _, c := range p.children {
		errs = append(errs, c.end())
	}
	return errors.Join(errs...)
}

// pingPong gives the times of n round trips over one connection.
func (p *plain) pingPong(n int) ([]time.Duration, error) {
	b := make([]byte, plainSize)
	times := make([]time.Duration, 0, n)
	for range n {
		sent := time.Now()
		if _, err := p.conns[0].Write(b); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(p.conns[0], b); err != nil {
			return nil, err
		}
		times = append(times, time.Since(sent))
	}
	return times, nil
}

// pingAll gives this process's CPU time for so many rounds over all
// connections, a goroutine reading each.
func (p *plain) pingAll(rounds int) (time.Duration, error) {
	var came sync.WaitGroup
	for _, c := range p.conns {
		go func() {
			b := make([]byte, plainSize)
			for {
				if _, err := io.ReadFull(c, b); err != nil {
					return
				}
				came.Done()
			}
		}()
	}
	b := make([]byte, plainSize)
	var before time.Duration
	for i := range rounds + 1 {
		came.Add(len(p.conns))
		for _, c := range p.conns {
			if _, err := c.Write(b); err != nil {
				return 0, err
			}
		}
		came.Wait()
		if i == 0 {
			var err error
			if before, err = cpuTime(); err != nil {
				return 0, err
			}
		}
	}
	now, err := cpuTime()
	return now - before, err
}
