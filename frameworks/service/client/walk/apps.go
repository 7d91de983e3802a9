package walk

import (
	"fmt"
	"slices"
	"strings"

	"troupe/frameworks/service/client"
)

// app is the body of one that runs.
func (w *walker) app(id, more string) string {
	return fmt.Sprintf(`{"id":%q,"cmd":%q,"cpus":0.01,"mem":16,"disk":0%s}`, id, w.Command, more)
}

// errorsOfApps asks for what no app can be.
func (w *walker) errorsOfApps() {
	id := w.path("refused")
	w.refused(400, "Invalid JSON", "POST", "/v2/apps", `{"id":`)
	w.refused(400, "Invalid JSON", "POST", "/v2/apps", `7`)
	a := w.refused(400, "Invalid JSON", "POST", "/v2/apps", w.app(id, `,"instances":"two","labels":[]`))
	if n := len(a.list("details")); n != 2 {
		w.wrong("%s: %d details for two wrong kinds", a.what, n)
	}
	a.list("details.0.errors")
	a = w.refused(422, "Object is not valid", "POST", "/v2/apps", w.app(id, `,"instances":-3,"upgradeStrategy":{"minimumHealthCapacity":1.2}`))
	paths := []string{a.text("details.0.path"), a.text("details.1.path")}
	slices.Sort(paths)
	if !slices.Equal(paths, []string{"/instances", "/upgradeStrategy/minimumHealthCapacity"}) {
		w.wrong("%s: paths %v", a.what, paths)
	}
	w.refused(422, "expected between 0.0 and 1.0", "POST", "/v2/apps", w.app(id, `,"upgradeStrategy":{"minimumHealthCapacity":1.2}`))
	for _, more := range []string{
		`,"args":["x"]`, `,"backoffFactor":0.5`, `,"constraints":[["hostname","NEAR"]]`, `,"constraints":[["hostname","LIKE","("]]`,
		`,"acceptedResourceRoles":[]`, `,"uris":["a"],"fetch":[{"uri":"b"}]`, `,"portDefinitions":[{"port":80},{"port":80}]`,
		`,"healthChecks":[{"protocol":"HTTP","portIndex":3}]`, `,"dependencies":["` + id + `"]`,
		`,"labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"},"instances":2`, `,"networks":[{"mode":"host"}],"container":{"type":"MESOS","portMappings":[{"containerPort":80}]}`,
	} {
		w.refused(422, "", "POST", "/v2/apps", w.app(id, more))
	}
	for _, bad := range []string{w.path("UPPER"), w.path("under_score"), w.path("-x"), w.path("x/restart"), "/"} {
		w.refused(422, "id", "POST", "/v2/apps", w.app(bad, ""))
	}
	w.refused(404, "App '"+id+"' does not exist", "GET", "/v2/apps"+id, "")
	w.refused(404, "App '"+id+"' does not exist", "DELETE", "/v2/apps"+id, "")
	w.refused(404, "App '"+id+"' does not exist", "PATCH", "/v2/apps"+id, `{"instances":2}`)
	w.refused(404, "App '"+id+"' does not exist", "POST", "/v2/apps"+id+"/restart", `{}`)
	w.refused(404, "App '"+id+"' does not exist", "GET", "/v2/apps"+id+"/versions", "")
	w.refused(404, "", "GET", "/v2/apps"+id+"/tasks", "")
	w.refused(404, "", "PATCH", "/v2/apps", `[{"id":"`+id+`","instances":2}]`)
	w.refused(422, "label", "GET", "/v2/apps?label=a+in", "")
	w.refused(415, "", "POST", "/v2/apps", w.app(id, ""), "Content-Type", "text/html")
}

