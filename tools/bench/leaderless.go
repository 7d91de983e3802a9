package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// successions are how often a leader is killed; the median counts, since luck
// decides when the others notice.
const successions = 5

// zkSession is for how long ZooKeeper keeps the session of a master that was
// killed; nobody can follow sooner.
const zkSession = 2 * time.Second

// leaderless is the work of that name: the leading one of three masters is
// killed, and the time counts until another one answers as the leader, by HTTP.
func leaderless(ctx context.Context, l load) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	dir, program, err := buildTroupe(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	servers, err := startEnsemble(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, servers.end()) }()
	kills := min(successions, l.of(100*successions))
	for _, by := range []struct {
		name   string
		atMost float64 // seconds
		flags  func(addresses []string) []string
	}{
		{"raft", 2, func(addresses []string) []string { return []string{"--masters=" + strings.Join(addresses, ",")} }},
		{"ZooKeeper", (zkSession + time.Second).Seconds(), func([]string) []string {
			return []string{"--zk=" + servers.URL("/leaderless"), "--zk_session_timeout=" + zkSession.String()}
		}},
	} {
		all, err := newMasters(program, filepath.Join(dir, by.name), by.flags)
		if err != nil {
			return figures, err
		}
		times, err := all.succeed(ctx, kills)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", by.name, err)
		}
		figures = append(figures,
			figure{by.name + ": without a leader, p50", median(times).Seconds(), "s", target{atMost: by.atMost}},
			figure{by.name + ": without a leader, worst", longest(times).Seconds(), "s", target{}})
	}
	return figures, nil
}

// mastersOfOne is the masters of one cluster.
type mastersOfOne []*daemon

// newMasters is masters whose flags say who elects them.
func newMasters(program, dir string, flags func(addresses []string) []string) (mastersOfOne, error) {
	var all mastersOfOne
	var addresses []string
	for i := range masterCount {
		d, err := newDaemon(program, "master", fmt.Sprintf("--work_dir=%s/%d", dir, i))
		if err != nil {
			return nil, err
		}
		all = append(all, d)
		addresses = append(addresses, d.address())
	}
	for _, d := range all {
		d.args = append(d.args, flags(addresses)...)
	}
	return all, nil
}

// succeed starts the masters, and then kills the leader so many times; the one
// that was killed is started again when another leads.
func (all mastersOfOne) succeed(ctx context.Context, kills int) (times []time.Duration, err error) {
	defer func() {
		for _, d := range all {
			err = errors.Join(err, d.kill())
		}
	}()
	for _, d := range all {
		if err := d.start(); err != nil {
			return nil, err
		}
	}
	leader, err := all.leader(ctx)
	if err != nil {
		return nil, err
	}
	for range kills {
		begun := time.Now()
		if err := leader.kill(); err != nil {
			return nil, err
		}
		next, err := all.leader(ctx)
		if err != nil {
			return nil, err
		}
		times = append(times, time.Since(begun))
		if err := leader.start(); err != nil {
			return nil, err
		}
		if err := leader.answers(ctx); err != nil {
			return nil, err
		}
		leader = next
	}
	return times, nil
}

// leader waits for one that leads.
func (all mastersOfOne) leader(ctx context.Context) (*daemon, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		for _, d := range all {
			if metrics, err := d.metrics(ctx); err == nil && metrics["master/elected"] == 1 {
				return d, nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("no master leads: %w", ctx.Err())
		}
	}
}

func median(times []time.Duration) time.Duration {
	return better(nil, times)[len(times)/2]
}

func longest(times []time.Duration) time.Duration {
	return better(nil, times)[len(times)-1]
}
