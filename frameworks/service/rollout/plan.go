package rollout

import (
	"fmt"
	"slices"

	"troupe/frameworks/service/app"
)

// Kind is what an action does to an app.
type Kind string

// Kinds of actions.
const (
	Start   Kind = "start"   // make a new app known, with no instance yet
	Stop    Kind = "stop"    // end all instances of an app that is no more
	Scale   Kind = "scale"   // have as many instances as the app says
	Restart Kind = "restart" // replace the instances of earlier versions
)

// Action is what a deployment does to one app.
type Action struct {
	Kind Kind
	App  app.Path
}

// Step is what a deployment does at once; the next one begins when all actions
// are done.
type Step []Action

// Plan is how Original becomes Target. It never changes.
type Plan struct {
	Original, Target *app.Group
	Steps            []Step     // none is empty; there may be none
	Affected         []app.Path // all apps that differ, those that need no step included; sorted
}

// New plans the way from one root to another, both with their stamps: apps that
// are no more stop, new ones are made known, and then each layer of dependencies
// gets what it needs. stale tells of an app that has instances of earlier
// versions, which a deployment that was ended has left behind; nil is none. The
// error is that apps depend on themselves.
func New(original, target *app.Group, stale func(app.Path) bool) (*Plan, error) {
	p := &Plan{Original: original, Target: target}
	var stops, starts Step
	work := map[app.Path]Action{}
	for _, d := range Differences(original, target) {
		p.Affected = append(p.Affected, d.ID)
		if d.New == nil {
			stops = append(stops, Action{Stop, d.ID})
			continue
		}
		if d.Old == nil {
			starts = append(starts, Action{Start, d.ID})
		}
		if kind, needed := d.needs(stale != nil && stale(d.ID)); needed {
			work[d.ID] = Action{kind, d.ID}
		}
	}
	p.add(stops)
	p.add(starts)
	return p, p.layer(work)
}

func (p *Plan) add(s Step) {
	if len(s) > 0 {
		p.Steps = append(p.Steps, s)
	}
}

// layer adds the actions in the order in which apps depend on each other.
func (p *Plan) layer(work map[app.Path]Action) error {
	if len(work) == 0 {
		return nil
	}
	layers, err := p.Target.Layers()
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	for _, layer := range layers {
		var s Step
		for _, a := range layer {
			if action, has := work[a.ID]; has {
				s = append(s, action)
			}
		}
		p.add(s)
	}
	return nil
}

// needs tells which action brings an app that is in the target from its old state
// to its new one; none if it is only edited.
func (d Difference) needs(stale bool) (Kind, bool) {
	switch {
	case d.Old == nil:
		return Scale, true
	case d.New.Instances == 0 && (d.Old.Instances > 0 || stale):
		return Scale, true
	case d.Old.History.LastConfig != d.New.History.LastConfig || stale:
		return Restart, true
	case d.Old.Instances != d.New.Instances:
		return Scale, true
	}
	return "", false
}

// Touches tells whether the plan is about an app.
func (p *Plan) Touches(id app.Path) bool {
	_, found := slices.BinarySearch(p.Affected, id)
	return found
}