// lifeOfAnApp makes one, looks at it, changes it, and takes it away.
func (w *walker) lifeOfAnApp() {
	id := w.path("life")
	made := w.ask(201, "POST", "/v2/apps", w.app(id, `,"instances":2,"labels":{"walk":"one"},"env":{"A":"1"}`)).header("Location").header("Marathon-Deployment-Id")
	made.is("id", id).is("tasksRunning", 0.0).is("tasksStaged", 0.0).timestamp("version")
	first := made.text("version")
	if made.text("deployments.0.id") != made.Header.Get("Marathon-Deployment-Id") || len(made.list("tasks")) != 0 {
		w.wrong("%s: %.300s", made.what, made.Body)
	}
	w.wait(made.text("deployments.0.id"))
	w.refused(409, "already exists", "POST", "/v2/apps", w.app(id, ""))
	w.refused(409, "", "POST", "/v2/apps", w.app(id+"/below", ""))
	w.refused(409, "", "POST", "/v2/apps", w.app(w.Group, ""))

	one := w.ask(200, "GET", "/v2/apps/"+id, "").only("app") // with two slashes, as many have it
	one.is("app.tasksRunning", 2.0).is("app.env.A", "1").is("app.labels.walk", "one").is("app.versionInfo.lastConfigChangeAt", first)
	if port, _ := one.at("app.ports.0").(float64); port == 0 {
		w.wrong("%s: no service port was assigned: %v", one.what, one.at("app.portDefinitions"))
	}
	w.strict(one.at("app"))
	w.lists(id)

	w.ask(200, "PUT", "/v2/apps"+id, `{"id":"`+id+`","instances":1,"ports":null,"dependencies":null}`).result()
	scaled := w.ask(200, "GET", "/v2/apps"+id, "").is("app.instances", 1.0).is("app.tasksRunning", 1.0).is("app.env.A", "1").
		is("app.versionInfo.lastConfigChangeAt", first)
	if scaled.at("app.ports.0") != one.at("app.ports.0") {
		w.wrong("the service port changed from %v to %v", one.at("app.ports"), scaled.at("app.ports"))
	}
	w.ask(200, "PATCH", "/v2/apps"+id, `{"env":{"B":"2"}}`).result()
	w.ask(200, "GET", "/v2/apps"+id, "").is("app.env.A", nil).is("app.env.B", "2").is("app.labels.walk", "one")
	w.ask(200, "PUT", "/v2/apps"+id+"?partialUpdate=false", w.app(id, "")).result()
	w.ask(200, "GET", "/v2/apps"+id, "").is("app.env.B", nil).is("app.labels.walk", nil)
	before := w.ask(200, "GET", "/v2/apps"+id, "").text("app.versionInfo.lastConfigChangeAt")
	w.ask(200, "POST", "/v2/apps"+id+"/restart", `{}`).result()
	if w.ask(200, "GET", "/v2/apps"+id, "").text("app.versionInfo.lastConfigChangeAt") == before {
		w.wrong("a restart left lastConfigChangeAt as it was")
	}
	w.ask(200, "PUT", "/v2/apps"+id, `{}`).result() // nothing, but a deployment
	w.versions(id, first)
	w.many(id)
	w.ask(200, "DELETE", "/v2/apps"+id, "").result()
	w.refused(404, "App '"+id+"' does not exist", "GET", "/v2/apps"+id, "")
}

// strict checks that an app has no key that strict clients refuse.
func (w *walker) strict(v any) {
	known := "acceptedResourceRoles args backoffFactor backoffSeconds cmd constraints container cpus dependencies deployments disk env " +
		"executor healthChecks id role instances killSelection labels lastTaskFailure maxLaunchDelaySeconds mem ports requirePorts " +
		"storeUrls taskRateLimit tasks tasksRunning tasksStaged tasksHealthy tasksUnhealthy taskKillGracePeriodSeconds upgradeStrategy " +
		"unreachableStrategy uris user version versionInfo ipAddress fetch taskStats readinessChecks readinessCheckResults secrets " +
		"portDefinitions residency gpus networks"
	of, _ := v.(map[string]any)
	for key := range of {
		if !slices.Contains(strings.Fields(known), key) {
			w.wrong("strict clients refuse the key %q of an app", key)
		}
	}
	for _, key := range strings.Fields("unreachableStrategy killSelection backoffSeconds backoffFactor maxLaunchDelaySeconds upgradeStrategy requirePorts instances cpus mem disk gpus networks labels deployments") {
		if _, there := of[key]; !there {
			w.wrong("an app has no %s", key)
		}
	}
}

