package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// fullView is an app of which everything has become that can.
func fullView() *state.AppView {
	a := &app.App{
		ID: "/g/a", Role: "web", Instances: 4, Version: 9, Networks: []app.Network{{Mode: app.ModeHost}},
		Ports: []app.Port{{Number: 10000}}, History: app.History{LastScaling: app.VersionAt(noon), LastConfig: 5},
	}
	old := a.Clone()
	old.Version, old.Ports = 5, []app.Port{{Number: 10007}}
	well := state.Health{FirstSuccess: noon, LastSuccess: noon.Add(time.Minute), LastFailure: noon}
	ill := state.Health{LastFailure: noon, Cause: "refused", Failures: 2}
	at := state.Place{
		Agent: "S1", Host: match.Host{Hostname: "h1", Region: "r", Zone: "z"}, Role: "web", Ports: []int{31000},
		Addresses: []state.Address{{IP: "::1", Protocol: mesos.NetworkInfo_IPv6}}, Volumes: []state.Volume{{Path: "data", ID: "v1"}},
	}
	code := int32(3)
	return &state.AppView{
		App: a, Versions: []*app.App{old, a}, Counts: state.Counts{Staged: 1, Running: 2, Healthy: 1, Unhealthy: 1},
		Deployments: []string{"d1"},
		Instances: []*state.Instance{
			{ID: "g_a.1", Task: "g_a.1", App: a.ID, Version: 5, Outdated: true, State: mesos.TaskState_TASK_RUNNING, Staged: noon.Add(-time.Hour), Started: noon, Place: at, Health: []state.Health{ill}},
			{
				ID: "g_a.2", Task: "g_a.2", App: a.ID, Version: 9, State: mesos.TaskState_TASK_RUNNING, Staged: noon.Add(time.Second), Started: noon.Add(time.Minute), Place: at, Health: []state.Health{well},
				Check: &mesos.CheckStatusInfo{Command: &mesos.CheckStatusInfo_Command{ExitCode: &code}},
			},
			{ID: "g_a.3", Task: "g_a.3", App: a.ID, Version: 9, State: mesos.TaskState_TASK_STAGING, Staged: noon.Add(time.Second)},
			{ID: "g_a.4", App: a.ID, Version: 9},
		},
		Readiness: []state.Readiness{{Name: "ready", Task: "g_a.2", Response: &state.Response{Status: 503, Body: "b"}}},
		Failure:   &state.Failure{Task: "g_a.0", Agent: "S1", Host: "h1", State: mesos.TaskState_TASK_FAILED, Message: "exit 1", At: noon, Version: 5},
	}
}

func TestTaskOfInstance(t *testing.T) {
	v := fullView()
	list := tasksOf(v)
	if len(list) != 3 {
		t.Fatalf("%d tasks: one waits to be launched", len(list))
	}
	first := list[0]
	want := wire.Task{
		AppID: "/g/a", ID: "g_a.1", Host: "h1", Ports: []int{31000}, ServicePorts: []int{10007}, AgentID: "S1", State: "TASK_RUNNING",
		IPAddresses: []wire.IPAddress{{Address: "::1", Protocol: "IPv6"}}, StagedAt: "2026-03-04T11:00:00.000Z", StartedAt: "2026-03-04T12:00:00.000Z",
		Version: "1970-01-01T00:00:00.005Z", Region: "r", Zone: "z", Role: "web",
		LocalVolumes:  []wire.LocalVolume{{AppID: "/g/a", ContainerPath: "data", UUID: "v1", PersistenceID: "v1"}},
		HealthResults: []wire.HealthResult{{ConsecutiveFails: 2, LastFailure: "2026-03-04T12:00:00.000Z", LastFailureCause: "refused", TaskID: "g_a.1", InstanceID: "g_a.1"}},
	}
	if !reflect.DeepEqual(first, want) {
		t.Errorf("got  %+v\nwant %+v", first, want)
	}
	if c := list[1].CheckResult; c == nil || c.Command.ExitCode != 3 {
		t.Errorf("check %+v", c)
	}
	if list[2].StartedAt != "" || list[2].ServicePorts[0] != 10000 {
		t.Errorf("staged: %+v", list[2])
	}
}

