// Package board holds what the core of the service framework has published: the
// tree of groups, every app with its instances, and the deployments that go on. The
// shell of the framework writes it; its REST API, discovery and page read it, and
// never wait for the core.
package board

import (
	"slices"
	"strings"
	"sync"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
)

// Board is safe for use from any goroutine. What it gives never changes, and nobody
// may change it.
type Board struct {
	mu          sync.Mutex
	root        *app.Group
	history     []*app.Group
	deployments []*state.DeploymentView
	apps        map[app.Path]*state.AppView
	ids         []app.Path       // sorted
	sorted      []*state.AppView // nil after a change
	watchers    map[*watcher]struct{}
}

type watcher struct {
	changed func(id app.Path, before, now *state.AppView)
}

// New makes a board with an empty root.
func New() *Board {
	root := app.NewRoot()
	return &Board{
		root: root, history: []*app.Group{root}, deployments: []*state.DeploymentView{},
		apps: map[app.Path]*state.AppView{}, watchers: map[*watcher]struct{}{},
	}
}

// Root is the tree of groups.
func (b *Board) Root() *app.Group {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.root
}

// History are the last roots, oldest first; the last one is Root.
func (b *Board) History() []*app.Group {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.history
}

// App is an app by its path; nil where there is none.
func (b *Board) App(id app.Path) *state.AppView {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.apps[id]
}

// Apps are all apps, sorted by path; those that are Gone are among them.
func (b *Board) Apps() []*state.AppView {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sorted == nil {
		b.sorted = make([]*state.AppView, len(b.ids))
		for i, id := range b.ids {
			b.sorted[i] = b.apps[id]
		}
	}
	return b.sorted
}

// Deployments are all that are not done, oldest first.
func (b *Board) Deployments() []*state.DeploymentView {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.deployments
}

// PublishRoot performs the effect of that name. Like the others it is called in the
// order of the effects.
func (b *Board) PublishRoot(p state.PublishRoot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.root, b.history = p.Root, p.History
}

// PublishDeployments performs the effect of that name.
func (b *Board) PublishDeployments(p state.PublishDeployments) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deployments = p.Deployments
	if b.deployments == nil {
		b.deployments = []*state.DeploymentView{}
	}
}

// PublishApp performs the effect of that name, and tells who watches.
func (b *Board) PublishApp(p state.PublishApp) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.apps[p.ID]
	at, known := slices.BinarySearchFunc(b.ids, p.ID, func(a, b app.Path) int { return strings.Compare(string(a), string(b)) })
	switch {
	case p.View == nil && !known:
		return
	case p.View == nil:
		delete(b.apps, p.ID)
		b.ids = slices.Delete(b.ids, at, at+1)
	default:
		b.apps[p.ID] = p.View
		if !known {
			b.ids = slices.Insert(b.ids, at, p.ID)
		}
	}
	b.sorted = nil
	for w := range b.watchers {
		w.changed(p.ID, before, p.View)
	}
}

// Watch has every change of an app from now on told to changed, in order: the app
// before, nil for a new one, and the app now, nil for one that is no more. It must
// not wait, nor call the board. After stop has returned it is not called any more.
func (b *Board) Watch(changed func(id app.Path, before, now *state.AppView)) (stop func()) {
	w := &watcher{changed}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[w] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, w)
	}
}
