package app

import (
	"iter"
	"math"
	"slices"
	"strings"
)

// Group holds apps and groups. The root is a Group, and there always is one.
type Group struct {
	ID           Path
	Apps         []*App   // ordered by ID, each directly in this group
	Groups       []*Group // ordered by ID
	Dependencies []Path   // apps and groups that all in this group depend on
	Version      Version
	EnforceRole  *bool // of groups in the root: apps have the role that is called like the group
}

// NewRoot is a root with nothing in it.
func NewRoot() *Group { return &Group{ID: Root} }

func byID(a *App, id Path) int   { return strings.Compare(string(a.ID), string(id)) }
func ofID(g *Group, id Path) int { return strings.Compare(string(g.ID), string(id)) }

// App finds an app by its path; nil if there is none.
func (g *Group) App(id Path) *App {
	in := g.Group(id.Parent())
	if in == nil || id == Root {
		return nil
	}
	if i, found := slices.BinarySearchFunc(in.Apps, id, byID); found {
		return in.Apps[i]
	}
	return nil
}

// Group finds g itself or a group below it by its path; nil if there is none.
func (g *Group) Group(id Path) *Group {
	for at := g; ; {
		if at.ID == id {
			return at
		}
		if !id.Below(at.ID) {
			return nil
		}
		i, found := slices.BinarySearchFunc(at.Groups, step(at.ID, id), ofID)
		if !found {
			return nil
		}
		at = at.Groups[i]
	}
}

// step is the child of g on the way to id, which is below g.
func step(g, id Path) Path {
	from := len(g) + 1
	if g == Root {
		from = 1
	}
	if i := strings.IndexByte(string(id[from:]), '/'); i >= 0 {
		return id[:from+i]
	}
	return id
}

// Alike tells whether two groups have the same of their own: dependencies and
// roles, not what they hold or their versions.
func (g *Group) Alike(other *Group) bool {
	a, b := g.EnforceRole, other.EnforceRole
	return slices.Equal(g.Dependencies, other.Dependencies) && (a == b || a != nil && b != nil && *a == *b)
}

// RoleFor is the role that an app at id has if it names none: that of the group in
// the root that enforces its own, or else other.
func (g *Group) RoleFor(id Path, other string) string {
	if top := g.Group(id.Top()); top != nil && top.ID != Root && top.EnforceRole != nil && *top.EnforceRole {
		return top.ID.Last()
	}
	return other
}

// All are the apps of g and of all groups below it, ordered by group, then path.
func (g *Group) All() iter.Seq[*App] {
	return func(yield func(*App) bool) { g.walk(yield) }
}

func (g *Group) walk(yield func(*App) bool) bool {
	for _, a := range g.Apps {
		if !yield(a) {
			return false
		}
	}
	for _, sub := range g.Groups {
		if !sub.walk(yield) {
			return false
		}
	}
	return true
}

// AllGroups are g and all groups below it, a group before those in it.
func (g *Group) AllGroups() iter.Seq[*Group] {
	return func(yield func(*Group) bool) { g.walkGroups(yield) }
}

func (g *Group) walkGroups(yield func(*Group) bool) bool {
	if !yield(g) {
		return false
	}
	for _, sub := range g.Groups {
		if !sub.walkGroups(yield) {
			return false
		}
	}
	return true
}

// With is g with the app a, in place of one of its path if there is one. Groups
// on the way to it that are not there come to be, and all of them get its version.
// a must be below g.
func (g *Group) With(a *App) *Group {
	next := *g
	next.Version = max(g.Version, a.Version)
	if a.ID.Parent() == g.ID {
		next.Apps = put(g.Apps, a, a.ID, byID)
		return &next
	}
	id := step(g.ID, a.ID)
	next.Groups = put(g.Groups, g.child(id).With(a), id, ofID)
	return &next
}

// Put is g with the group sub, and all that is in it, in place of the one of its
// path if there is one. sub must be g itself or below it.
func (g *Group) Put(sub *Group) *Group {
	if sub.ID == g.ID {
		return sub
	}
	next := *g
	next.Version = max(g.Version, sub.Version)
	id := step(g.ID, sub.ID)
	next.Groups = put(g.Groups, g.child(id).Put(sub), id, ofID)
	return &next
}

// child is the group id directly in g, a new one if there is none.
func (g *Group) child(id Path) *Group {
	if i, found := slices.BinarySearchFunc(g.Groups, id, ofID); found {
		return g.Groups[i]
	}
	return &Group{ID: id}
}

// Without is g without the app id, at the version at; g itself if there is no
// such app. Groups stay, if empty.
func (g *Group) Without(id Path, at Version) *Group {
	if g.App(id) == nil {
		return g
	}
	return g.change(id.Parent(), at, func(in *Group) {
		i, _ := slices.BinarySearchFunc(in.Apps, id, byID)
		in.Apps = slices.Delete(slices.Clone(in.Apps), i, i+1)
	})
}

// WithoutGroup is g without the group id and all that is in it, at the version
// at; g itself if there is no such group. Without the root, it is an empty root.
func (g *Group) WithoutGroup(id Path, at Version) *Group {
	switch {
	case g.Group(id) == nil:
		return g
	case id == g.ID:
		return &Group{ID: g.ID, Version: at}
	}
	return g.change(id.Parent(), at, func(in *Group) {
		i, _ := slices.BinarySearchFunc(in.Groups, id, ofID)
		in.Groups = slices.Delete(slices.Clone(in.Groups), i, i+1)
	})
}

// change copies the way from g to the group id, which exists, and changes that.
func (g *Group) change(id Path, at Version, f func(*Group)) *Group {
	next := *g
	next.Version = at
	if id == g.ID {
		f(&next)
		return &next
	}
	on := step(g.ID, id)
	next.Groups = put(g.Groups, g.child(on).change(id, at, f), on, ofID)
	return &next
}

// put is a copy of an ordered list with item in its place.
func put[T any](list []T, item T, id Path, order func(T, Path) int) []T {
	i, found := slices.BinarySearchFunc(list, id, order)
	if found {
		list = slices.Clone(list)
		list[i] = item
		return list
	}
	return slices.Insert(slices.Clone(list), i, item)
}

// mostInstances is how many instances an app may have: more than a cluster holds,
// and few enough that sums do not overflow.
const mostInstances = 1_000_000

// Scale is g with the instances of all its apps multiplied by factor, rounded up;
// the versions are those of before. A factor that is no number or negative counts
// as 0.
func (g *Group) Scale(factor float64) *Group {
	next := *g
	next.Apps = make([]*App, len(g.Apps))
	for i, a := range g.Apps {
		scaled := *a
		scaled.Instances = 0
		if n := math.Ceil(float64(a.Instances) * factor); n > 0 {
			scaled.Instances = int(min(n, mostInstances))
		}
		next.Apps[i] = &scaled
	}
	next.Groups = make([]*Group, len(g.Groups))
	for i, sub := range g.Groups {
		next.Groups[i] = sub.Scale(factor)
	}
	return &next
}

// Sorted brings the apps and groups that a new Group was filled with in order.
// Two of one path stay two, which Structure tells of.
func (g *Group) Sorted() *Group {
	slices.SortStableFunc(g.Apps, func(a, b *App) int { return byID(a, b.ID) })
	slices.SortStableFunc(g.Groups, func(a, b *Group) int { return ofID(a, b.ID) })
	return g
}
