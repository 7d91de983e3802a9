package api

import (
	"slices"
	"strings"

	"troupe/frameworks/service/app"
)

// resource is what a path leads to.
type resource int

const (
	nothing resource = iota
	home
	page
	ping
	metrics
	metricsPrometheus
	config
	logging
	info
	leader
	plugins
	eventStream
	callbacks
	apps
	oneApp
	appsBelow
	appRestart
	appTasks
	appTask
	appVersions
	appVersion
	tasks
	tasksDelete
	groups
	oneGroup
	groupApps
	groupVersions
	groupVersion
	deployments
	oneDeployment
	deploymentPause
	deploymentResume
	deploymentPromote
	queue
	queueDelay
	queueWhy
)

// route is a path that was understood: what it leads to, of which app or group,
// and the last part: a task, a version or a deployment.
type route struct {
	to   resource
	id   app.Path
	part string
	// wrong is why the part that names an app or a group cannot: there is none.
	wrong error
}

// fixed are the paths without a part that varies.
var fixed = map[string]resource{
	"":                      home,
	"ui":                    page,
	"ping":                  ping,
	"metrics":               metrics,
	"metrics/prometheus":    metricsPrometheus,
	"config":                config,
	"logging":               logging,
	"v2/info":               info,
	"v2/leader":             leader,
	"v2/plugins":            plugins,
	"v2/events":             eventStream,
	"v2/eventSubscriptions": callbacks,
	"v2/apps":               apps,
	"v2/tasks":              tasks,
	"v2/tasks/delete":       tasksDelete,
	"v2/groups":             groups,
	"v2/deployments":        deployments,
	"v2/queue":              queue,
}

// existing tells what there is, so that an app called like a part of the API is
// found where one is.
type existing struct {
	app   func(app.Path) bool
	group func(app.Path) bool
}

// parseRoute reads a path. Repeated and trailing slashes do not count: clients put
// ids that begin with a slash behind another one.
func parseRoute(path string, there existing) route {
	parts := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
	if to, found := fixed[strings.Join(parts, "/")]; found {
		return route{to: to, id: app.Root}
	}
	if parts[0] == "ui" {
		return route{to: page}
	}
	if len(parts) < 3 || parts[0] != "v2" {
		return route{}
	}
	switch rest := parts[2:]; parts[1] {
	case "apps":
		return appRoute(rest, there.app)
	case "groups":
		return groupRoute(rest, there.group)
	case "deployments":
		return deploymentRoute(rest)
	case "queue":
		return queueRoute(rest)
	}
	return route{}
}

// named is a route to what an app or a group has.
func named(to resource, segments []string, part string) route {
	id, err := app.ParsePath("/"+strings.Join(segments, "/"), app.Root)
	return route{to: to, id: id, part: part, wrong: err}
}

func appRoute(parts []string, there func(app.Path) bool) route {
	n := len(parts)
	last := parts[n-1]
	if last == "*" {
		return named(appsBelow, parts[:n-1], "")
	}
	whole := named(oneApp, parts, "")
	if n == 1 || whole.wrong == nil && there(whole.id) {
		return whole
	}
	switch last {
	case "restart":
		return named(appRestart, parts[:n-1], "")
	case "tasks":
		return named(appTasks, parts[:n-1], "")
	case "versions":
		return named(appVersions, parts[:n-1], "")
	}
	if n == 2 {
		return whole
	}
	switch parts[n-2] {
	case "tasks":
		return named(appTask, parts[:n-2], last)
	case "versions":
		return named(appVersion, parts[:n-2], last)
	}
	return whole
}

func groupRoute(parts []string, there func(app.Path) bool) route {
	n := len(parts)
	whole := named(oneGroup, parts, "")
	if whole.wrong == nil && there(whole.id) {
		return whole
	}
	switch {
	case parts[n-1] == "versions":
		return named(groupVersions, parts[:n-1], "")
	case parts[n-1] == "apps":
		return named(groupApps, parts[:n-1], "")
	case n > 1 && parts[n-2] == "versions":
		return named(groupVersion, parts[:n-2], parts[n-1])
	}
	return whole
}

func deploymentRoute(parts []string) route {
	switch {
	case len(parts) == 1:
		return route{to: oneDeployment, part: parts[0]}
	case len(parts) == 2 && parts[1] == "pause":
		return route{to: deploymentPause, part: parts[0]}
	case len(parts) == 2 && parts[1] == "resume":
		return route{to: deploymentResume, part: parts[0]}
	case len(parts) == 2 && parts[1] == "promote":
		return route{to: deploymentPromote, part: parts[0]}
	}
	return route{}
}

func queueRoute(parts []string) route {
	n := len(parts)
	switch {
	case n > 1 && parts[n-1] == "delay":
		return named(queueDelay, parts[:n-1], "")
	case n > 1 && parts[n-1] == "why":
		return named(queueWhy, parts[:n-1], "")
	}
	return route{}
}
