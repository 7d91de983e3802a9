package api

import (
	"net/http"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/wire"
)

func (s *Server) aboutGroups() map[resource]map[string]handler {
	one := map[string]handler{
		http.MethodGet: getGroup, http.MethodPost: createGroup, http.MethodPut: updateGroup,
		http.MethodPatch: patchGroup, http.MethodDelete: deleteGroup,
	}
	return map[resource]map[string]handler{
		groups: one, oneGroup: one,
		groupApps:     {http.MethodGet: listBelow},
		groupVersions: {http.MethodGet: listGroupVersions},
		groupVersion:  {http.MethodGet: getGroupVersion},
	}
}

// getGroup answers GET of a group.
func getGroup(c *call) error {
	g := c.s.Board.Root().Group(c.id)
	if g == nil {
		return noGroup(c.id)
	}
	c.tag(g.Version)
	return c.answer(http.StatusOK, c.group(g, embedOfGroups(c.query)))
}

func (c *call) group(g *app.Group, e embed) *wire.Group {
	now := c.s.Now()
	info := func(a *app.App) *wire.AppInfo { return appInfo(a, c.s.Board.App(a.ID), e, now) }
	if !e.apps {
		info = nil
	}
	return wire.FromGroup(g, e.groups, info)
}

// groupsOf are the versions of a group, newest first; none of one that does not
// exist.
func (s *Server) groupsOf(id app.Path) []*app.Group {
	now := s.Board.Root().Group(id)
	if now == nil {
		return nil
	}
	list := []*app.Group{now}
	history := s.Board.History()
	for i := len(history) - 1; i >= 0; i-- {
		if g := history[i].Group(id); g != nil && g.Version < list[len(list)-1].Version {
			list = append(list, g)
		}
	}
	return list
}

// groupOf is a group as it was at a version of the root, or else of its own; nil if
// that is not known.
func (s *Server) groupOf(id app.Path, at app.Version) *app.Group {
	for _, root := range s.Board.History() {
		if root.Version == at {
			return root.Group(id)
		}
	}
	for _, g := range s.groupsOf(id) {
		if g.Version == at {
			return g
		}
	}
	return nil
}

// listGroupVersions answers with a bare list, other than that of an app.
func listGroupVersions(c *call) error {
	list := c.s.groupsOf(c.id)
	if list == nil {
		return noGroup(c.id)
	}
	versions := make([]app.Version, 0, len(list))
	for _, g := range list {
		versions = append(versions, g.Version)
	}
	return c.answer(http.StatusOK, wire.Versions(versions))
}

func getGroupVersion(c *call) error {
	at, err := app.ParseVersion(c.part)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "%s", shortened(err.Error()))
	}
	g := c.s.groupOf(c.id, at)
	if g == nil {
		return noGroupVersion(c.id, at)
	}
	return c.answer(http.StatusOK, wire.FromGroup(g, true, wire.Plain))
}

func noGroupVersion(id app.Path, at app.Version) error {
	return refuse(http.StatusNotFound, "Group '%s' does not exist in version %s", shortened(string(id)), at)
}

func (c *call) readGroup() (update *wire.GroupUpdate, err error) {
	err = c.read(func(body []byte) (err error) {
		update, err = wire.ReadGroup(body, c.id, c.s.Apps)
		return err
	})
	return update, err
}

// createGroup answers POST, which refuses to change one that is there.
func createGroup(c *call) error {
	update, err := c.readGroup()
	if err != nil {
		return err
	}
	c.id = update.ID
	return c.putGroup(update, func(root *app.Group) error {
		if root.Group(update.ID) != nil {
			return refuse(http.StatusConflict, "Group %s is already created. Use PUT to change this group.", update.ID)
		}
		return nil
	})
}

// updateGroup answers PUT, which creates one that is not there.
func updateGroup(c *call) error {
	update, err := c.readGroup()
	if err != nil {
		return err
	}
	c.id = update.ID
	return c.putGroup(update, func(*app.Group) error { return nil })
}

// patchGroup answers PATCH, which takes enforceRole alone.
func patchGroup(c *call) error {
	update, err := c.readGroup()
	if err != nil {
		return err
	}
	if update.Apps != nil || update.Groups != nil || update.Dependencies != nil || update.ScaleBy != nil || update.Version != nil {
		return refuse(http.StatusUnprocessableEntity, "PATCH of a group takes enforceRole alone")
	}
	c.id = update.ID
	return c.putGroup(update, func(root *app.Group) error {
		if root.Group(update.ID) == nil {
			return noGroup(update.ID)
		}
		return nil
	})
}

// putGroup carries out the change of a group, if admit allows it.
func (c *call) putGroup(update *wire.GroupUpdate, admit func(root *app.Group) error) error {
	var stored *app.Group
	if update.Version != nil {
		stored = c.s.groupOf(update.ID, *update.Version)
	}
	created := false
	answer, planned, err := c.change(false, func(root *app.Group, at app.Version) (*app.Group, error) {
		if err := admit(root); err != nil {
			return nil, err
		}
		created = root.Group(update.ID) == nil
		return editGroup(root, update, stored, at)
	})
	if err != nil || planned {
		return err
	}
	if created {
		c.w.Header().Set("Location", "/v2/groups"+string(update.ID))
		return c.result(http.StatusCreated, answer)
	}
	return c.result(http.StatusOK, answer)
}

// editGroup is a root with a changed group.
func editGroup(root *app.Group, update *wire.GroupUpdate, stored *app.Group, at app.Version) (*app.Group, error) {
	old := root.Group(update.ID)
	switch {
	case old == nil && (update.Version != nil || update.ScaleBy != nil):
		return nil, noGroup(update.ID)
	case update.Version != nil && stored == nil:
		return nil, noGroupVersion(update.ID, *update.Version)
	case update.Version != nil:
		return root.Put(stored), nil
	case root.App(update.ID) != nil:
		return nil, refuse(http.StatusConflict, "There is an app called %s: a group cannot be called so, too", update.ID)
	}
	if above := appAbove(root, update.ID); above != "" {
		return nil, refuse(http.StatusConflict, "There is an app called %s: nothing can be below it", above)
	}
	next, err := update.Apply(old)
	if err != nil {
		return nil, err
	}
	return root.Put(next), nil
}

// deleteGroup answers DELETE of a group with all that is in it; of the root it
// leaves nothing.
func deleteGroup(c *call) error {
	answer, planned, err := c.change(false, func(root *app.Group, at app.Version) (*app.Group, error) {
		if root.Group(c.id) == nil {
			return nil, noGroup(c.id)
		}
		return root.WithoutGroup(c.id, at), nil
	})
	if err != nil || planned {
		return err
	}
	return c.result(http.StatusOK, answer)
}
