package app

import (
	"fmt"
	"slices"
	"strings"
)

// CycleError is returned by Layers: apps depend on themselves.
type CycleError struct {
	Cycle []Path // apps and groups, the first once more at the end
}

// Error names the cycle.
func (e *CycleError) Error() string {
	parts := make([]string, len(e.Cycle))
	for i, p := range e.Cycle {
		parts[i] = string(p)
	}
	return "cyclic dependencies: " + strings.Join(parts, ", ")
}

// Layers are the apps of a root in the order in which they may start: each
// depends only on such as are in layers before its own. An app depends on what it
// names and on what the groups around it name; to depend on a group is to depend
// on all that is in it. What does not exist is no dependency. Within a layer apps
// are ordered by path. The error is a *CycleError.
func (g *Group) Layers() ([][]*App, error) {
	w := walker{root: g, level: map[Path]int{}}
	var layers [][]*App
	for a := range g.All() {
		n, err := w.app(a)
		if err != nil {
			return nil, err
		}
		for len(layers) < n {
			layers = append(layers, nil)
		}
		layers[n-1] = append(layers[n-1], a)
	}
	for _, l := range layers {
		slices.SortFunc(l, func(a, b *App) int { return byID(a, b.ID) })
	}
	return layers, nil
}

// walker finds levels: 1 is that of an app that depends on nothing. A group has
// the highest level of what is in it, so that an app that depends on a group of
// many costs as much as one that depends on one.
type walker struct {
	root  *Group
	level map[Path]int // -1 while it is being found
	stack []Path
}

// mostDeep bounds the stack of dependencies; no chain of apps is that long.
const mostDeep = 100_000

func (w *walker) enter(id Path) error {
	if w.level[id] == -1 || len(w.stack) > mostDeep {
		from := max(0, slices.Index(w.stack, id))
		return &CycleError{append(slices.Clone(w.stack[from:]), id)}
	}
	w.level[id] = -1
	w.stack = append(w.stack, id)
	return nil
}

func (w *walker) leave(id Path, level int) int {
	w.level[id] = level
	w.stack = w.stack[:len(w.stack)-1]
	return level
}

func (w *walker) app(a *App) (int, error) {
	if n := w.level[a.ID]; n > 0 {
		return n, nil
	}
	if err := w.enter(a.ID); err != nil {
		return 0, err
	}
	most := 0
	for _, id := range w.root.dependenciesOf(a) {
		n, err := w.target(id)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return w.leave(a.ID, most+1), nil
}

func (w *walker) target(id Path) (int, error) {
	if a := w.root.App(id); a != nil {
		return w.app(a)
	}
	if g := w.root.Group(id); g != nil {
		return w.group(g)
	}
	return 0, nil
}

func (w *walker) group(g *Group) (int, error) {
	// An empty group has no level; to look at it again costs nothing.
	if n := w.level[g.ID]; n > 0 {
		return n, nil
	}
	if err := w.enter(g.ID); err != nil {
		return 0, err
	}
	most := 0
	for _, a := range g.Apps {
		n, err := w.app(a)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	for _, sub := range g.Groups {
		n, err := w.group(sub)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return w.leave(g.ID, most), nil
}

// dependenciesOf are the paths that an app and the groups around it name.
func (g *Group) dependenciesOf(a *App) []Path {
	all := slices.Clone(a.Dependencies)
	for at := g; at != nil && a.ID.Below(at.ID); at = at.Group(step(at.ID, a.ID)) {
		all = append(all, at.Dependencies...)
	}
	return all
}

// Structure tells what is wrong with a root but for the apps as such (those are
// App.Validate's): paths that are used twice, that lie in an app, or outside the
// group that holds them, cycles of dependencies, and roles that a group enforces.
func (g *Group) Structure(r Rules) Problems {
	var p problems
	seen := map[Path]string{}
	g.structure(&p, "", seen)
	if len(p.found) > 0 {
		return p.found // a tree in which paths are not unique has no dependencies
	}
	if _, err := g.Layers(); err != nil {
		p.add("/", "Dependency graph has cyclic dependencies.")
		p.add("/", err.Error())
	}
	g.roles(&p, r)
	return p.found
}

func (g *Group) structure(p *problems, at string, seen map[Path]string) {
	claim := func(id Path, kind, at string) {
		switch other, taken := seen[id]; {
		case taken && other != kind:
			p.add(at+"/id", fmt.Sprintf("Groups and Applications may not have the same identifier: %s", id))
		case taken:
			p.add(at+"/id", fmt.Sprintf("%s is there twice", id))
		case id != g.ID && id.Parent() != g.ID:
			p.add(at+"/id", fmt.Sprintf("identifier %s is not child of %s. Hint: use relative paths.", id, g.ID))
		}
		seen[id] = kind
	}
	if g.ID == Root {
		seen[Root] = "group"
	}
	for i, a := range g.Apps {
		claim(a.ID, "app", fmt.Sprintf("%s/apps(%d)", at, i))
	}
	for i, sub := range g.Groups {
		claim(sub.ID, "group", fmt.Sprintf("%s/groups(%d)", at, i))
	}
	for i, sub := range g.Groups {
		path := fmt.Sprintf("%s/groups(%d)", at, i)
		if sub.EnforceRole != nil && g.ID != Root {
			p.add(path+"/enforceRole", "only a group in the root may say so")
		}
		sub.structure(p, path, seen)
	}
}

// roles checks the apps of the groups that enforce theirs.
func (g *Group) roles(p *problems, r Rules) {
	for i, top := range g.Groups {
		if top.EnforceRole == nil || !*top.EnforceRole {
			continue
		}
		want := top.ID.Last()
		for a := range top.All() {
			if role := a.RoleOr(r.Role); role != want {
				p.add(fmt.Sprintf("/groups(%d)/role", i), fmt.Sprintf("app %s: got %s, expected one of: [%s]", a.ID, role, want))
			}
		}
	}
}

// Validate tells all that is wrong with a root and with the apps in it. The
// path of a problem leads through apps(N) and groups(N), counted from 0.
func (g *Group) Validate(r Rules) Problems {
	p := problems{found: g.Structure(r)}
	g.validateApps(&p, r, "")
	return p.found
}

func (g *Group) validateApps(p *problems, r Rules, at string) {
	for i, a := range g.Apps {
		for _, q := range a.Validate(r) {
			p.add(q.Within(fmt.Sprintf("%s/apps(%d)", at, i)).Path, q.Text)
		}
	}
	for i, sub := range g.Groups {
		if why := sub.ID.checkLast(); why != "" {
			p.add(fmt.Sprintf("%s/groups(%d)/id", at, i), why)
		}
		sub.validateApps(p, r, fmt.Sprintf("%s/groups(%d)", at, i))
	}
}