func TestStatsOfTasks(t *testing.T) {
	got := taskStats(fullView(), noon.Add(2*time.Minute))
	if c := got.Total.Stats.Counts; c != (wire.StatsCounts{Staged: 1, Running: 2, Healthy: 1, Unhealthy: 1}) {
		t.Errorf("total %+v", c)
	}
	if l := got.Total.Stats.LifeTime; *l != (wire.LifeTime{Average: 90, Median: 90}) {
		t.Errorf("life time %+v", l)
	}
	if c := got.AfterScaling.Stats.Counts; c != (wire.StatsCounts{Staged: 1, Running: 1, Healthy: 1}) {
		t.Errorf("after scaling %+v", c)
	}
	if c := got.Outdated.Stats.Counts; c != (wire.StatsCounts{Running: 1, Unhealthy: 1}) || got.Latest.Stats.Counts.Running != 1 {
		t.Errorf("outdated %+v", c)
	}
	if s := taskStats(&state.AppView{App: &app.App{}}, noon); *s != (wire.TaskStats{}) {
		t.Errorf("of nothing: %+v", s)
	}
}

// The keys of everything in an answer about apps are those that strict clients know.
func TestStrictKeys(t *testing.T) {
	known := map[string][]string{
		"app": {
			"acceptedResourceRoles", "args", "backoffFactor", "backoffSeconds", "cmd", "constraints", "container", "cpus", "dependencies", "deployments", "disk", "env",
			"executor", "healthChecks", "id", "role", "instances", "killSelection", "labels", "lastTaskFailure", "maxLaunchDelaySeconds", "mem", "ports", "requirePorts",
			"storeUrls", "taskRateLimit", "tasks", "tasksRunning", "tasksStaged", "tasksHealthy", "tasksUnhealthy", "taskKillGracePeriodSeconds", "upgradeStrategy",
			"unreachableStrategy", "uris", "user", "version", "versionInfo", "ipAddress", "fetch", "taskStats", "readinessChecks", "readinessCheckResults", "secrets",
			"portDefinitions", "residency", "gpus", "networks",
		},
		"task": {
			"appId", "healthCheckResults", "host", "id", "ports", "servicePorts", "slaveId", "stagedAt", "startedAt", "version", "ipAddresses", "state", "localVolumes",
			"region", "zone", "role",
		},
		"health":  {"alive", "consecutiveFailures", "firstSuccess", "lastFailure", "lastSuccess", "taskId", "lastFailureCause", "instanceId"},
		"failure": {"appId", "host", "message", "taskId", "instanceId", "slaveId", "state", "timestamp", "version"},
		"queue":   {"app", "overdue", "count", "delay", "since", "processedOffersSummary", "lastUnusedOffers"},
		"deployment": {
			"affectedApps", "affectedPods", "currentActions", "currentStep", "id", "steps", "totalSteps", "version",
		},
		"action": {"action", "app", "apps", "pod", "type", "readinessCheckResults"},
	}
	check := func(kind string, v any) map[string]any {
		t.Helper()
		object := jsonOf(t, v)
		for key := range object {
			if !slices.Contains(known[kind], key) {
				t.Errorf("%s: %s is refused", kind, key)
			}
		}
		return object
	}
	v := fullView()
	v.Instances[1].Check = nil // only there if somebody asks for checks
	everything := embed{counts: true, deployments: true, readiness: true, failure: true, stats: true, tasks: true}
	a := check("app", appInfo(v.App, v, everything, noon))
	for _, one := range a["tasks"].([]any) {
		task := check("task", one)
		if results, there := task["healthCheckResults"].([]any); there {
			check("health", results[0])
		}
	}
	check("failure", a["lastTaskFailure"])
	s := &Server{Options: Options{}.filled()}
	s.Apps.Rules.Role = "web"
	check("queue", s.queueItem(&state.Queue{App: v.App, Count: 1}, true, noon))
	d := deployment(&state.DeploymentView{
		Plan:    &rollout.Plan{Steps: []rollout.Step{{{Kind: rollout.Restart, App: "/g/a"}}}},
		Actions: []state.ActionView{{Action: rollout.Action{Kind: rollout.Restart, App: "/g/a"}, Readiness: v.Readiness}},
	})
	for _, action := range check("deployment", d)["currentActions"].([]any) {
		check("action", action)
	}
}

