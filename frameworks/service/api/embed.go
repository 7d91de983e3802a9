package api

import "strings"

// embed is what an answer about apps is to hold besides them.
type embed struct {
	counts, deployments, readiness, failure, stats, tasks bool
	// Of groups.
	groups, apps bool
}

// embedOfApps reads the parameter embed of /v2/apps and below: names begin with
// "apps." or "app.". Counts and deployments are always there.
func embedOfApps(q query) embed {
	e := embed{counts: true, deployments: true}
	for _, name := range q.list("embed") {
		_, what, prefixed := strings.Cut(name, ".")
		if prefixed {
			e.add(what)
		}
	}
	return e
}

// wholeApp is what GET of one app holds.
func wholeApp(q query) embed {
	e := embedOfApps(q)
	e.tasks, e.failure, e.readiness = true, true, true
	return e
}

func (e *embed) add(what string) {
	switch what {
	case "tasks":
		e.tasks = true
	case "counts", "count":
		e.counts = true
	case "deployments":
		e.deployments = true
	case "lastTaskFailure":
		e.failure = true
	case "failures":
		e.tasks, e.failure, e.deployments = true, true, true
	case "taskStats":
		e.stats = true
	case "readiness":
		e.readiness = true
	}
}

// embedOfGroups reads the parameter embed of /v2/groups; without one there are all
// groups and all apps, as such.
func embedOfGroups(q query) embed {
	names := q.list("embed")
	if len(names) == 0 {
		return embed{groups: true, apps: true}
	}
	var e embed
	for _, name := range names {
		what, inGroup := strings.CutPrefix(name, "group.")
		switch {
		case !inGroup:
		case what == "groups":
			e.groups = true
		case what == "apps":
			e.apps = true
		default:
			if of, found := strings.CutPrefix(what, "apps."); found {
				e.apps = true
				e.add(of)
			}
		}
	}
	return e
}