// lists finds the app in the ways that there are.
func (w *walker) lists(id string) {
	for _, query := range []string{
		"", "?id=" + id[1:], "?cmd=" + strings.Fields(w.Command)[0], "?label=walk", "?label=walk%3D%3Done", "?label=walk+in+(one,two)&label=!other",
		"?embed=apps.tasks&embed=apps.deployments&embed=apps.readiness", "?embed=apps.taskStats&embed=apps.lastTaskFailure&embed=apps.counts&embed=apps.failures",
	} {
		a := w.ask(200, "GET", "/v2/apps"+query, "").only("apps")
		found := false
		for i := range a.list("apps") {
			at := fmt.Sprintf("apps.%d.", i)
			if a.at(at+"id") != id {
				continue
			}
			found = true
			a.is(at+"tasksRunning", 2.0)
			if wanted, there := strings.Contains(query, "apps.tasks") || strings.Contains(query, "failures"), a.at(at+"tasks") != nil; wanted != there {
				w.wrong("%s: tasks are there: %v", a.what, there)
			}
			if strings.Contains(query, "taskStats") {
				a.is(at+"taskStats.totalSummary.stats.counts.running", 2.0)
			}
		}
		if !found {
			w.wrong("%s: %s is not there", a.what, id)
		}
	}
	if n := len(w.ask(200, "GET", "/v2/apps?label=walk&label=other&id="+id, "").list("apps")); n != 0 {
		w.wrong("labels that are not there find %d apps", n)
	}
	w.ask(200, "GET", "/v2/apps/"+w.Group+"/*", "").only("*").is("*.0.id", id)
}

// versions asks for those of an app, and goes back to the first.
func (w *walker) versions(id, first string) {
	a := w.ask(200, "GET", "/v2/apps"+id+"/versions", "").only("versions")
	list := a.list("versions")
	if len(list) < 2 || list[len(list)-1] != first {
		w.wrong("%s: %v lacks the first, %s, at its end", a.what, list, first)
	}
	w.ask(200, "GET", "/v2/apps"+id+"/versions/"+first, "").is("id", id).is("version", first).is("instances", 2.0)
	w.refused(404, "", "GET", "/v2/apps"+id+"/versions/2001-02-03T04:05:06.000Z", "")
	w.refused(422, "", "GET", "/v2/apps"+id+"/versions/yesterday", "")
	w.refused(404, "", "PUT", "/v2/apps"+id, `{"version":"2001-02-03T04:05:06.000Z"}`)
	w.refused(422, "", "PUT", "/v2/apps"+id, `{"version":"`+first+`","cmd":"x"}`)
	w.ask(200, "PUT", "/v2/apps"+id, `{"version":"`+first+`"}`).result()
	w.ask(200, "GET", "/v2/apps"+id, "").is("app.instances", 2.0).is("app.env.A", "1").is("app.tasksRunning", 2.0)
}

// many changes a list of apps.
func (w *walker) many(id string) {
	other := w.path("other")
	w.ask(200, "PUT", "/v2/apps", `[`+w.app(other, `,"instances":0`)+`,{"id":"`+id+`","instances":1}]`).result()
	w.refused(404, "", "PATCH", "/v2/apps", `[{"id":"`+id+`","instances":4},{"id":"`+w.path("none")+`","instances":1}]`)
	w.ask(200, "GET", "/v2/apps"+id, "").is("app.instances", 1.0)
	w.refused(422, "", "PUT", "/v2/apps", `[{"id":"`+id+`","instances":-4}]`)
	w.ask(200, "PATCH", "/v2/apps", `[{"id":"`+id+`","instances":2}]`).result()
	made := w.ask(201, "PUT", "/v2/apps"+w.path("put"), w.app(w.path("put"), `,"instances":0`))
	made.result()
	if !w.Ours {
		return
	}
	plan := w.ask(200, "PUT", "/v2/apps"+id+"?dryRun=true", `{"cmd":"other"}`).only("steps", "changes").is("changes.0.change", "replaced")
	plan.is("changes.0.fields.0.path", "/cmd").is("steps.0.actions.0.action", "RestartApplication")
	tag := w.ask(200, "GET", "/v2/apps"+other, "").Header.Get("ETag")
	w.ask(200, "PUT", "/v2/apps"+other, `{"labels":{"x":"y"}}`, "If-Match", tag).result()
	w.refused(412, "If-Match", "PUT", "/v2/apps"+other, `{"labels":{"x":"z"}}`, "If-Match", tag)
}

