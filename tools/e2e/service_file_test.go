package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"troupe/tools/processtest"
)

const siteFile = `
load("parts.star", "server")
jobs = [group(id = "/site", apps = [
    server(id = "front", instances = int(bind("fronts", "2")), labels = {"as": "{{label}}"}),
    server(id = "back", dependencies = ["front"]),
])]
`

const partsFile = `
server = app(args = [bind("program"), "demo-server", "--drain=10ms"], cpus = 0.1, mem = 32,
    healthChecks = [{"path": "/health", "intervalSeconds": 1, "gracePeriodSeconds": 120}])
`

// What a file says is planned, applied, compared and taken back, by the commands
// that people use.
func TestServicesOfAFile(t *testing.T) {
	c := newWorld(t).separate()
	s := c.service(filepath.Join(c.dir, "state"))
	s.leads()
	for name, text := range map[string]string{"site.star": siteFile, "parts.star": partsFile, "apps.star": `jobs = [app(id = "/site/front", cmd = "x", cpus = -1)]`} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	on := func(what, label string, more ...string) result {
		args := []string{"service", what, filepath.Join(c.dir, "site.star"), "--server=http://" + s.at, "--bind=program=" + c.Program, "--bind=label=" + label}
		return c.only(append(args, more...)...)
	}
	on("plan", "one").check(t, "plan", 0, `(?s)^/site/back: is created\n.*/site/front: is created\n.*\+ /labels: \{"as":"one"\}.*step 3: scale /site/back\n$`, "^$")
	on("diff", "one").check(t, "diff of what is not there", 1, "/site/front: is created", "^$")
	on("apply", "one").check(t, "apply", 0, `(?s)deployment .*done\n$`, `step 2 of 3; /site/front: `)
	if a, _ := s.app("/site/front"); a.TasksHealthy != 2 {
		t.Errorf("after apply %d instances are healthy", a.TasksHealthy)
	}
	on("diff", "one").check(t, "diff of what is there", 0, `^Nothing changes.\n$`, "^$")
	on("apply", "one").check(t, "apply of what is there", 0, `^Nothing changes.\n$`, "^$")
	on("plan", "one", "--bind=fronts=3").check(t, "plan", 0, `(?s)^/site/front: is scaled\n  - /instances: 2\n  \+ /instances: 3\nstep 1: scale /site/front\n$`, "^$")
	on("apply", "two", "--bind=fronts=3").check(t, "apply", 0, `(?s)every instance is replaced.*- /labels/as: "one"\n.*\+ /labels/as: "two"\n.*done\n$`, "step 1 of 1")
	s.settled("/site/front", 3)
	on("rollback", "any").check(t, "rollback", 0, `(?s)- /labels/as: "two"\n.*\+ /labels/as: "one"\n.*done\n$`, "")
	on("diff", "one").check(t, "diff after rollback", 0, `^Nothing changes.\n$`, "^$")

	s.does(http.MethodPut, "/v2/apps//site/back", `{"constraints": [["hostname", "LIKE", "nowhere"]]}`)
	on("apply", "three").check(t, "apply with a deployment in the way", 1, "", `(?s)status 409: .*deployments [0-9a-f-]{36}`)
	on("apply", "three", "--force", "--detach").check(t, "apply by force", 0, `(?s)deployment [0-9a-f-]+\n$`, "^$")
	s.settled("/site/front", 2)

	bad := filepath.Join(c.dir, "apps.star")
	c.only("service", "apply", bad, "--server=http://"+s.at).check(t, "bad values", 1, "", `(?s)status 422: .*cpus: `)
	c.only("service", "diff", bad, "--server=http://"+s.at).check(t, "diff that cannot be told", 2, "^$", "status 422")
	c.only("service", "plan", bad, "--server=nowhere").check(t, "no URL", 2, "^$", `--server="nowhere" is no URL`)
	c.only("service", "plan", bad, "--bind=x").check(t, "no binding", 2, "^$", `--bind="x" is not name=value`)

	s.does(http.MethodDelete, "/v2/groups//site?force=true", "")
	processtest.Eventually(t, "no server is left", func() bool { return len(c.servers()) == 0 })
	s.kill()
	c.end()
}
