package app

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func list(g *Group) map[Path]Version {
	all := map[Path]Version{}
	for a := range g.All() {
		all[a.ID] = a.Version
	}
	return all
}

// A tree changes like a map from paths to apps, and leaves the tree it was made of
// as it was.
func TestTreeIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root, model := NewRoot(), map[Path]Version{}
		for at := range Version(rapid.IntRange(1, 30).Draw(t, "steps")) {
			before, was := root, list(root)
			id := paths(3).Draw(t, "id")
			switch rapid.SampledFrom([]string{"with", "without", "group", "put"}).Draw(t, "what") {
			case "with":
				root = root.With(&App{ID: id, Version: at})
				model[id] = at
			case "without":
				root = root.Without(id, at)
				delete(model, id)
			case "group":
				root = root.WithoutGroup(id, at)
				maps.DeleteFunc(model, func(p Path, _ Version) bool { return p.Below(id) })
			case "put":
				sub := (&Group{ID: id}).With(&App{ID: id + "/x", Version: at})
				root = root.Put(sub)
				maps.DeleteFunc(model, func(p Path, _ Version) bool { return p.Below(id) })
				model[id+"/x"] = at
			}
			if got := list(root); !maps.Equal(got, model) {
				t.Fatalf("the tree has %v, want %v", got, model)
			}
			if !maps.Equal(list(before), was) {
				t.Fatal("the tree of before has changed")
			}
			if a := root.App(id); (a != nil) != hasKey(model, id) || a != nil && a.Version != model[id] {
				t.Fatalf("App(%s) = %v", id, a)
			}
			ordered(t, root)
		}
	})
}

func hasKey(m map[Path]Version, id Path) bool { _, ok := m[id]; return ok }

func ordered(t *rapid.T, root *Group) {
	for g := range root.AllGroups() {
		if !slices.IsSortedFunc(g.Apps, func(a, b *App) int { return byID(a, b.ID) }) ||
			!slices.IsSortedFunc(g.Groups, func(a, b *Group) int { return ofID(a, b.ID) }) {
			t.Fatalf("%s is out of order", g.ID)
		}
		if root.Group(g.ID) != g {
			t.Fatalf("%s is not found", g.ID)
		}
	}
}

func tree(depends map[Path][]Path) *Group {
	root := NewRoot()
	for _, id := range slices.Sorted(maps.Keys(depends)) {
		root = root.With(&App{ID: id, Instances: 1, Dependencies: depends[id]})
	}
	return root
}

func layersOf(t *testing.T, root *Group) string {
	layers, err := root.Layers()
	if err != nil {
		return err.Error()
	}
	var text []string
	for _, l := range layers {
		var ids []string
		for _, a := range l {
			ids = append(ids, string(a.ID))
		}
		text = append(text, strings.Join(ids, " "))
	}
	return strings.Join(text, " | ")
}

