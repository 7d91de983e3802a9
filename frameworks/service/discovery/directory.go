package discovery

import (
	"slices"
	"strings"
	"sync"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
	"troupe/frameworks/service/state"
)

// Board is what the framework has published.
type Board interface {
	// Apps are all apps.
	Apps() []*state.AppView
	// Watch has every change told: the app before, nil for a new one, and now, nil
	// for one that is no more. The function does not wait, nor call the board.
	Watch(changed func(id app.Path, before, now *state.AppView)) (stop func())
}

// Directory has the services of a board. It is safe for use from any goroutine.
type Directory struct {
	mu       sync.Mutex
	services map[app.Path]*entry
	watchers map[*watcher]struct{}
	// early has the apps that were told of before the first ones were read; nil
	// afterwards.
	early map[app.Path]bool
	stop  func()
}

// entry is an app; its service is made when somebody asks for it.
type entry struct {
	view    *state.AppView
	trust   map[string]bool
	service *endpoints.Service
}

type watcher struct{ changed func(id app.Path, there bool) }

// New makes a directory of what a board has and will have, until Close.
func New(b Board) *Directory {
	d := &Directory{services: map[app.Path]*entry{}, watchers: map[*watcher]struct{}{}, early: map[app.Path]bool{}}
	d.stop = b.Watch(d.changed)
	apps := b.Apps()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range apps {
		if !d.early[v.App.ID] {
			d.set(v.App.ID, nil, v)
		}
	}
	d.early = nil
	return d
}

// Close ends the watching of the board. What is known stays.
func (d *Directory) Close() { d.stop() }

func (d *Directory) changed(id app.Path, before, now *state.AppView) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.early != nil {
		d.early[id] = true
	}
	d.set(id, before, now)
}

func (d *Directory) set(id app.Path, before, now *state.AppView) {
	switch e := d.services[id]; {
	case now == nil:
		delete(d.services, id)
	case e != nil:
		d.services[id] = &entry{view: now, trust: e.trust}
	case before != nil:
		d.services[id] = &entry{view: now, trust: endpoints.Survivors(before)}
	default:
		d.services[id] = &entry{view: now, trust: endpoints.Survivors(now)}
	}
	for w := range d.watchers {
		w.changed(id, now != nil)
	}
}

// Service is an app's; nil where there is no such app.
func (d *Directory) Service(id app.Path) *endpoints.Service {
	d.mu.Lock()
	e := d.services[id]
	d.mu.Unlock()
	if e == nil {
		return nil
	}
	return d.make(e)
}

// make makes an entry's service outside the lock, so that whoever publishes does
// not wait for it.
func (d *Directory) make(e *entry) *endpoints.Service {
	d.mu.Lock()
	s := e.service
	d.mu.Unlock()
	if s != nil {
		return s
	}
	s = endpoints.Of(e.view, e.trust)
	d.mu.Lock()
	defer d.mu.Unlock()
	e.service = s
	return s
}

// Services are all, by the app's path.
func (d *Directory) Services() []*endpoints.Service {
	d.mu.Lock()
	entries := make([]*entry, 0, len(d.services))
	for _, e := range d.services {
		entries = append(entries, e)
	}
	d.mu.Unlock()
	slices.SortFunc(entries, func(a, b *entry) int { return strings.Compare(string(a.view.App.ID), string(b.view.App.ID)) })
	list := make([]*endpoints.Service, 0, len(entries))
	for _, e := range entries {
		list = append(list, d.make(e))
	}
	return list
}

// Watch has the path of every app told whose service may have changed, and whether
// it is there still. The function must not wait, nor call the directory.
func (d *Directory) Watch(changed func(id app.Path, there bool)) (stop func()) {
	w := &watcher{changed}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers[w] = struct{}{}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watchers, w)
	}
}
