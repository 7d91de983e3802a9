package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// What stream measures. Each task is added, and told of three times.
const (
	streamSubscribers = 1000
	streamRate        = 10_000 // tasks per minute
	streamTime        = time.Minute
	// Until the log is full of encoded events.
	streamWarm  = time.Minute
	streamLooks = 12 // at the memory
)

// streamEvents is the work stream: master and subscribers are processes of their
// own.
func streamEvents(ctx context.Context, l load) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	m, err := startChild(ctx, "changing", strconv.Itoa(streamRate/l.scale))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.end()) }()
	subscribers := l.of(streamSubscribers)
	a, err := startChild(ctx, "audience", m.ready, strconv.Itoa(subscribers))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.end()) }()
	if err := pass(ctx, streamWarm/time.Duration(l.scale)); err != nil {
		return nil, err
	}
	begun := time.Now()
	pids := []int{m.cmd.Process.Pid}
	before, err := cpuOf(pids)
	if err != nil {
		return nil, err
	}
	memory, err := looks(ctx, pids, streamTime/time.Duration(l.scale))
	if err != nil {
		return nil, err
	}
	took := time.Since(begun).Seconds()
	after, err := cpuOf(pids)
	if err != nil {
		return nil, err
	}
	heard, err := a.stop()
	if err != nil {
		return nil, err
	}
	third := len(memory) / 3
	return []figure{
		{"subscribers", float64(subscribers), "", target{}},
		{"events, of all subscribers", float64(heard.events) / (took + (streamWarm / time.Duration(l.scale)).Seconds()) / 1e3, "k/s", target{}},
		{"lost, late or broken off", float64(heard.lost), "", target{atMost: 0.5}},
		{"from the change to a subscriber, p99", heard.p99.Seconds() * 1e3, "ms", target{}},
		{"the master's CPU", (after - before).Seconds() / took, "cores", target{}},
		{"the master's memory (PSS)", mean(memory[2*third:]) / (1 << 20), "MiB", target{}},
		{"memory, last third over first", mean(memory[2*third:]) / mean(memory[:third]), "", target{atMost: 1.05}},
	}, nil
}

// looks reads the memory of processes again and again.
func looks(ctx context.Context, pids []int, span time.Duration) ([]float64, error) {
	var all []float64
	for range streamLooks {
		if err := pass(ctx, span/streamLooks); err != nil {
			return nil, err
		}
		n, err := memoryOf(pids)
		if err != nil {
			return nil, err
		}
		all = append(all, float64(n))
	}
	return all, nil
}

// heard is what an audience tells at the end.
type heard struct {
	events, lost int64
	p99          time.Duration
}

func (c *child) stop() (heard, error) {
	var h heard
	if _, err := io.WriteString(c.in, "stop\n"); err != nil {
		return h, err
	}
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return h, fmt.Errorf("the audience ended: %w", err)
	}
	var p99 int64
	if _, err := fmt.Sscan(line, &h.events, &h.lost, &p99); err != nil {
		return h, fmt.Errorf("the audience said %q: %w", line, err)
	}
	h.p99 = time.Duration(p99)
	return h, nil
}
