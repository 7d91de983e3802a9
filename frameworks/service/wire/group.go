package wire

import (
	"fmt"

	"troupe/frameworks/service/app"
)

// GroupUpdate is a change of a group, as POST and PUT take it (A.12). Nil is not
// said, and stays as it is; an empty list is empty.
type GroupUpdate struct {
	ID           app.Path
	Apps         *[]*app.App     // exactly those directly in the group
	Groups       *[]*GroupUpdate // exactly those directly in the group
	Dependencies *[]app.Path
	EnforceRole  *bool
	ScaleBy      *float64     // with nothing else: of all apps in the group
	Version      *app.Version // with nothing else: to go back to

	path string
}

// mostNested is how deep groups may be in each other.
const mostNested = 64

// ReadGroup reads a change of the group id; of the one that the text names, if id
// is the root, as with POST. The error is an *UnreadableError, or app.Problems with all that is wrong
// with its apps as such.
func ReadGroup(data []byte, id app.Path, opt Options) (*GroupUpdate, error) {
	o, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	u := &GroupUpdate{ID: id}
	if id != app.Root {
		o.sameID(id)
	} else if o.has("id") {
		u.ID = o.id(app.Root)
	}
	o.group(u, opt, 0)
	if err := o.err(); err != nil {
		return nil, err
	}
	if err := o.invalid.Err(); err != nil {
		return nil, err
	}
	return u, nil
}

func (o object) group(u *GroupUpdate, opt Options, depth int) {
	u.path = o.path
	o.alone(u)
	if o.has("enforceRole") {
		u.EnforceRole = new(bool)
		o.flag("enforceRole", u.EnforceRole)
	}
	if o.has("pods") {
		o.list("pods", func(path string, _ any) { o.refuse(path, "pods are not supported") })
	}
	var depends []app.Path
	if o.has("dependencies") {
		o.paths("dependencies", u.ID.Parent(), &depends)
		u.Dependencies = &depends
	}
	apps := []*app.App{}
	if o.objects("apps", func(c object) { apps = append(apps, c.member(u.ID, opt)) }) {
		u.Apps = &apps
	}
	groups := []*GroupUpdate{}
	if o.objects("groups", func(c object) {
		if depth >= mostNested {
			o.refuse(c.path, fmt.Sprintf("groups are more than %d deep", mostNested))
			return
		}
		sub := &GroupUpdate{ID: c.id(u.ID)}
		c.group(sub, opt, depth+1)
		if sub.ScaleBy != nil || sub.Version != nil {
			o.refuse(c.path, "scaleBy and version are of the outermost group only")
		}
		groups = append(groups, sub)
	}) {
		u.Groups = &groups
	}
}

// alone reads what goes with nothing else.
func (o object) alone(u *GroupUpdate) {
	if o.has("scaleBy") {
		u.ScaleBy = new(float64)
		o.number("scaleBy", u.ScaleBy)
		if *u.ScaleBy < 0 {
			o.refuse(o.at("scaleBy"), fmt.Sprintf("got %v, expected 0.0 or more", *u.ScaleBy))
		}
	}
	if o.has("version") && !o.has("apps") && !o.has("groups") && !o.has("dependencies") {
		u.Version = o.timestamp("version")
	}
	if u.ScaleBy == nil {
		return
	}
	for _, key := range o.keys() {
		if key != "id" && key != "scaleBy" && o.has(key) {
			o.refuse(o.at("scaleBy"), "The 'scaleBy' field may only be combined with the 'id' field.")
			return
		}
	}
}

// member reads an app of a group, with what is wrong with it.
func (o object) member(group app.Path, opt Options) *app.App {
	a := o.fresh(group, opt)
	for _, p := range a.Validate(opt.Rules) {
		o.refuse(p.Within(o.path).Path, p.Text)
	}
	return a
}

// Apply is the group that the update makes of old, which stays as it is, or of
// nothing if old is nil: the list of apps, if there is one, is all the apps that
// are directly in it, and so that of groups. Apps that are there have the stamps of
// those that they replace. Version is not applied: only the caller has that state.
// The error is app.Problems, of resident apps that cannot change so.
func (u *GroupUpdate) Apply(old *app.Group) (*app.Group, error) {
	var wrong app.Problems
	g := u.apply(old, &wrong)
	return g, wrong.Err()
}

func (u *GroupUpdate) apply(old *app.Group, wrong *app.Problems) *app.Group {
	if old == nil {
		old = &app.Group{ID: u.ID}
	}
	if u.ScaleBy != nil {
		return old.Scale(*u.ScaleBy)
	}
	g := *old
	if u.Dependencies != nil {
		g.Dependencies = *u.Dependencies
	}
	if u.EnforceRole != nil {
		g.EnforceRole = u.EnforceRole
	}
	if u.Apps != nil {
		g.Apps = make([]*app.App, 0, len(*u.Apps))
		for i, a := range *u.Apps {
			g.Apps = append(g.Apps, u.stamped(old, a, i, wrong))
		}
	}
	if u.Groups != nil {
		g.Groups = make([]*app.Group, 0, len(*u.Groups))
		for _, sub := range *u.Groups {
			g.Groups = append(g.Groups, sub.apply(old.Group(sub.ID), wrong))
		}
	}
	return g.Sorted()
}

// stamped is an app of the list with what it has from the one that it replaces.
func (u *GroupUpdate) stamped(old *app.Group, a *app.App, i int, wrong *app.Problems) *app.App {
	before := old.App(a.ID)
	if before == nil {
		return a
	}
	for _, p := range before.ValidateUpdate(a) {
		*wrong = append(*wrong, p.Within(fmt.Sprintf("%s/apps(%d)", u.path, i)))
	}
	a = a.Clone()
	a.Version, a.History = before.Version, before.History
	return a
}
