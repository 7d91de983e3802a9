package wire

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
)

// A.30: the keys that a strict client knows, per kind of object.
var known = map[string]string{
	"app": `acceptedResourceRoles args backoffFactor backoffSeconds cmd constraints container cpus dependencies deployments disk env
		executor healthChecks id role instances killSelection labels lastTaskFailure maxLaunchDelaySeconds mem ports requirePorts storeUrls
		taskRateLimit tasks tasksRunning tasksStaged tasksHealthy tasksUnhealthy taskKillGracePeriodSeconds upgradeStrategy
		unreachableStrategy uris user version versionInfo ipAddress fetch taskStats readinessChecks readinessCheckResults secrets
		portDefinitions residency gpus networks`,
	"task": `appId healthCheckResults host id ports servicePorts slaveId stagedAt startedAt version ipAddresses state localVolumes
		region zone role`,
	"health":      `alive consecutiveFailures firstSuccess lastFailure lastSuccess taskId lastFailureCause instanceId`,
	"failure":     `appId host message taskId instanceId slaveId state timestamp version`,
	"queue":       `app overdue count delay since processedOffersSummary lastUnusedOffers`,
	"delay":       `timeLeftSeconds overdue`,
	"group":       `apps dependencies groups id pods version enforceRole`,
	"deployment":  `affectedApps affectedPods currentActions currentStep id steps totalSteps version`,
	"action":      `action app apps pod type readinessCheckResults`,
	"plan":        `original target steps id version`,
	"container":   `docker type portMappings volumes`,
	"mapping":     `name containerPort hostPort servicePort protocol labels`,
	"volume":      `containerPath hostPath mode persistent external`,
	"info":        `eventSubscriber frameworkId httpConfig http_config leader marathonConfig marathon_config name version elected zookeeperConfig zookeeper_config buildref`,
	"http_config": `assets_path http_port https_port`,
	"marathon_config": `checkpoint executor failover_timeout framework_name ha hostname leader_proxy_connection_timeout_ms
		leader_proxy_read_timeout_ms local_port_min local_port_max maintenance_mode master mesos_leader_ui_url mesos_role mesos_user
		new_group_enforce_role webui_url reconciliation_initial_delay reconciliation_interval task_launch_timeout marathon_store_timeout
		task_reservation_timeout features access_control_allow_origin decline_offer_duration default_network_name env_vars_prefix
		launch_token launch_token_refresh_interval max_instances_per_offer mesos_bridge_name mesos_heartbeat_failure_threshold
		mesos_heartbeat_interval min_revive_offers_interval offer_matching_timeout on_elected_prepare_timeout
		revive_offers_for_new_apps revive_offers_repetitions scale_apps_initial_delay scale_apps_interval store_cache
		task_launch_confirm_timeout task_lost_expunge_initial_delay task_lost_expunge_interval`,
}

func within(t *testing.T, kind string, v any) {
	t.Helper()
	o, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%s is no object: %v", kind, v)
	}
	if len(o) < 2 {
		t.Errorf("%s has nothing to look at: %v", kind, o)
	}
	allowed := strings.Fields(known[kind])
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(allowed, key) {
			t.Errorf("%s has the key %s, which a strict client refuses", kind, key)
		}
	}
}

// rich are apps that set all that may be set without a client of today.
var rich = []string{
	`{"id":"/g/a","cmd":"x","user":"u","role":"r","env":{"A":"b"},"labels":{"a":"b"},"constraints":[["hostname","UNIQUE"]],
		"acceptedResourceRoles":["*"],"dependencies":["b"],"fetch":[{"uri":"u"}],"taskKillGracePeriodSeconds":3,"gpus":1,
		"secrets":{"s":{"source":"p"}},"portDefinitions":[{"port":0,"name":"http-api"}],"healthChecks":[{}],"readinessChecks":[{}],
		"container":{"volumes":[{"containerPath":"d","persistent":{"size":1}},{"containerPath":"/h","hostPath":"/h"}]}}`,
	`{"id":"/g/b","args":["x"],"networks":[{"mode":"container/bridge"}],
		"container":{"docker":{"image":"i"},"portMappings":[{"containerPort":1,"name":"n","labels":{"a":"b"}}],
		"volumes":[{"containerPath":"/e","external":{"name":"n","provider":"dvdi"}}]}}`,
}

func richInfo(t *testing.T, text string) *AppInfo {
	t.Helper()
	a := app.Stamp(nil, read(t, text), 1500000000000)
	task := NewTask("g_a.1", a)
	task.Host, task.AgentID, task.State, task.StagedAt, task.StartedAt = "h", "S1", "TASK_RUNNING", task.Version, task.Version
	task.Region, task.Zone, task.Role = "r", "z", "web"
	task.HealthResults = []HealthResult{{
		true, 1, task.Version, task.Version, task.Version, "cause", task.ID, task.ID,
	}}
	return &AppInfo{
		App: *FromApp(a), Counts: &Counts{1, 2, 3, 4}, Deployments: []Ref{{"d"}}, Tasks: []Task{task},
		ReadinessResults: []ReadinessResult{{"r", task.ID, true, &ReadinessResponse{200, "text/plain", "ok"}}},
		LastTaskFailure:  &TaskFailure{a.ID, "h", "m", "TASK_FAILED", task.ID, task.Version, task.Version, "S1"},
		TaskStats:        &TaskStats{Total: &Stats{StatsOf{StatsCounts{1, 2, 3, 4}, &LifeTime{1, 2}}}},
	}
}

