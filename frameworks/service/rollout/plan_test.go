package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
)

// root reads "a=1 b=2x c=0 d=1>a": app, instances, what its command is, what it
// depends on. at stamps all.
func root(t testing.TB, at app.Version, text string) *app.Group {
	t.Helper()
	g := app.NewRoot()
	for word := range strings.FieldsSeq(text) {
		name, rest, _ := strings.Cut(word, "=")
		rest, on, _ := strings.Cut(rest, ">")
		id, err := app.ParsePath(name, app.Root)
		if err != nil {
			t.Fatal(err)
		}
		a := &app.App{ID: id}
		if _, err := fmt.Sscanf(rest, "%d%s", &a.Instances, &a.Process.Command); err != nil && a.Process.Command != "" {
			t.Fatal(err)
		}
		if on != "" {
			a.Dependencies = []app.Path{app.Path("/" + on)}
		}
		g = g.With(app.Stamp(nil, a, at))
	}
	return g
}

// stamped are the stamps that next has after old.
func stamped(old, next *app.Group, at app.Version) *app.Group {
	for a := range next.All() {
		next = next.With(app.Stamp(old.App(a.ID), a, at))
	}
	return next
}

func steps(p *Plan) string {
	var all []string
	for _, s := range p.Steps {
		var step []string
		for _, a := range s {
			step = append(step, string(a.Kind)+" "+string(a.App))
		}
		all = append(all, strings.Join(step, ", "))
	}
	return strings.Join(all, " | ")
}

func TestPlans(t *testing.T) {
	tests := []struct{ name, old, next, want string }{
		{"nothing", "a=1", "a=1", ""},
		{"a new app", "", "a=1", "start /a | scale /a"},
		{"scale", "a=1 b=1", "a=3 b=1", "scale /a"},
		{"to none, whatever else", "a=2x", "a=0y", "scale /a"},
		{"replaced", "a=2x", "a=2y", "restart /a"},
		{"replaced while there were none", "a=0x", "a=2y", "restart /a"},
		{"gone", "a=1 b=1", "b=1", "stop /a"},
		{"in layers", "a=1 old=1", "a=1x b=1>a c=1>b", "stop /old | start /b, /c | restart /a | scale /b | scale /c"},
		{"what does not change is no layer", "a=1 b=1>a c=1>b", "a=2 b=1>a c=2>b", "scale /a | scale /c"},
		{"groups", "g/a=1 h/b=1", "g/a=2 h/b=2", "scale /g/a, scale /h/b"},
	}
	for _, tt := range tests {
		old := root(t, 1, tt.old)
		next := stamped(old, root(t, 2, tt.next), 2)
		p, err := New(old, next, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(tt.want, "start /b, /c", "start /b, start /c")
		if got := steps(p); got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}

func TestRestartAndLeftovers(t *testing.T) {
	old := root(t, 1, "a=2x b=2 c=0")
	next := old.With(app.Restarted(old.App("/a"), 2))
	p, err := New(old, next, nil)
	if err != nil || steps(p) != "restart /a" || !p.Touches("/a") || p.Touches("/b") {
		t.Errorf("a restart is %q, %v", steps(p), err)
	}
	next = stamped(old, root(t, 2, "a=2x b=3 c=0"), 2)
	if p, err = New(old, next, func(app.Path) bool { return true }); err != nil || !strings.Contains(steps(p), "restart /b") {
		t.Errorf("what a deployment has left behind is not replaced: %q, %v", steps(p), err)
	}
	label := next.App("/b").Clone()
	label.Labels = map[string]string{app.LabelInPlace: "true"}
	edited := next.With(app.Stamp(next.App("/b"), label, 3))
	p, err = New(next, edited, nil)
	if err != nil || len(p.Steps) != 0 || !p.Touches("/b") {
		t.Errorf("an edit in place is %q, %v", steps(p), err)
	}
	cyclic := root(t, 4, "a=1>b b=1>a")
	if p, err := New(app.NewRoot(), cyclic, nil); err == nil {
		t.Errorf("a cycle is planned: %q", steps(p))
	}
}

func drawRoot(t *rapid.T, label string) string {
	var words []string
	for _, name := range []string{"a", "b", "g/c", "g/d", "h/i/e"} {
		if rapid.Bool().Draw(t, label+name) {
			words = append(words, fmt.Sprintf("%s=%d%s", name, rapid.IntRange(0, 2).Draw(t, label+"n"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, label+"command")))
		}
	}
	return strings.Join(words, " ")
}

func content(g *app.Group) string {
	var all []string
	for a := range g.All() {
		all = append(all, fmt.Sprintf("%s=%d%s@%d", a.ID, a.Instances, a.Process.Command, a.History.LastConfig))
	}
	for sub := range g.AllGroups() {
		if len(sub.Apps)+len(sub.Groups) > 0 || len(sub.Dependencies) > 0 {
			all = append(all, fmt.Sprint(sub.ID, sub.Dependencies))
		}
	}
	return strings.Join(all, " ")
}

// TestRevertTakesBackOnlyItsOwn: what others changed meanwhile stays.
func TestRevertTakesBackOnlyItsOwn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		old := root(t, 1, drawRoot(rt, "old")).Put(&app.Group{ID: "/g", Dependencies: []app.Path{"/a"}})
		next := stamped(old, root(t, 2, drawRoot(rt, "next")), 2)
		p, err := New(old, next, nil)
		if err != nil {
			rt.Fatal(err)
		}
		other := app.Stamp(nil, &app.App{ID: "/z/other", Instances: 7}, 3)
		got := content(p.Revert(next.With(other), 4))
		if want := content(old.With(other)); got != want {
			rt.Fatalf("%q to %q and back: %q, want %q", content(old), content(next), got, want)
		}
	})
}

// TestDifferences: those of two roots, against a look at every app.
func TestDifferences(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		old := root(t, 1, drawRoot(rt, "old"))
		next := old
		for a := range root(t, 2, drawRoot(rt, "next")).All() {
			if rapid.Bool().Draw(rt, "without") {
				next = next.Without(a.ID, 2)
			} else {
				next = next.With(a)
			}
		}
		var want []app.Path
		for _, id := range []app.Path{"/a", "/b", "/g/c", "/g/d", "/h/i/e"} {
			if old.App(id) != next.App(id) {
				want = append(want, id)
			}
		}
		var got []app.Path
		for _, d := range Differences(old, next) {
			got = append(got, d.ID)
			if d.Old != old.App(d.ID) || d.New != next.App(d.ID) {
				rt.Fatalf("%s: %v and %v", d.ID, d.Old, d.New)
			}
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%v, want %v", got, want)
		}
	})
}
