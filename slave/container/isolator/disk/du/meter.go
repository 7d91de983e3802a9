package du

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/disk"
	"troupe/slave/container/isolator/disk/walk"
)

const (
	// slice is how many files a tree has looked at when it is another's turn.
	slice = 1000
	// turns is how many trees take turns: a large one does not hold up small ones,
	// and not too many files are open at once.
	turns = 4
	// ease bounds the work: after a measurement of a second, that tree is left alone
	// for so many.
	ease = 20
)

// meter measures trees, one step at a time, in a goroutine that lives while
// there are any.
type meter struct {
	o    Options
	wake chan struct{}

	mu      sync.Mutex
	held    map[string]*holding
	trees   map[string]*tree
	running bool
}

// holding is a container that is measured.
type holding struct {
	id []string
	// part is the sandbox within the tree top.
	top, part string
	uses      []disk.Use
	limited   func(*isolator.Limit) // nil when told
}

// tree is a folder that is measured: an outermost sandbox, or a volume.
type tree struct {
	path    string
	due     time.Time
	holders []*holding

	// The goroutine's own.

	walk  *walk.Walk
	began time.Time
	cost  time.Duration
}

func newMeter(o Options) *meter {
	return &meter{o: o, wake: make(chan struct{}, 1), held: map[string]*holding{}, trees: map[string]*tree{}}
}

func key(id []string) string { return strings.Join(id, "/") }

// hold begins to measure c, or goes on with the newer limited.
func (m *meter) hold(c *isolator.Container, limited func(*isolator.Limit)) *holding {
	h := &holding{id: slices.Clone(c.ID), uses: disk.Uses(c), limited: limited}
	h.place(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[key(c.ID)] = h
	m.arrange()
	if !m.running && len(m.trees) > 0 {
		m.running = true
		go m.run()
	}
	return h
}

// place finds the outermost sandbox that this one is in: it is measured with it,
// as what a user could have put in the way there is not followed then.
func (h *holding) place(c *isolator.Container) {
	top := c
	for top.Parent != nil {
		top = top.Parent
	}
	h.top, h.part = filepath.Clean(c.Sandbox), "."
	if part, err := filepath.Rel(top.Sandbox, c.Sandbox); err == nil && filepath.IsLocal(part) {
		h.top, h.part = filepath.Clean(top.Sandbox), part
	}
}

// at is the tree that one of the uses is measured with, and the part of it.
func (h *holding) at(i int) (path, part string) {
	if i == 0 {
		return h.top, h.part
	}
	return h.uses[i].Path, "."
}

func (m *meter) release(h *holding) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held[key(h.id)] == h {
		delete(m.held, key(h.id))
		m.arrange()
	}
}

func (m *meter) forget(id []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.held, key(id))
	m.arrange()
}

// update writes what is known of c with its new limits.
func (m *meter) update(c *isolator.Container) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	uses := disk.Uses(c)
	if h := m.held[key(c.ID)]; h != nil {
		for i := range uses {
			for _, old := range h.uses {
				if old.Path == uses[i].Path {
					uses[i].Used = old.Used
				}
			}
		}
		h.uses = uses
		m.arrange()
	}
	return m.o.Records.Write(c.ID, uses)
}

// arrange has a tree for each folder that is held, and no other. The lock is
// held.
func (m *meter) arrange() {
	wanted := map[string][]*holding{}
	for _, h := range m.held {
		for i := range h.uses {
			path, _ := h.at(i)
			wanted[path] = append(wanted[path], h)
		}
	}
	for path, holders := range wanted {
		if m.trees[path] == nil {
			m.trees[path] = &tree{path: path}
		}
		m.trees[path].holders = holders
	}
	for path := range m.trees {
		if wanted[path] == nil {
			m.trees[path].holders = nil // nobody waits for a walk that goes on
			delete(m.trees, path)
		}
	}
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// begin starts to measure t, with the shares of the containers in it.
func (m *meter) begin(t *tree) error {
	m.mu.Lock()
	var parts []string
	for _, h := range t.holders {
		if h.top == t.path && h.part != "." {
			parts = append(parts, h.part)
		}
	}
	m.mu.Unlock()
	t.began, t.cost = time.Now(), 0
	w, err := walk.Begin(t.path, parts)
	t.walk = w
	return err
}

// step goes on with t, and tells whether it is done.
func (m *meter) step(t *tree) bool {
	from := time.Now()
	done, err := t.walk.Step(slice)
	t.cost += time.Since(from)
	if !done && err == nil {
		return false
	}
	err = errors.Join(err, t.walk.End())
	if err == nil {
		m.measured(t)
	}
	m.failed(err)
	m.rest(t)
	return true
}

func (m *meter) failed(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a sandbox that is collected
		m.o.Failed(err)
	}
}

// rest lets t alone until it is due again.
func (m *meter) rest(t *tree) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.walk = nil
	t.due = t.began.Add(max(m.o.Interval, ease*t.cost))
}

// measured tells what was found of t, to the records and to those over a limit.
func (m *meter) measured(t *tree) {
	m.mu.Lock()
	var failures []error
	var tell []func()
	for _, h := range t.holders {
		limit, changed := h.take(t)
		if changed {
			failures = append(failures, m.o.Records.Write(h.id, h.uses))
		}
		if told := h.limited; limit != nil && m.o.Enforce && told != nil {
			h.limited = nil
			tell = append(tell, func() { told(limit) })
		}
	}
	m.mu.Unlock()
	m.failed(errors.Join(failures...))
	for _, f := range tell {
		f()
	}
}

// take notes what was found of t, if it is the container's, and returns the limit
// that it has run into.
func (h *holding) take(t *tree) (limit *isolator.Limit, changed bool) {
	for i := range h.uses {
		u := &h.uses[i]
		path, part := h.at(i)
		if path != t.path {
			continue
		}
		used, known := t.walk.Part(part)
		if !known { // it came when the walk was under way
			continue
		}
		changed = changed || u.Used == nil || *u.Used != used
		u.Used = &used
		switch missed := t.walk.Missed(); {
		case u.Over():
			limit = u.Exceeded()
		case missed != "" && u.Limit > 0:
			limit = u.Exceeded()
			limit.Message = fmt.Sprintf("disk usage of %s cannot be held to its quota %s: %s", u.Path, disk.Size(u.Limit), missed)
		}
	}
	return limit, changed
}
