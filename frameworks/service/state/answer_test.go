package state

import (
	"testing"

	"troupe/frameworks/service/app"
)

// Who is answered finds what was done published, also when something else was being
// written as the request came.
func TestAnswersComeLast(t *testing.T) {
	m := New(Options{})
	m.Step(noon, Loaded{})
	create := func(request uint64, id app.Path) Update {
		return Update{Request: request, Edit: func(root *app.Group, _ app.Version) (*app.Group, error) {
			return root.With(&app.App{ID: id, Networks: []app.Network{{Mode: app.ModeHost}}}), nil
		}}
	}
	effects := m.Step(noon, create(1, "/a"))
	effects = append(effects, m.Step(noon, create(2, "/b"))...)
	effects = append(effects, m.Step(noon, create(3, "/a/below"))...)
	for number := range uint64(3) {
		effects = append(effects, m.Step(noon, Persisted{Number: number + 1})...)
		if !m.out.writing {
			break
		}
	}
	published := map[app.Path]bool{}
	answered := map[uint64]bool{}
	for _, e := range effects {
		switch e := e.(type) {
		case PublishRoot:
			for a := range e.Root.All() {
				published[a.ID] = true
			}
		case Answer:
			answered[e.Request] = true
			if id := map[uint64]app.Path{1: "/a", 2: "/b"}[e.Request]; id != "" && (e.Err != nil || !published[id]) {
				t.Errorf("request %d is answered (%v) before %s is published", e.Request, e.Err, id)
			}
		}
	}
	if len(answered) != 3 {
		t.Errorf("answered %v", answered)
	}
}
