package rollout

import (
	"slices"

	"troupe/frameworks/service/app"
)

// Revert is the root as it is now without what the plan changed: apps that it
// added go, those that it removed or changed are as they were before it. Groups
// that it made go if nothing is in them. Instances that are still of the version
// that comes back count as such, and need not be replaced.
func (p *Plan) Revert(now *app.Group, at app.Version) *app.Group {
	for _, d := range GroupDifferences(p.Original, p.Target) {
		if d.Old != nil {
			now = now.Put(own(now.Group(d.ID), d.Old, at))
		}
	}
	for _, d := range Differences(p.Original, p.Target) {
		if d.Old == nil {
			now = now.Without(d.ID, at)
			continue
		}
		back := d.Old.Clone()
		back.Version, back.History.LastScaling = at, at
		now = now.With(back)
	}
	for _, d := range slices.Backward(GroupDifferences(p.Original, p.Target)) {
		if g := now.Group(d.ID); d.Old == nil && g != nil && len(g.Apps)+len(g.Groups) == 0 {
			now = now.WithoutGroup(d.ID, at)
		}
	}
	return now
}

// own is the group in with what was its own before; in may be nil.
func own(in, was *app.Group, at app.Version) *app.Group {
	g := &app.Group{ID: was.ID}
	if in != nil {
		*g = *in
	}
	g.Dependencies, g.EnforceRole, g.Version = was.Dependencies, was.EnforceRole, at
	return g
}