// A.12, A.13: layers by the longest path, leaves first; groups count as all in them.
func TestLayers(t *testing.T) {
	for name, c := range map[string]struct {
		depends map[Path][]Path
		group   map[Path][]Path
		want    string
	}{
		"none":          {map[Path][]Path{"/b": nil, "/a": nil}, nil, "/a /b"},
		"chain":         {map[Path][]Path{"/a": {"/b"}, "/b": {"/c"}, "/c": nil}, nil, "/c | /b | /a"},
		"longest path":  {map[Path][]Path{"/a": {"/b", "/c"}, "/b": {"/c"}, "/c": nil, "/d": {"/c"}}, nil, "/c | /b /d | /a"},
		"missing":       {map[Path][]Path{"/a": {"/nowhere"}}, nil, "/a"},
		"on a group":    {map[Path][]Path{"/a": {"/g"}, "/g/x": nil, "/g/h/y": {"/g/x"}}, nil, "/g/x | /g/h/y | /a"},
		"of a group":    {map[Path][]Path{"/g/x": nil, "/g/h/y": nil, "/db": nil}, map[Path][]Path{"/g": {"/db"}}, "/db | /g/h/y /g/x"},
		"inner group":   {map[Path][]Path{"/g/h/y": nil, "/db": nil, "/dc": nil}, map[Path][]Path{"/g": {"/db"}, "/g/h": {"/dc"}}, "/db /dc | /g/h/y"},
		"itself":        {map[Path][]Path{"/a": {"/a"}}, nil, "cyclic dependencies: /a, /a"},
		"own group":     {map[Path][]Path{"/g/a": {"/g"}}, nil, "cyclic dependencies: /g/a, /g, /g/a"},
		"cycle":         {map[Path][]Path{"/a": {"/b"}, "/b": {"/c"}, "/c": {"/b"}}, nil, "cyclic dependencies: /b, /c, /b"},
		"through group": {map[Path][]Path{"/g/a": nil, "/b": {"/g"}}, map[Path][]Path{"/g": {"/b"}}, "cyclic dependencies: /b, /g, /g/a, /b"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(c.depends)
			for id, d := range c.group {
				root = root.change(id, 0, func(g *Group) { g.Dependencies = d })
			}
			if got := layersOf(t, root); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// reaches is the stupid way: does an app depend on itself?
func reaches(depends map[Path][]Path, from, to Path, seen map[Path]bool) bool {
	for _, d := range depends[from] {
		if d == to {
			return true
		}
		if !seen[d] {
			seen[d] = true
			if reaches(depends, d, to, seen) {
				return true
			}
		}
	}
	return false
}

// Whatever depends on whatever: a cycle is found just when there is one, and else
// every dependency is in an earlier layer, the last of them in the one before.
func TestLayersHold(t *testing.T) {
	names := []Path{"/a", "/b", "/c", "/d", "/e", "/f"}
	rapid.Check(t, func(t *rapid.T) {
		depends := map[Path][]Path{}
		for _, n := range names {
			depends[n] = rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 2, rapid.ID).Draw(t, string(n))
		}
		cyclic := slices.ContainsFunc(names, func(n Path) bool { return reaches(depends, n, n, map[Path]bool{}) })
		layers, err := tree(depends).Layers()
		if cyclic != (err != nil) {
			t.Fatalf("cyclic %v, got %v", cyclic, err)
		}
		if cycle := (*CycleError)(nil); errors.As(err, &cycle) {
			if cycle.Cycle[0] != cycle.Cycle[len(cycle.Cycle)-1] || len(cycle.Cycle) < 2 {
				t.Fatalf("no cycle: %v", cycle)
			}
			return
		}
		level := map[Path]int{}
		for i, l := range layers {
			for _, a := range l {
				level[a.ID] = i
			}
		}
		for _, n := range names {
			most := -1
			for _, d := range depends[n] {
				most = max(most, level[d])
			}
			if level[n] != most+1 {
				t.Fatalf("%s is in layer %d, its dependencies up to %d", n, level[n], most)
			}
		}
	})
}

// A.1, A.3, A.12: what is wrong with a tree is told by path.
func TestStructure(t *testing.T) {
	yes := true
	a := func(id Path, role string) *App { return &App{ID: id, Role: role} }
	for name, c := range map[string]struct {
		root *Group
		want []Problem
	}{
		"empty": {NewRoot(), nil},
		"fine":  {NewRoot().With(a("/a/b", "")).With(a("/c", "")), nil},
		"app and group": {
			NewRoot().With(a("/a", "")).With(a("/a/b", "")),
			[]Problem{{"/groups(0)/id", "Groups and Applications may not have the same identifier: /a"}},
		},
		"twice": {
			&Group{ID: Root, Apps: []*App{a("/a", ""), a("/a", "")}},
			[]Problem{{"/apps(1)/id", "/a is there twice"}},
		},
		"elsewhere": {
			&Group{ID: Root, Groups: []*Group{{ID: "/g", Apps: []*App{a("/a", "")}}}},
			[]Problem{{"/groups(0)/apps(0)/id", "identifier /a is not child of /g. Hint: use relative paths."}},
		},
		"cycle": {
			tree(map[Path][]Path{"/a": {"/b"}, "/b": {"/a"}}),
			[]Problem{{"/", "Dependency graph has cyclic dependencies."}, {"/", "cyclic dependencies: /a, /b, /a"}},
		},
		"role": {
			NewRoot().With(a("/dev/a", "")).With(a("/dev/b", "dev")).change("/dev", 0, func(g *Group) { g.EnforceRole = &yes }),
			[]Problem{{"/groups(0)/role", "app /dev/a: got web, expected one of: [dev]"}},
		},
		"role further down": {
			NewRoot().With(a("/dev/x/a", "dev")).change("/dev/x", 0, func(g *Group) { g.EnforceRole = &yes }),
			[]Problem{{"/groups(0)/groups(0)/enforceRole", "only a group in the root may say so"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.root.Structure(Rules{Role: "web"}); !slices.Equal(got, c.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// A.12: scaleBy rounds up, and reaches all that is below.
func TestScale(t *testing.T) {
	root := NewRoot().With(&App{ID: "/a", Instances: 3}).With(&App{ID: "/g/b", Instances: 1}).With(&App{ID: "/g/c"})
	got := root.Scale(1.5)
	if got.App("/a").Instances != 5 || got.App("/g/b").Instances != 2 || got.App("/g/c").Instances != 0 || root.App("/a").Instances != 3 {
		t.Error(got.App("/a"), got.App("/g/b"), root.App("/a"))
	}
	if n := root.Scale(-1).App("/a").Instances; n != 0 {
		t.Error(n)
	}
	if n := root.Scale(1e300).App("/a").Instances; n != mostInstances {
		t.Error(n)
	}
}

func TestWithoutRoot(t *testing.T) {
	root := NewRoot().With(&App{ID: "/a/b", Version: 3})
	if got := root.WithoutGroup(Root, 7); len(list(got)) != 0 || got.ID != Root || got.Version != 7 {
		t.Error(got)
	}
	if root.Without("/nowhere", 7) != root || root.WithoutGroup("/nowhere", 7) != root {
		t.Error("what changes nothing makes another tree")
	}
}

func BenchmarkLayers(b *testing.B) {
	depends := map[Path][]Path{}
	for i := range 2000 {
		depends[Path("/g"+strings.Repeat("x", i%20)+"/a"+strings.Repeat("y", i/20))] = []Path{"/db"}
	}
	depends["/db"] = nil
	root := tree(depends)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := root.Layers(); err != nil {
			b.Fatal(err)
		}
	}
}

// A.12: a group that enforces its role gives it to those who name none.
func TestRoleFor(t *testing.T) {
	yes, no := true, false
	root := NewRoot().With(&App{ID: "/dev/x/a"}).With(&App{ID: "/prod/a"}).With(&App{ID: "/b"})
	root = root.change("/dev", 0, func(g *Group) { g.EnforceRole = &yes }).change("/prod", 0, func(g *Group) { g.EnforceRole = &no })
	for id, want := range map[Path]string{"/dev/x/a": "dev", "/dev/new": "dev", "/prod/a": "web", "/b": "web", "/new/a": "web"} {
		if got := root.RoleFor(id, "web"); got != want {
			t.Errorf("%s has %s, want %s", id, got, want)
		}
	}
}
