package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
	"troupe/master/store/replicated"
	"troupe/master/store/znodes"
	"troupe/messages/masters"
)

// masterCount is how many masters, or ZooKeeper servers, make a quorum's
// ensemble here. All share this machine's cores and disk.
const masterCount = 3

// raftPlace is three masters that keep the registry among themselves, in one
// process, with a system and thus links for each.
type raftPlace struct {
	dir     string
	starts  int
	systems []*actors.System
	nodes   []*replicated.Node
}

func beginRaft(dir string) (place, error) {
	p := &raftPlace{dir: dir}
	for range masterCount {
		s, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.systems = append(p.systems, s)
	}
	return p, nil
}

// replicaName is the actor that a node's messages come to.
const replicaName = "replica"

// wire is a node's way to the others.
type wire struct {
	system *actors.System
	self   actors.PID
}

// Send implements replicated.Wire.
func (w wire) Send(address string, m proto.Message) {
	w.system.Do(w.self, func(c *actors.Context) { c.Send(actors.PID{Name: replicaName, Address: address}, m) })
}

// open starts all masters anew, and opens what the one that is elected has.
func (p *raftPlace) open(ctx context.Context) (election.Registry, error) {
	if err := p.stop(ctx); err != nil {
		return nil, err
	}
	p.starts++
	terms := make(chan election.Term, masterCount)
	for i := range p.systems {
		if err := p.start(ctx, i, terms); err != nil {
			return nil, err
		}
	}
	select {
	case term := <-terms:
		return term.Registry(ctx, election.Opening{NewCluster: "bench"})
	case <-ctx.Done():
		return nil, fmt.Errorf("no master was elected: %w", ctx.Err())
	}
}

func (p *raftPlace) start(ctx context.Context, i int, terms chan<- election.Term) error {
	var all []string
	for _, s := range p.systems {
		all = append(all, s.Address())
	}
	s := p.systems[i]
	n, err := replicated.Open(replicated.Options{
		Folder: filepath.Join(p.dir, fmt.Sprint(i)), Masters: all, Address: s.Address(),
		Info: masterInfo(fmt.Sprintf("m%d-%d", i, p.starts)), Wire: wire{s, s.PID(replicaName)},
	})
	if err != nil {
		return err
	}
	p.nodes = append(p.nodes, n)
	_, err = s.Spawn(replicaName, actorFunc(func(c *actors.Context) {
		c.HandleAny(func(c *actors.Context, m proto.Message) { n.Receive(c.Sender().Address, m) })
	}))
	if err != nil {
		return err
	}
	go func() {
		if term, err := n.Lead(ctx); err == nil {
			terms <- term
		}
	}()
	return nil
}

// stop ends the nodes, not their systems.
func (p *raftPlace) stop(ctx context.Context) error {
	var errs []error
	for i, n := range p.nodes {
		errs = append(errs, n.Close(), p.systems[i].Stop(ctx, p.systems[i].PID(replicaName)))
	}
	p.nodes = nil
	return errors.Join(errs...)
}

func (p *raftPlace) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := p.stop(ctx)
	for _, s := range p.systems {
		err = errors.Join(err, end(s))
	}
	return err
}

// zooKeeperPlace is a path of a real ensemble.
type zooKeeperPlace struct {
	servers *ensemble
	options zookeeper.Options
	contest *zookeeper.Contest
	starts  int
}

func beginZooKeeper(dir string) (place, error) {
	servers, err := startEnsemble(dir)
	if err != nil {
		return nil, err
	}
	at, err := masters.ParseZooKeeper(servers.URL("/bench"))
	if err != nil {
		return nil, errors.Join(err, servers.end())
	}
	return &zooKeeperPlace{servers: servers, options: zookeeper.Options{Place: at}}, nil
}

func (p *zooKeeperPlace) open(ctx context.Context) (election.Registry, error) {
	if p.contest != nil {
		if err := p.contest.Close(); err != nil {
			return nil, err
		}
	}
	p.starts++
	p.contest = zookeeper.NewContest(p.options, masterInfo(fmt.Sprint("m", p.starts)), znodes.Open)
	term, err := p.contest.Lead(ctx)
	if err != nil {
		return nil, err
	}
	return term.Registry(ctx, election.Opening{NewCluster: "bench"})
}

func (p *zooKeeperPlace) close() error {
	var err error
	if p.contest != nil {
		err = p.contest.Close()
	}
	return errors.Join(err, p.servers.end())
}

// ensemble is one of zookeepertest's, for a program that is no test.
type ensemble struct {
	*zookeepertest.Ensemble
	scaffold *scaffold
}

// startEnsemble starts ZooKeeper's servers with their files under dir.
func startEnsemble(dir string) (e *ensemble, err error) {
	s := &scaffold{dir: dir}
	defer func() {
		if failed := failureOf(recover()); failed != nil {
			e, err = nil, errors.Join(failed, s.end())
		}
	}()
	return &ensemble{zookeepertest.Start(s, masterCount), s}, nil
}

func (e *ensemble) end() error { return e.scaffold.end() }

// scaffold stands in for a test where servers are started that know no other
// master: a failure is a panic with an error.
type scaffold struct {
	dir      string
	cleanups []func()
}

type failure struct{ error }

// failureOf is the error of a Fatal that was recovered; any other panic goes
// on.
func failureOf(recovered any) error {
	switch r := recovered.(type) {
	case nil:
		return nil
	case failure:
		return r
	default:
		panic(recovered)
	}
}

// Helper does nothing.
func (s *scaffold) Helper() {}

// Fatal ends what was begun.
func (s *scaffold) Fatal(args ...any) { panic(failure{errors.New(fmt.Sprint(args...))}) }

// Fatalf ends what was begun.
func (s *scaffold) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// TempDir is a new folder.
func (s *scaffold) TempDir() string {
	dir, err := os.MkdirTemp(s.dir, "")
	if err != nil {
		s.Fatal(err)
	}
	return dir
}

// Cleanup keeps f for the end.
func (s *scaffold) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scaffold) end() (err error) {
	defer func() {
		if failed := failureOf(recover()); failed != nil {
			err = failed
		}
	}()
	for len(s.cleanups) > 0 {
		last := s.cleanups[len(s.cleanups)-1]
		s.cleanups = s.cleanups[:len(s.cleanups)-1]
		last()
	}
	return nil
}
