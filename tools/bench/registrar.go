package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master"
	"troupe/master/election"
	"troupe/master/registry"
	"troupe/master/store"
	"troupe/messages/mesos"
)

const (
	// registrarAgents are admitted all at once: what waits is written together.
	registrarAgents = 50_000
	// registrarSingles are admitted one after the other.
	registrarSingles = 200
)

// place is where a registry is kept, for as long as a work needs it.
type place interface {
	// open opens the registry as a new leader does: with everything in it ready
	// to be loaded. What was opened before is closed.
	open(ctx context.Context) (election.Registry, error)
	close() error
}

// places are those that a registry can have; a folder is for what they need.
func places() []struct {
	name  string
	begin func(dir string) (place, error)
} {
	return []struct {
		name  string
		begin func(dir string) (place, error)
	}{
		{"file", func(dir string) (place, error) { return &filePlace{path: filepath.Join(dir, "registry.db")}, nil }},
		{"raft", beginRaft},
		{"ZooKeeper", beginZooKeeper},
	}
}

// registrar is the work of that name.
func registrar(ctx context.Context, l load) ([]figure, error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	var figures []figure
	for _, p := range places() {
		more, err := register(ctx, l, p.name, p.begin)
		figures = append(figures, more...)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return figures, nil
}

func register(ctx context.Context, l load, name string, begin func(dir string) (place, error)) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "troupe-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := begin(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	many, singles := l.of(registrarAgents), l.of(registrarSingles)
	together, single, err := admit(ctx, p, many, singles)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	kept, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	records, err := kept.Load(ctx)
	if err != nil {
		return nil, err
	}
	known, err := registry.New(records)
	if err == nil && known.Len() != many+singles {
		err = fmt.Errorf("%d records were recovered of %d", known.Len(), many+singles)
	}
	return []figure{
		{fmt.Sprintf("%s: admit %d at once", name, many), float64(many) / together.Seconds(), "ops/s", target{}},
		{name + ": admit one after the other", float64(singles) / single.Seconds(), "ops/s", target{}},
		{fmt.Sprintf("%s: recover %d", name, many), time.Since(begun).Seconds(), "s", target{}},
	}, err
}

// admit lets a registrar admit many agents that wait together, and some each
// of which waits for the one before.
func admit(ctx context.Context, p place, many, singles int) (together, single time.Duration, err error) {
	kept, err := p.open(ctx)
	if err != nil {
		return 0, 0, err
	}
	s, err := actors.New(actors.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, end(s)) }()
	r := master.NewRegistrar(kept, registry.Registry{}, time.Minute)
	pid, err := s.Spawn(master.RegistrarName, r)
	if err != nil {
		return 0, 0, err
	}
	answers := make(chan error, many)
	ask := func(number int) {
		info := agentInfo(number)
		info.Id = agentID(number)
		s.Do(pid, func(c *actors.Context) {
			r.Apply(c, registry.AdmitAgent{Agent: info, At: time.Now()}, func(err error) { answers <- err })
		})
	}
	begun := time.Now()
	for i := range many {
		ask(i)
	}
	for range many {
		err = errors.Join(err, <-answers)
	}
	together = time.Since(begun)
	for i := range singles {
		ask(many + i)
		err = errors.Join(err, <-answers)
	}
	return together, time.Since(begun) - together, err
}

// filePlace is the embedded store of a single master.
type filePlace struct {
	path string
	file *store.File
}

func (p *filePlace) open(context.Context) (election.Registry, error) {
	if err := p.close(); err != nil {
		return nil, err
	}
	var err error
	p.file, err = store.Open(p.path, "bench")
	return p.file, err
}

func (p *filePlace) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// masterInfo is what a contest needs to know of its master.
func masterInfo(id string) *mesos.MasterInfo {
	return &mesos.MasterInfo{Id: &id, Ip: proto.Uint32(0x0100007f), Port: proto.Uint32(5050)}
}