// tasks asks for those of an app, and ends some.
func (w *walker) tasks() {
	id := w.path("tasks-of")
	w.wait(w.ask(201, "POST", "/v2/apps", w.app(id, `,"instances":3`)).text("deployments.0.id"))
	list := w.ask(200, "GET", "/v2/apps"+id+"/tasks", "").only("tasks").list("tasks")
	for _, t := range list {
		w.task(id, t)
	}
	if len(list) != 3 {
		w.wrong("%s has %d tasks, want 3", id, len(list))
		return
	}
	ids := make([]string, 3)
	for i, t := range list {
		ids[i], _ = t.(map[string]any)["id"].(string)
	}
	all := w.ask(200, "GET", "/v2/tasks?status=running", "").only("tasks")
	if !strings.Contains(string(all.Body), ids[0]) || !strings.Contains(string(w.ask(200, "GET", "/v2/tasks?status[]=running&status[]=staging", "").Body), ids[0]) {
		w.wrong("%s: task %s is not there", all.what, ids[0])
	}
	flat := strings.ReplaceAll(id[1:], "/", "_")
	for _, path := range []string{"/v2/tasks", "/v2/apps" + id + "/tasks"} {
		if a := w.ask(200, "GET", path, "", "Accept", "text/plain"); !strings.Contains("\n"+string(a.Body), "\n"+flat+"\t") {
			w.wrong("%s as text: %.300s", a.what, a.Body)
		}
	}
	w.refused(404, "Task 'nobody' does not exist", "DELETE", "/v2/apps"+id+"/tasks/nobody", "")
	w.refused(400, "", "DELETE", "/v2/apps"+id+"/tasks?scale=true&wipe=true", "")
	w.refused(400, "", "POST", "/v2/tasks/delete", `{"ids":`)
	w.ask(200, "POST", "/v2/tasks/delete", `{"ids":["nobody"]}`).only("tasks")
	w.ask(200, "DELETE", "/v2/apps"+id+"/tasks?host=nowhere", "").only("tasks")

	w.ask(200, "DELETE", "/v2/apps"+id+"/tasks/"+ids[0], "").only("task").is("task.id", ids[0])
	w.replaced(id, ids[:1], 3)
	w.ask(200, "DELETE", "/v2/apps"+id+"/tasks/"+ids[1]+"?scale=true", "").result()
	w.replaced(id, ids[:2], 2)
	a := w.ask(200, "POST", "/v2/tasks/delete", `{"ids":["`+ids[2]+`","nobody"]}`).only("tasks").is("tasks.0.id", ids[2])
	if n := len(a.list("tasks")); n != 1 {
		w.wrong("%s: %d tasks", a.what, n)
	}
	w.replaced(id, ids, 2)
	w.ask(200, "DELETE", "/v2/apps"+id+"/tasks?host=*&scale=true", "").result()
	w.replaced(id, ids, 0)
	w.ask(200, "POST", "/v2/tasks/delete?scale=true", `{"ids":["nobody"]}`).only("version", "deploymentId")
	w.ask(200, "DELETE", "/v2/apps"+id, "").result()
}

// task checks one.
func (w *walker) task(id string, v any) {
	t, _ := v.(map[string]any)
	known := "appId healthCheckResults host id ports servicePorts slaveId stagedAt startedAt version ipAddresses state localVolumes region zone role"
	for key := range t {
		if !slices.Contains(strings.Fields(known), key) {
			w.wrong("strict clients refuse the key %q of a task", key)
		}
	}
	for _, key := range strings.Fields("appId host id ports servicePorts slaveId stagedAt startedAt version ipAddresses state localVolumes") {
		if t[key] == nil || t[key] == "" {
			w.wrong("the task %v has no %s", t["id"], key)
		}
	}
	if name, _ := t["id"].(string); t["appId"] != id || !strings.HasPrefix(name, strings.ReplaceAll(id[1:], "/", "_")+".") || strings.Count(name, ".") != 1 {
		w.wrong("the task %v of %s: clients find the app by its id", t["id"], id)
	}
	if t["state"] != "TASK_RUNNING" {
		w.wrong("the task %v is %v", t["id"], t["state"])
	}
}

// replaced waits until an app has so many tasks, none of them one of the old.
func (w *walker) replaced(id string, old []string, n int) {
	w.until(fmt.Sprintf("%s has %d other tasks", id, n), func() bool {
		a, err := w.Client.App(w.ctx, id)
		if err != nil || a.Running != n || len(a.Tasks) != n {
			return false
		}
		return !slices.ContainsFunc(a.Tasks, func(t client.Task) bool { return slices.Contains(old, t.ID) })
	})
}
