package api

import (
	"slices"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
)

// stamp is a time as Marathon prints it; "" of the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return app.VersionAt(t).String()
}

// appInfo is an app with what e asks for. v is nil of one of which nothing was
// published yet.
func appInfo(a *app.App, v *state.AppView, e embed, now time.Time) *wire.AppInfo {
	w := wire.Plain(a)
	if v == nil {
		v = &state.AppView{App: a}
	}
	if e.counts {
		w.Counts = &wire.Counts{Staged: v.Counts.Staged, Running: v.Counts.Running, Healthy: v.Counts.Healthy, Unhealthy: v.Counts.Unhealthy}
	}
	if e.deployments {
		w.Deployments = refs(v.Deployments)
	}
	if e.tasks {
		w.Tasks = tasksOf(v)
	}
	if e.readiness {
		w.ReadinessResults = readiness(v.Readiness)
	}
	if e.failure && v.Failure != nil {
		w.LastTaskFailure = failure(a.ID, v.Failure)
	}
	if e.stats {
		w.TaskStats = taskStats(v, now)
	}
	return w
}

func refs(ids []string) []wire.Ref {
	list := make([]wire.Ref, 0, len(ids))
	for _, id := range ids {
		list = append(list, wire.Ref{ID: id})
	}
	return list
}

// tasksOf are the tasks of an app; instances that wait to be launched are not among
// them: clients look for the host of each.
func tasksOf(v *state.AppView) []wire.Task {
	list := make([]wire.Task, 0, len(v.Instances))
	for _, i := range v.Instances {
		if i.Task != "" {
			list = append(list, task(v, i))
		}
	}
	return list
}

// appOf is the version of its app that an instance was launched from; the one that
// counts now if that is forgotten.
func appOf(v *state.AppView, i *state.Instance) *app.App {
	for n := len(v.Versions) - 1; n >= 0 && i.Version != v.App.Version; n-- {
		if v.Versions[n].Version == i.Version {
			return v.Versions[n]
		}
	}
	return v.App
}

func task(v *state.AppView, i *state.Instance) wire.Task {
	t := wire.NewTask(i.Task, appOf(v, i))
	t.Host, t.AgentID, t.State, t.Role = i.Host.Hostname, i.Agent, i.State.String(), i.Role
	t.Region, t.Zone = i.Host.Region, i.Host.Zone
	t.Version = i.Version.String()
	t.StagedAt, t.StartedAt = stamp(i.Staged), stamp(i.Started)
	t.Ports = append(t.Ports, i.Ports...)
	t.IPAddresses = append(t.IPAddresses, addresses(i)...)
	for _, volume := range i.Volumes {
		t.LocalVolumes = append(t.LocalVolumes, wire.LocalVolume{
			AppID: i.App, ContainerPath: volume.Path, UUID: volume.ID, PersistenceID: volume.ID,
		})
	}
	for _, h := range i.Health {
		if h.LastSuccess.IsZero() && h.LastFailure.IsZero() {
			continue // there is no result yet, and not alive would be one
		}
		t.HealthResults = append(t.HealthResults, health(i, h))
	}
	if i.Check != nil {
		t.CheckResult = checkResult(i.Check)
	}
	return t
}

func addresses(i *state.Instance) []wire.IPAddress {
	list := []wire.IPAddress{}
	for _, a := range i.Addresses {
		list = append(list, wire.IPAddress{Address: a.IP, Protocol: protocol(a.Protocol)})
	}
	return list
}

func protocol(p mesos.NetworkInfo_Protocol) string {
	if p == mesos.NetworkInfo_IPv6 {
		return "IPv6"
	}
	return "IPv4"
}

func health(i *state.Instance, h state.Health) wire.HealthResult {
	return wire.HealthResult{
		Alive: h.Alive(), ConsecutiveFails: h.Failures, TaskID: i.Task, InstanceID: i.ID,
		FirstSuccess: stamp(h.FirstSuccess), LastSuccess: stamp(h.LastSuccess),
		LastFailure: stamp(h.LastFailure), LastFailureCause: h.Cause,
	}
}

