package api

import (
	"net/http"
	"strings"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
)

func (s *Server) aboutApps() map[resource]map[string]handler {
	return map[resource]map[string]handler{
		apps: {
			http.MethodGet: listApps, http.MethodPost: createApp,
			http.MethodPut: updateApps(true), http.MethodPatch: updateApps(false),
		},
		oneApp: {
			http.MethodGet: getApp, http.MethodDelete: deleteApp,
			http.MethodPut: updateApp(true), http.MethodPatch: updateApp(false),
		},
		appsBelow:   {http.MethodGet: listBelow},
		appRestart:  {http.MethodPost: restartApp},
		appVersions: {http.MethodGet: listAppVersions},
		appVersion:  {http.MethodGet: getAppVersion},
	}
}

// listApps answers GET /v2/apps.
func listApps(c *call) error {
	wanted, err := c.appFilter()
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, wire.AppsAnswer{Apps: c.appsIn(c.s.Board.Root(), wanted)})
}

// listBelow answers GET of a group with /* behind it.
func listBelow(c *call) error {
	group := c.s.Board.Root().Group(c.id)
	if group == nil {
		return noGroup(c.id)
	}
	wanted, err := c.appFilter()
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, wire.BelowAnswer{Apps: c.appsIn(group, wanted)})
}

func (c *call) appsIn(g *app.Group, wanted func(*app.App) bool) []*wire.AppInfo {
	e, now := embedOfApps(c.query), c.s.Now()
	list := []*wire.AppInfo{}
	for a := range g.All() {
		if wanted(a) {
			list = append(list, appInfo(a, c.s.Board.App(a.ID), e, now))
		}
	}
	return list
}

// appFilter reads the parameters cmd, id and label, of which all must fit. Several
// labels must all fit, too.
func (c *call) appFilter() (func(*app.App) bool, error) {
	command, id := c.text("cmd"), c.text("id")
	var labels selector
	for _, text := range c.values["label"] {
		part, err := parseSelector(text)
		if err != nil {
			return nil, refuse(http.StatusUnprocessableEntity, "%s", shortened(err.Error()))
		}
		labels = append(labels, part...)
	}
	return func(a *app.App) bool {
		return strings.Contains(a.Process.Command, command) && strings.Contains(string(a.ID), id) && labels.matches(a.Labels)
	}, nil
}

// getApp answers GET of one app.
func getApp(c *call) error {
	a := c.s.Board.Root().App(c.id)
	if a == nil {
		return noApp(c.id)
	}
	c.tag(a.Version)
	return c.answer(http.StatusOK, wire.AppAnswer{App: appInfo(a, c.s.Board.App(c.id), wholeApp(c.query), c.s.Now())})
}

// versionsOf are the versions of an app that there are, newest first; none of an
// app that does not exist.
func (s *Server) versionsOf(id app.Path) []*app.App {
	now := s.Board.Root().App(id)
	if now == nil {
		return nil
	}
	list := []*app.App{now}
	if v := s.Board.App(id); v != nil {
		for i := len(v.Versions) - 1; i >= 0; i-- {
			if v.Versions[i].Version < list[len(list)-1].Version {
				list = append(list, v.Versions[i])
			}
		}
	}
	return list
}

// versionOf is one version of an app; nil if there is none.
func (s *Server) versionOf(id app.Path, at app.Version) *app.App {
	for _, a := range s.versionsOf(id) {
		if a.Version == at {
			return a
		}
	}
	return nil
}

func listAppVersions(c *call) error {
	list := c.s.versionsOf(c.id)
	if list == nil {
		return noApp(c.id)
	}
	versions := make([]app.Version, 0, len(list))
	for _, a := range list {
		versions = append(versions, a.Version)
	}
	return c.answer(http.StatusOK, wire.VersionsAnswer{Versions: wire.Versions(versions)})
}

func getAppVersion(c *call) error {
	at, err := app.ParseVersion(c.part)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "%s", shortened(err.Error()))
	}
	a := c.s.versionOf(c.id, at)
	if a == nil {
		return noVersion(c.id, at)
	}
	return c.answer(http.StatusOK, wire.FromApp(a))
}

func noVersion(id app.Path, at app.Version) error {
	return refuse(http.StatusNotFound, "App '%s' does not exist in version %s", shortened(string(id)), at)
}

// restartApp answers POST …/restart, whose body does not matter.
func restartApp(c *call) error {
	force, err := c.flag("force", false)
	if err != nil {
		return err
	}
	answer, err := c.do(func(n uint64) state.Input {
		return state.Restart{Request: n, Apps: []app.Path{c.id}, Force: force}
	})
	if err != nil {
		return err
	}
	return c.result(http.StatusOK, answer)
}
