// Package remains ends and removes what executor hosts that died have left of
// their containers: processes, and whatever isolators have made. It finds all of
// it by the containers' ids and sandboxes. Only wiring imports it, for agents.
package remains

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"troupe/slave/container/isolator"
)

// Isolators are an isolator.Set, or a part of it.
type Isolators interface {
	Recover(ctx context.Context) ([][]string, error)
	Kill(ctx context.Context, c *isolator.Container) error
	Cleanup(ctx context.Context, c *isolator.Container) error
}

// Sweeper sweeps the machine it is on. Safe for concurrent use.
type Sweeper struct {
	// Isolators hold the containers; nil: nothing but processes is left of any.
	Isolators Isolators
	// Processes ends those that were started in one of the sandboxes, and returns
	// when they are gone, or with an error that names the rest.
	Processes func(sandboxes []string) error
	// Exit is how a program ended, as wait(2) has it, if that was recorded; nil: it
	// never is.
	Exit func(p Program) (status int32, recorded bool)
}

// Program is a container's own or, if Task is not empty, that of a task of a group
// in it.
type Program struct{ Container, Task string }

// Remains is a container of which something may be left.
type Remains struct {
	// ID is its own; it is within no other.
	ID string
	// Sandbox is empty if it is not known.
	Sandbox string
	// Tasks of groups in it, of which one may have ended.
	Tasks []string
}

// patience is how long is swept for one host without getting anywhere.
const patience = time.Minute

// again is the wait before what could not be removed is tried again: what was
// killed takes a moment to let go.
const again = 100 * time.Millisecond

// Sweep ends every process of the containers and of those within them, removes
// what was made for them, and says how their programs and those of their tasks had
// ended. An error names what is left in the end.
func (s Sweeper) Sweep(ctx context.Context, list []Remains) (exits map[Program]int32, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	before := s.exits(list)
	w := sweep{s, func() { late.Reset(patience) }, map[string]bool{}}
	for {
		if err = w.sweep(ctx, list); err == nil {
			break
		}
		select {
		case <-time.After(again):
			continue
		case <-ctx.Done():
		}
		break
	}
	exits = s.exits(list)
	for p, status := range exits {
		if _, known := before[p]; !known && status == killed {
			delete(exits, p) // which was done here
		}
	}
	return exits, err
}

// killed is the status of what ended by SIGKILL.
const killed = 9

func (s Sweeper) exits(list []Remains) map[Program]int32 {
	exits := map[Program]int32{}
	look := func(p Program) {
		if status, recorded := s.Exit(p); recorded {
			exits[p] = status
		}
	}
	for _, r := range list {
		if s.Exit == nil {
			break
		}
		look(Program{Container: r.ID})
		for _, task := range r.Tasks {
			look(Program{r.ID, task})
		}
	}
	return exits
}

// sweep is what is done for one host, which on a busy machine may take minutes.
type sweep struct {
	Sweeper
	// progress is called whenever something was done for the first time.
	progress func()
	done     map[string]bool
}

// did takes note of a step.
func (w sweep) did(step string, c *isolator.Container, err error) error {
	if key := step + strings.Join(c.ID, "/"); err == nil && !w.done[key] {
		w.done[key] = true
		w.progress()
	}
	return err
}

func (w sweep) sweep(ctx context.Context, list []Remains) error {
	var failed error
	var sandboxes []string
	for _, r := range list {
		if r.Sandbox != "" {
			sandboxes = append(sandboxes, r.Sandbox)
		}
		if w.Isolators != nil {
			c := outermost(r)
			failed = errors.Join(failed, w.did("kill ", c, w.Isolators.Kill(ctx, c)))
		}
	}
	if w.Processes != nil && len(sandboxes) > 0 {
		failed = errors.Join(failed, w.did("processes", &isolator.Container{}, w.Processes(sandboxes)))
	}
	if failed != nil || w.Isolators == nil {
		return failed
	}
	return w.cleanup(ctx, list)
}

// cleanup removes what was made for containers, those within others first.
func (w sweep) cleanup(ctx context.Context, list []Remains) error {
	byID := make(map[string]Remains, len(list))
	for _, r := range list {
		byID[r.ID] = r
	}
	found, failed := w.Isolators.Recover(ctx)
	slices.SortStableFunc(found, func(a, b []string) int { return len(b) - len(a) })
	for _, id := range found {
		if r, is := byID[first(id)]; is && len(id) > 1 {
			c := within(r, id)
			failed = errors.Join(failed, w.did("clean ", c, w.Isolators.Cleanup(ctx, c)))
		}
	}
	for _, r := range list { // also those that no isolator finds
		c := outermost(r)
		failed = errors.Join(failed, w.did("clean ", c, w.Isolators.Cleanup(ctx, c)))
	}
	return failed
}

// Strays lists the containers that are there and within no other, each once.
func (s Sweeper) Strays(ctx context.Context) ([]string, error) {
	if s.Isolators == nil {
		return nil, nil
	}
	found, err := s.Isolators.Recover(ctx)
	var ids []string
	for _, id := range found {
		ids = append(ids, first(id))
	}
	slices.Sort(ids)
	if err != nil {
		err = fmt.Errorf("looking for containers: %w", err)
	}
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" }), err
}

func first(id []string) string {
	if len(id) == 0 {
		return ""
	}
	return id[0]
}

func outermost(r Remains) *isolator.Container {
	return &isolator.Container{ID: []string{r.ID}, Sandbox: r.Sandbox}
}

// within is a container in r, whose id has those of all that it is in. Sandboxes
// of nested containers are in a folder of the one around them.
func within(r Remains, id []string) *isolator.Container {
	c := outermost(r)
	for n := 2; n <= len(id); n++ {
		inner := &isolator.Container{ID: slices.Clone(id[:n]), Parent: c}
		if c.Sandbox != "" && !strings.ContainsRune(id[n-1], filepath.Separator) {
			inner.Sandbox = filepath.Join(c.Sandbox, "containers", id[n-1])
		}
		c = inner
	}
	return c
}
