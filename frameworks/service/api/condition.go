package api

import (
	"net/http"
	"slices"
	"strings"

	"troupe/frameworks/service/app"
)

// tag names the version of what is answered, so that a change can be made to depend
// on it. It is the version of what people set, not of what instances do.
func (c *call) tag(v app.Version) { c.w.Header().Set("ETag", tagOf(v)) }

func tagOf(v app.Version) string { return `"` + v.String() + `"` }

// condition is what the app or group of a request must be like for a change of it;
// of a list of apps it is the root.
type condition struct {
	id        app.Path
	group     bool
	tags      []string // one of them, if there are any; "*": it exists
	otherwise bool     // it must not exist
}

// condition reads If-Match and If-None-Match, of which the latter may only be *.
func (c *call) condition() (condition, error) {
	m := condition{id: c.id, group: c.to == groups || c.to == oneGroup || c.to == apps}
	for _, value := range c.r.Header.Values("If-Match") {
		for tag := range strings.SplitSeq(value, ",") {
			m.tags = append(m.tags, strings.TrimPrefix(strings.TrimSpace(tag), "W/"))
		}
	}
	switch none := c.r.Header.Get("If-None-Match"); none {
	case "":
	case "*":
		m.otherwise = true
	default:
		return m, refuse(http.StatusBadRequest, "If-None-Match %q: expecting *", shortened(none))
	}
	return m, nil
}

// before is an edit that is only made if the condition holds at that time.
func (m condition) before(e edit) edit {
	return func(root *app.Group, at app.Version) (*app.Group, error) {
		version, there := m.version(root)
		switch {
		case m.otherwise && there:
			return nil, refuse(http.StatusPreconditionFailed, "%s is there, which If-None-Match rules out", m.id)
		case len(m.tags) == 0:
		case !there:
			return nil, refuse(http.StatusPreconditionFailed, "%s is not there, which If-Match demands", m.id)
		case !slices.Contains(m.tags, "*") && !slices.Contains(m.tags, tagOf(version)):
			return nil, refuse(http.StatusPreconditionFailed, "%s is at version %s, which If-Match does not name", m.id, version)
		}
		return e(root, at)
	}
}

func (m condition) version(root *app.Group) (app.Version, bool) {
	if m.group {
		if g := root.Group(m.id); g != nil {
			return g.Version, true
		}
		return 0, false
	}
	if a := root.App(m.id); a != nil {
		return a.Version, true
	}
	return 0, false
}