// checkResult is nil before there is one.
func checkResult(c *mesos.CheckStatusInfo) *wire.CheckResult {
	http, tcp, command := c.GetHttp(), c.GetTcp(), c.GetCommand()
	switch {
	case http != nil && http.StatusCode != nil:
		return &wire.CheckResult{HTTP: &wire.HTTPResult{StatusCode: int(http.GetStatusCode())}}
	case tcp != nil && tcp.Succeeded != nil:
		return &wire.CheckResult{TCP: &wire.TCPResult{Succeeded: tcp.GetSucceeded()}}
	case command != nil && command.ExitCode != nil:
		return &wire.CheckResult{Command: &wire.CommandResult{ExitCode: int(command.GetExitCode())}}
	}
	return nil
}

func readiness(list []state.Readiness) []wire.ReadinessResult {
	results := make([]wire.ReadinessResult, 0, len(list))
	for _, r := range list {
		w := wire.ReadinessResult{Name: r.Name, TaskID: r.Task, Ready: r.Ready}
		if r.Response != nil {
			w.LastResponse = &wire.ReadinessResponse{Status: r.Response.Status, ContentType: r.Response.ContentType, Body: r.Response.Body}
		}
		results = append(results, w)
	}
	return results
}

func failure(id app.Path, f *state.Failure) *wire.TaskFailure {
	return &wire.TaskFailure{
		AppID: id, Host: f.Host, Message: f.Message, State: f.State.String(), TaskID: f.Task,
		Timestamp: stamp(f.At), Version: f.Version.String(), AgentID: f.Agent,
	}
}

// taskStats sums up an app's tasks by how old they are.
func taskStats(v *state.AppView, now time.Time) *wire.TaskStats {
	scaled := v.App.History.LastScaling.Time()
	return &wire.TaskStats{
		AfterScaling: stats(v, now, func(i *state.Instance) bool { return i.Staged.After(scaled) }),
		Latest:       stats(v, now, func(i *state.Instance) bool { return !i.Outdated }),
		Outdated:     stats(v, now, func(i *state.Instance) bool { return i.Outdated }),
		Total:        stats(v, now, func(*state.Instance) bool { return true }),
	}
}

// stats are nil without any task.
func stats(v *state.AppView, now time.Time, of func(*state.Instance) bool) *wire.Stats {
	s := &wire.Stats{}
	counts := &s.Stats.Counts
	var lives []time.Duration
	found := false
	for _, i := range v.Instances {
		if i.Task == "" || !of(i) {
			continue
		}
		found = true
		switch i.State {
		case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING:
			counts.Staged++
		case mesos.TaskState_TASK_RUNNING:
			counts.Running++
		}
		switch alive, known := well(i); {
		case known && alive:
			counts.Healthy++
		case known:
			counts.Unhealthy++
		}
		if !i.Started.IsZero() {
			lives = append(lives, now.Sub(i.Started))
		}
	}
	if !found {
		return nil
	}
	s.Stats.LifeTime = lifeTime(lives)
	return s
}

// well tells whether all health checks of an instance find it alive, and whether
// any has a result.
func well(i *state.Instance) (alive, known bool) {
	alive = true
	for _, h := range i.Health {
		if !h.LastSuccess.IsZero() || !h.LastFailure.IsZero() {
			known = true
			alive = alive && h.Alive()
		}
	}
	return alive, known
}

func lifeTime(lives []time.Duration) *wire.LifeTime {
	if len(lives) == 0 {
		return nil
	}
	slices.Sort(lives)
	sum := 0.0
	for _, d := range lives {
		sum += d.Seconds()
	}
	middle := len(lives) / 2
	median := lives[middle].Seconds()
	if len(lives)%2 == 0 {
		median = (median + lives[middle-1].Seconds()) / 2
	}
	return &wire.LifeTime{Average: sum / float64(len(lives)), Median: median}
}
