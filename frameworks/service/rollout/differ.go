package rollout

import (
	"slices"
	"strings"

	"troupe/frameworks/service/app"
)

// Difference is an app that is not the same in two roots. Old or New is nil where
// there is none.
type Difference struct {
	ID       app.Path
	Old, New *app.App
}

// Differences are the apps that differ between two roots, ordered by path. What
// both share is not looked at, so that they cost what the change costs.
func Differences(old, next *app.Group) []Difference {
	var all []Difference
	Groups(old, next, func(a, b *app.Group) {
		merge(apps(a), apps(b), func(a *app.App) app.Path { return a.ID }, func(was, is *app.App) {
			switch {
			case was == is:
			case was == nil:
				all = append(all, Difference{is.ID, nil, is})
			case is == nil:
				all = append(all, Difference{was.ID, was, nil})
			default:
				all = append(all, Difference{is.ID, was, is})
			}
		})
	})
	slices.SortFunc(all, func(a, b Difference) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// GroupDifference is a group that is in one of two roots alone, or differs in what
// is its own: dependencies and roles, not what it holds or its version.
type GroupDifference struct {
	ID       app.Path
	Old, New *app.Group
}

// GroupDifferences are the groups that differ between two roots, each before those
// in it.
func GroupDifferences(old, next *app.Group) []GroupDifference {
	var all []GroupDifference
	Groups(old, next, func(was, is *app.Group) {
		switch {
		case was == nil:
			all = append(all, GroupDifference{is.ID, nil, is})
		case is == nil:
			all = append(all, GroupDifference{was.ID, was, nil})
		case !was.Alike(is):
			all = append(all, GroupDifference{is.ID, was, is})
		}
	})
	return all
}

// Groups visits all groups of two roots that are not the very same in both, each
// before those in it; nil is one that is not there.
func Groups(a, b *app.Group, visit func(a, b *app.Group)) {
	if a == b {
		return
	}
	visit(a, b)
	merge(below(a), below(b), func(g *app.Group) app.Path { return g.ID }, func(was, is *app.Group) { Groups(was, is, visit) })
}

func apps(g *app.Group) []*app.App {
	if g == nil {
		return nil
	}
	return g.Apps
}

func below(g *app.Group) []*app.Group {
	if g == nil {
		return nil
	}
	return g.Groups
}

// merge goes through two ordered lists side by side.
func merge[T any](a, b []*T, id func(*T) app.Path, visit func(a, b *T)) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && id(a[0]) < id(b[0]):
			visit(a[0], nil)
			a = a[1:]
		case len(a) == 0 || id(b[0]) < id(a[0]):
			visit(nil, b[0])
			b = b[1:]
		default:
			visit(a[0], b[0])
			a, b = a[1:], b[1:]
		}
	}
}
