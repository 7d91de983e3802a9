package api

import (
	"errors"
	"fmt"
	"net/http"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
)

// edit makes another root of one; it must be pure.
type edit func(root *app.Group, at app.Version) (*app.Group, error)

// change has the core carry out an edit, as the parameters force and dryRun and the
// header If-Match say. planned tells that nothing was done but an answer given: the
// plan.
func (c *call) change(force bool, e edit) (a state.Answer, planned bool, err error) {
	force, err = c.flag("force", force)
	if err != nil {
		return a, false, err
	}
	dry, err := c.flag("dryRun", false)
	if err != nil {
		return a, false, err
	}
	match, err := c.condition()
	if err != nil {
		return a, false, err
	}
	var made *app.Group // nil if there is none to find fault with
	a, err = c.do(func(n uint64) state.Input {
		return state.Update{Request: n, Force: force, DryRun: dry, Edit: match.before(func(root *app.Group, at app.Version) (_ *app.Group, err error) {
			made, err = e(root, at)
			return made, err
		})}
	})
	if err != nil {
		var found app.Problems
		if errors.As(err, &found) { // an answer: Edit is over
			err = fromHere(found, made, c.id)
		}
		return a, false, err
	}
	if !dry {
		return a, false, nil
	}
	answer, err := planAnswer(a.Plan)
	if err != nil {
		return a, true, err
	}
	return a, true, c.answer(http.StatusOK, answer)
}

// createApp answers POST /v2/apps.
func createApp(c *call) error {
	var next *app.App
	err := c.read(func(body []byte) (err error) {
		next, err = wire.ReadApp(body, app.Root, c.s.Apps)
		return err
	})
	if err != nil {
		return err
	}
	c.to, c.id = oneApp, next.ID
	answer, planned, err := c.change(false, func(root *app.Group, _ app.Version) (*app.Group, error) {
		if root.App(next.ID) != nil {
			return nil, refuse(http.StatusConflict, "An app with id [%s] already exists.", next.ID)
		}
		return with(root, next)
	})
	if err != nil || planned {
		return err
	}
	c.deployment(answer)
	created := next
	if p := answer.Plan; p != nil && p.Target.App(next.ID) != nil {
		created = p.Target.App(next.ID)
	}
	info := appInfo(created, &state.AppView{App: created, Deployments: some(answer.Deployment)}, embed{counts: true, deployments: true, tasks: true}, c.s.Now())
	c.w.Header().Set("Location", "/v2/apps"+string(next.ID))
	c.tag(created.Version)
	c.posted(created)
	return c.answer(http.StatusCreated, info)
}

// with is a root with an app, unless something else is where it is to be.
func with(root *app.Group, a *app.App) (*app.Group, error) {
	if root.Group(a.ID) != nil {
		return nil, refuse(http.StatusConflict, "There is a group called %s: an app cannot be called so, too", a.ID)
	}
	if above := appAbove(root, a.ID); above != "" {
		return nil, refuse(http.StatusConflict, "There is an app called %s: nothing can be below it", above)
	}
	return root.With(a), nil
}

// appAbove is the app that a path would be in, "" if there is none.
func appAbove(root *app.Group, id app.Path) app.Path {
	for at := id.Parent(); at != app.Root; at = at.Parent() {
		if root.App(at) != nil {
			return at
		}
	}
	return ""
}

// some is a list of what is not empty.
func some(ids ...string) []string {
	list := []string{}
	for _, id := range ids {
		if id != "" {
			list = append(list, id)
		}
	}
	return list
}

// updateApp answers PUT and PATCH of one app; the latter does not create it.
func updateApp(create bool) handler {
	return func(c *call) error {
		var update *wire.Update
		err := c.read(func(body []byte) (err error) {
			update, err = wire.ReadUpdate(body, c.id)
			return err
		})
		if err != nil {
			return err
		}
		return c.update(create, false, update)
	}
}

// updateApps answers PUT and PATCH of a list of apps.
func updateApps(create bool) handler {
	return func(c *call) error {
		var updates []*wire.Update
		err := c.read(func(body []byte) (err error) {
			updates, err = wire.ReadUpdates(body)
			return err
		})
		if err != nil {
			return err
		}
		return c.update(create, true, updates...)
	}
}

// update carries out changes of apps, all or none.
func (c *call) update(create, listed bool, updates ...*wire.Update) error {
	partial, err := c.flag("partialUpdate", true)
	if err != nil {
		return err
	}
	all := make([]change, 0, len(updates))
	for _, u := range updates {
		one := change{Update: u, create: create, partial: partial, options: c.s.Apps}
		if u.Version != nil {
			one.stored = c.s.versionOf(u.ID, *u.Version)
		}
		all = append(all, one)
	}
	created := false
	answer, planned, err := c.change(false, func(root *app.Group, _ app.Version) (*app.Group, error) {
		created = len(all) == 1 && root.App(all[0].ID) == nil
		return applied(root, all, listed)
	})
	if err != nil || planned {
		return err
	}
	for _, one := range all {
		if a := answer.Plan.Target.App(one.ID); a != nil {
			c.posted(a)
		}
	}
	if created && !listed {
		c.w.Header().Set("Location", "/v2/apps"+string(c.id))
		return c.result(http.StatusCreated, answer)
	}
	return c.result(http.StatusOK, answer)
}

// change is a change of one app.
type change struct {
	*wire.Update
	stored          *app.App // the version to go back to, nil if there is none
	create, partial bool
	options         wire.Options
}

// applied is a root with all changes. What is wrong with those of a list is told by
// their place in it.
func applied(root *app.Group, all []change, listed bool) (*app.Group, error) {
	var wrong app.Problems
	for i, one := range all {
		next, err := one.apply(root)
		var found app.Problems
		switch {
		case errors.As(err, &found) && listed:
			for _, p := range found {
				wrong = append(wrong, p.Within(fmt.Sprintf("(%d)", i)))
			}
		case err != nil:
			return nil, err
		default:
			root = next
		}
	}
	return root, wrong.Err()
}

func (c change) apply(root *app.Group) (*app.Group, error) {
	old := root.App(c.ID)
	if old == nil && (!c.create || c.Version != nil) {
		return nil, noApp(c.ID)
	}
	if c.Version != nil {
		return c.back(root, old)
	}
	next, err := c.Apply(old, c.partial, c.options)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return with(root, next)
	}
	return root.With(next), nil
}

// back returns an app to what it was.
func (c change) back(root *app.Group, old *app.App) (*app.Group, error) {
	if c.stored == nil {
		return nil, noVersion(c.ID, *c.Version)
	}
	next := c.stored.Clone()
	next.Version, next.History = old.Version, old.History
	if err := old.ValidateUpdate(next).Err(); err != nil {
		return nil, err
	}
	return root.With(next), nil
}

// deleteApp answers DELETE of an app, which does not heed deployments unless force
// is false.
func deleteApp(c *call) error {
	answer, planned, err := c.change(true, func(root *app.Group, at app.Version) (*app.Group, error) {
		if root.App(c.id) == nil {
			return nil, noApp(c.id)
		}
		return root.Without(c.id, at), nil
	})
	if err != nil || planned {
		return err
	}
	return c.result(http.StatusOK, answer)
}
