package board_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/state"
)

func view(id app.Path) *state.AppView { return &state.AppView{App: &app.App{ID: id}} }

func TestAnEmptyBoardHasARoot(t *testing.T) {
	b := board.New()
	if b.Root() == nil || b.Root().ID != app.Root || len(b.History()) != 1 || b.History()[0] != b.Root() {
		t.Errorf("root %v, history %v", b.Root(), b.History())
	}
	if b.Apps() == nil || len(b.Apps()) != 0 || b.App("/a") != nil || b.Deployments() == nil || len(b.Deployments()) != 0 {
		t.Errorf("apps %v, deployments %v", b.Apps(), b.Deployments())
	}
}

func TestWhatWasPublishedIsThere(t *testing.T) {
	b := board.New()
	old, now := app.NewRoot(), app.NewRoot()
	b.PublishRoot(state.PublishRoot{Root: now, History: []*app.Group{old, now}})
	if b.Root() != now || len(b.History()) != 2 || b.History()[0] != old {
		t.Errorf("root %p of %p, history %v", b.Root(), now, b.History())
	}
	d := &state.DeploymentView{ID: "d1"}
	b.PublishDeployments(state.PublishDeployments{Deployments: []*state.DeploymentView{d}})
	if list := b.Deployments(); len(list) != 1 || list[0] != d {
		t.Errorf("deployments %v", list)
	}
	b.PublishDeployments(state.PublishDeployments{})
	if list := b.Deployments(); list == nil || len(list) != 0 {
		t.Errorf("deployments %v", list)
	}
}

// Whatever is published and removed, the board has just that, sorted, and its
// watchers saw all of it; what was given out does not change.
func TestAppsAreSortedWhateverComes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := board.New()
		model := map[app.Path]*state.AppView{}
		seen := map[app.Path]*state.AppView{}
		stop := b.Watch(func(id app.Path, before, now *state.AppView) {
			if seen[id] != before {
				t.Fatalf("%s: before the change there was %p, not %p", id, seen[id], before)
			}
			seen[id] = now
		})
		for range rapid.IntRange(0, 30).Draw(t, "changes") {
			id := app.Path(rapid.SampledFrom([]string{"/a", "/a/b", "/b", "/b-c", "/b/c"}).Draw(t, "id"))
			given := b.Apps()
			copied := slices.Clone(given)
			p := state.PublishApp{ID: id}
			if rapid.Bool().Draw(t, "there") {
				p.View = view(id)
				model[id] = p.View
			} else {
				delete(model, id)
			}
			b.PublishApp(p)
			if !slices.Equal(given, copied) {
				t.Fatal("a list changed that was given out")
			}
			all := b.Apps()
			if len(all) != len(model) || !slices.IsSortedFunc(all, func(x, y *state.AppView) int { return cmpPath(x.App.ID, y.App.ID) }) {
				t.Fatalf("apps %v, want %v", all, model)
			}
			for _, v := range all {
				if model[v.App.ID] != v || b.App(v.App.ID) != v || seen[v.App.ID] != v {
					t.Fatalf("%s is %p, want %p", v.App.ID, v, model[v.App.ID])
				}
			}
		}
		stop()
		before := len(seen)
		b.PublishApp(state.PublishApp{ID: "/later", View: view("/later")})
		if len(seen) != before {
			t.Fatal("told after it had stopped")
		}
	})
}

func cmpPath(a, b app.Path) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestReadersAndWriterAtOnce(t *testing.T) {
	b := board.New()
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			stop := b.Watch(func(app.Path, *state.AppView, *state.AppView) {})
			defer stop()
			for range 100 {
				b.Apps()
				b.App("/j7")
				b.Root()
			}
		})
	}
	for i := range 100 {
		id := app.Path(fmt.Sprint("/j", i))
		b.PublishApp(state.PublishApp{ID: id, View: view(id)})
	}
	readers.Wait()
	if len(b.Apps()) != 100 {
		t.Errorf("%d apps", len(b.Apps()))
	}
}

// BenchmarkPublish is one app of 10,000 that changes, and a reader of all.
func BenchmarkPublish(b *testing.B) {
	all := board.New()
	for i := range 10_000 {
		id := app.Path(fmt.Sprint("/j", i))
		all.PublishApp(state.PublishApp{ID: id, View: view(id)})
	}
	v := view("/j7")
	for b.Loop() {
		all.PublishApp(state.PublishApp{ID: "/j7", View: v})
		all.Apps()
	}
}