func jsonOf(t *testing.T, v any) map[string]any {
	t.Helper()
	data, err := wire.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestDelays(t *testing.T) {
	for left, want := range map[time.Duration]wire.Delay{
		-time.Second: {Overdue: true}, 0: {Overdue: true}, time.Millisecond: {TimeLeftSeconds: 1}, time.Minute: {TimeLeftSeconds: 60},
	} {
		if got := delay(&state.Queue{Until: noon.Add(left)}, noon); got != want {
			t.Errorf("%v: %+v", left, got)
		}
	}
	if got := delay(&state.Queue{}, noon); !got.Overdue {
		t.Errorf("without a failure: %+v", got)
	}
}

func TestUnusedOffer(t *testing.T) {
	id, host, agent, cpus, size, text := "O1", "h", "S1", "cpus", 2.5, "ssd"
	o := &mesos.Offer{
		Id: &mesos.OfferID{Value: &id}, Hostname: &host, AgentId: &mesos.AgentID{Value: &agent},
		Resources: []*mesos.Resource{
			{Name: &cpus, Scalar: &mesos.Value_Scalar{Value: &size}, Reservations: []*mesos.Resource_ReservationInfo{{Role: &text}}},
			{Name: new("ports"), Ranges: &mesos.Value_Ranges{Range: []*mesos.Value_Range{{Begin: new(uint64(1)), End: new(uint64(2))}}}},
		},
		Attributes: []*mesos.Attribute{{Name: new("disk"), Text: &mesos.Value_Text{Value: &text}}},
	}
	data, err := wire.Encode(offer(o))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"O1","hostname":"h","agentId":"S1","resources":[{"name":"cpus","role":"ssd","scalar":2.5},` +
		`{"name":"ports","ranges":[{"begin":1,"end":2}]}],"attributes":[{"name":"disk","text":"ssd"}]}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
}

func TestWhy(t *testing.T) {
	v := fullView()
	v.Queue = &state.Queue{Count: 1, Why: "no agent has 4 CPUs"}
	mine := rollout.Action{Kind: rollout.Restart, App: "/g/a"}
	other := rollout.Action{Kind: rollout.Scale, App: "/g/db"}
	plan := &rollout.Plan{Affected: []app.Path{"/g/a", "/g/db"}}
	all := []*state.DeploymentView{
		{ID: "d1", Plan: plan, Paused: true, Actions: []state.ActionView{{Action: mine, Waits: "1 of 4 is not ready"}}},
		{ID: "d2", Plan: plan, Actions: []state.ActionView{{Action: other}, {Action: other, Done: true}}},
		{ID: "d3", Plan: &rollout.Plan{}},
	}
	got := why(v, all, noon)
	want := []string{
		"no agent has 4 CPUs",
		"deployment d1 is paused",
		"deployment d1: 1 of 4 is not ready",
		"deployment d2 is at /g/db first, which it does before",
		"1 instance is launched and not running yet",
		"1 instance is found ill by a health check",
		"the last task that failed was g_a.0 on h1: TASK_FAILED exit 1",
	}
	if !slices.Equal(got.Reasons, want) || got.Waiting != 1 || got.Instances != 4 || got.Running != 2 {
		t.Errorf("got %+v", got)
	}
	if w := why(&state.AppView{App: &app.App{}}, nil, noon); len(w.Reasons) != 0 {
		t.Errorf("all is well: %v", w.Reasons)
	}
}
