package isolator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"troupe/messages/mesos"
	"troupe/slave/container/plan"
)

// undoWait bounds how long what an attempt has made is taken back, also when
// the attempt itself was given up.
const undoWait = time.Minute

// Set is the isolators that containers are made with, in the order in which they
// prepare. The zero value has none. Safe for concurrent use.
type Set struct {
	list []Isolator
}

// NewSet is a set of isolators in this order.
func NewSet(list ...Isolator) *Set { return &Set{slices.Clone(list)} }

// Names are the isolators' own, in order.
func (s *Set) Names() []string {
	names := make([]string, len(s.list))
	for i, one := range s.list {
		names[i] = one.Name()
	}
	return names
}

// Has tells whether an isolator of that name is in the set.
func (s *Set) Has(name string) bool { return slices.Contains(s.Names(), name) }

// Killers is the set of those that can end a container's processes.
func (s *Set) Killers() *Set {
	killers := &Set{}
	for _, one := range s.list {
		if _, is := one.(Killer); is {
			killers.list = append(killers.list, one)
		}
	}
	return killers
}

// Prepare has every isolator prepare the container. When one fails, what those
// before it made is taken back: nothing is left.
func (s *Set) Prepare(ctx context.Context, c *Container, p *plan.Plan) error {
	for i, one := range s.list {
		err := ctx.Err()
		if err == nil {
			err = one.Prepare(ctx, c, p)
		}
		if err == nil {
			continue
		}
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWait)
		defer cancel()
		return errors.Join(named(one, "prepare", err), cleanup(undo, s.list[:i], c))
	}
	return nil
}

// Status is what isolators have given a container, for those who ask about it; each
// is asked, also when one fails.
func (s *Set) Status(c *Container) (*mesos.ContainerStatus, error) {
	var failed error
	status := &mesos.ContainerStatus{}
	for _, one := range s.list {
		if r, is := one.(Reporter); is {
			failed = errors.Join(failed, named(one, "status", r.Status(c, status)))
		}
	}
	return status, failed
}

// Furnish has every isolator that can add to the plan of a program beside the
// container's own.
func (s *Set) Furnish(ctx context.Context, c *Container, p *plan.Plan) error {
	for _, one := range s.list {
		if f, is := one.(Furnisher); is {
			if err := f.Furnish(ctx, c, p); err != nil {
				return named(one, "furnish", err)
			}
		}
	}
	return nil
}

// Update passes the new amounts on to all that hold to them; each is tried.
func (s *Set) Update(c *Container) error {
	var failed error
	for _, one := range s.list {
		if u, is := one.(Updater); is {
			failed = errors.Join(failed, named(one, "update", u.Update(c)))
		}
	}
	return failed
}

// Usage adds all that is known of a container; each is asked, also when one
// fails.
func (s *Set) Usage(c *Container, u *mesos.ResourceStatistics) error {
	var failed error
	for _, one := range s.list {
		if m, is := one.(Meter); is {
			failed = errors.Join(failed, named(one, "measure", m.Usage(c, u)))
		}
	}
	return failed
}

// Watch has limited called with each limit that the container runs into, from
// any goroutine, until ctx ends.
func (s *Set) Watch(ctx context.Context, c *Container, limited func(*Limit)) error {
	for _, one := range s.list {
		if w, is := one.(Watcher); is {
			if err := w.Watch(ctx, c, limited); err != nil {
				return named(one, "watch", err)
			}
		}
	}
	return nil
}

// Check is the first limit that the container has run into by now; nil if none.
func (s *Set) Check(c *Container) (*Limit, error) {
	var failed error
	for _, one := range s.list {
		w, is := one.(Watcher)
		if !is {
			continue
		}
		limit, err := w.Check(c)
		if limit != nil {
			return limit, nil
		}
		failed = errors.Join(failed, named(one, "check", err))
	}
	return nil, failed
}

// Cleanup removes what Prepare made, the last first; each is tried.
func (s *Set) Cleanup(ctx context.Context, c *Container) error { return cleanup(ctx, s.list, c) }

func cleanup(ctx context.Context, list []Isolator, c *Container) error {
	var failed error
	for _, one := range slices.Backward(list) {
		if cl, is := one.(Cleaner); is {
			failed = errors.Join(failed, named(one, "clean up", cl.Cleanup(ctx, c)))
		}
	}
	return failed
}

// Recover is every container that some isolator holds, those within others before
// these.
func (s *Set) Recover(ctx context.Context) ([][]string, error) {
	var failed error
	found := map[string][]string{}
	for _, one := range s.list {
		r, is := one.(Recoverer)
		if !is {
			continue
		}
		ids, err := r.Recover(ctx)
		failed = errors.Join(failed, named(one, "recover", err))
		for _, id := range ids {
			found[strings.Join(id, "/")] = id
		}
	}
	all := make([][]string, 0, len(found))
	for _, id := range found {
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b []string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), slices.Compare(a, b))
	})
	return all, failed
}

// Kill has every isolator that can end the container's processes do so.
func (s *Set) Kill(ctx context.Context, c *Container) error {
	var failed error
	for _, one := range s.list {
		if k, is := one.(Killer); is {
			failed = errors.Join(failed, named(one, "kill", k.Kill(ctx, c)))
		}
	}
	return failed
}

// Figures puts what isolators count of all containers together.
func (s *Set) Figures(put func(key string, value float64)) error {
	var failed error
	for _, one := range s.list {
		if c, is := one.(Counter); is {
			failed = errors.Join(failed, named(one, "count", c.Figures(put)))
		}
	}
	return failed
}

func named(one Isolator, did string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("isolator %s: %s: %w", one.Name(), did, err)
}