// A.30: no answer has a key that a strict client refuses, as long as nobody uses
// what those clients do not know.
func TestKeyBudget(t *testing.T) {
	for _, text := range rich {
		info := richInfo(t, text)
		o := written(t, info)
		within(t, "app", o)
		within(t, "container", o["container"])
		for _, v := range o["container"].(map[string]any)["volumes"].([]any) {
			within(t, "volume", v)
		}
		if mappings, ok := o["container"].(map[string]any)["portMappings"].([]any); ok {
			within(t, "mapping", mappings[0])
		}
		task := o["tasks"].([]any)[0].(map[string]any)
		within(t, "task", task)
		within(t, "health", task["healthCheckResults"].([]any)[0])
		within(t, "failure", o["lastTaskFailure"])
	}
	group := &app.Group{ID: "/g", Dependencies: []app.Path{"/x"}, EnforceRole: new(bool), Apps: []*app.App{read(t, rich[0])}}
	w := written(t, FromGroup(group, true, Plain))
	within(t, "group", w)
	within(t, "app", w["apps"].([]any)[0])

	d := NewDeployment("d", 7, []Step{{[]Action{{StartApplication, "/a"}}}})
	d.CurrentActions = []CurrentAction{{ScaleApplication, "/a", []ReadinessResult{}}}
	w = written(t, d)
	within(t, "deployment", w)
	within(t, "action", w["currentActions"].([]any)[0])
	within(t, "action", w["steps"].([]any)[0].(map[string]any)["actions"].([]any)[0])
	full := FromGroup(group, true, Plain)
	within(t, "plan", written(t, Plan{"d", full, full, d.Steps, d.Version}))

	w = written(t, QueueItem{Since: d.Version, UnusedOffers: []UnusedOffer{}, App: FromApp(read(t, rich[0]))})
	within(t, "queue", w)
	within(t, "delay", w["delay"])

	w = written(t, Info{
		Leader: "l", FrameworkID: "f", ZooKeeper: map[string]any{},
		Config: Config{WebUI: "w", Role: "r", User: "u", DefaultNetwork: "n", EnvPrefix: "p", InstancesInOffer: 5},
	})
	within(t, "info", w)
	within(t, "marathon_config", w["marathon_config"])
	within(t, "http_config", w["http_config"])
}

// A.2, A.17, A.19: what clients index or count is there even if it is empty.
func TestEmptyIsThere(t *testing.T) {
	a := read(t, `{"id":"a","cmd":"x","ports":[]}`)
	for what, c := range map[string]struct {
		v    any
		want string
	}{
		"task": {
			NewTask("a.1", a),
			`{"appId":"/a","id":"a.1","host":"","ports":[],"servicePorts":[],"ipAddresses":[],"slaveId":"","state":"","version":"1970-01-01T00:00:00.000Z","localVolumes":[]}`,
		},
		"deployment": {
			NewDeployment("d", 1, nil),
			`{"id":"d","version":"1970-01-01T00:00:00.001Z","affectedApps":[],"affectedPods":[],"steps":[],"currentActions":[],"currentStep":0,"totalSteps":0}`,
		},
		"root":     {FromGroup(app.NewRoot(), true, Plain), `{"id":"/","apps":[],"pods":[],"groups":[],"dependencies":[],"version":"1970-01-01T00:00:00.000Z"}`},
		"no embed": {FromGroup(app.NewRoot(), false, nil), `{"id":"/","pods":[],"dependencies":[],"version":"1970-01-01T00:00:00.000Z"}`},
		"versions": {VersionsAnswer{Versions(nil)}, `{"versions":[]}`},
		"locked": {
			NewLocked("d"),
			`{"message":"App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.","deployments":[{"id":"d"}]}`,
		},
	} {
		if got, err := Encode(c.v); err != nil || string(got) != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", what, err, got, c.want)
		}
	}
	w := written(t, &AppInfo{App: *FromApp(a), Tasks: []Task{}, Deployments: []Ref{}, Counts: &Counts{}})
	for path, want := range map[string]string{"tasks": "[]", "deployments": "[]", "tasksRunning": "0", "labels": "{}", "taskStats": "", "readinessCheckResults": ""} {
		if at(w, path) != want {
			t.Errorf("%s is %s", path, at(w, path))
		}
	}
}

// A.20: each reason has seen what those before it let through.
func TestFunnel(t *testing.T) {
	f := Funnel(10, map[string]int{UnfulfilledRole: 3, InsufficientCpus: 2, InsufficientPorts: 5})
	if len(f) != 10 || f[0] != (RejectSummary{UnfulfilledRole, 3, 10}) || f[4] != (RejectSummary{InsufficientCpus, 2, 7}) ||
		f[8] != (RejectSummary{InsufficientPorts, 5, 5}) || f[9] != (RejectSummary{DeclinedScarceResources, 0, 0}) {
		t.Error(f)
	}
}
