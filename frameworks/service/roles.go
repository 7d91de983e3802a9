package service

import (
	"maps"
	"slices"

	"troupe/frameworks/service/app"
)

// roles are those that offers are made for: the framework's own, and every one that
// an app has had in this life. None is given up: what an app that is gone has
// reserved is offered to its role alone, and has to be freed.
type roles struct{ all map[string]bool }

func (r *roles) add(list ...string) (more bool) {
	if r.all == nil {
		r.all = map[string]bool{}
	}
	for _, role := range list {
		more = more || !r.all[role]
		r.all[role] = true
	}
	return more
}

// follow has offers come for the roles of a root's apps, too.
func (r *roles) follow(root *app.Group, set func(roles ...string)) {
	more := false
	for a := range root.All() {
		if a.Role != "" && !r.all[a.Role] {
			more = r.add(a.Role) || more
		}
	}
	if more {
		set(slices.Sorted(maps.Keys(r.all))...)
	}
}
