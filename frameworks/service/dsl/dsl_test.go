package dsl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/dsl"
	"troupe/frameworks/service/wire"
)

// files are a configuration by path.
type files map[string]string

func (f files) read(path string) ([]byte, error) {
	if text, ok := f[path]; ok {
		return []byte(text), nil
	}
	return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
}

func evaluate(f files, bindings map[string]string) (*dsl.Jobs, error) {
	return dsl.Evaluate(context.Background(), dsl.Source{File: "web/site.star", Read: f.read, Bindings: bindings, Steps: 1_000_000})
}

const site = `
load("common.star", "server", "sizes")

env = bind("env", "devel")
front = server(id = "front", cpus = sizes[env], env = {"BACK": "back.{{env}}", "OLD": None},
               healthChecks = [{"protocol": "HTTP", "intervalSeconds": 1 * MINUTES}])
backs = [server(id = "back-%d" % i, mem = 2 * GB, dependencies = ["../db"]) for i in range(2)]
jobs = [group(id = "/site/" + env, apps = [front] + backs, groups = [
    group(id = "data", apps = [app(id = "db", args = ("db", "--size", "1"), requirePorts = True, instances = front.instances)]),
])]
`

const common = `
sizes = {"devel": 0.1, "prod": 2}
server = app(cmd = "serve $PORT0", instances = 3, env = {"OLD": "1", "KEPT": "yes"}, labels = {"team": "{{team}}"})
`

func TestGroup(t *testing.T) {
	jobs, err := evaluate(files{"web/site.star": site, "web/common.star": common}, map[string]string{"env": "prod", "team": "t1"})
	if err != nil {
		t.Fatal(err)
	}
	if jobs.Apps != nil || jobs.Group == nil || jobs.Group.ID != "/site/prod" {
		t.Fatalf("%+v", jobs)
	}
	update, err := wire.ReadGroup(jobs.Group.JSON, app.Path("/site/prod"), wire.Options{})
	if err != nil {
		t.Fatalf("%v in %s", err, jobs.Group.JSON)
	}
	g, err := update.Apply(nil)
	if err != nil {
		t.Fatal(err)
	}
	front := g.App("/site/prod/front")
	if front == nil || front.Instances != 3 || front.Resources.CPUs != 2 || front.Labels["team"] != "t1" {
		t.Fatalf("%+v", front)
	}
	if got := string(jobs.Group.JSON); !strings.Contains(got, `"env":{"BACK":"back.prod","KEPT":"yes"}`) || !strings.Contains(got, `"intervalSeconds":60`) {
		t.Error(got)
	}
	if back := g.App("/site/prod/back-1"); back == nil || back.Resources.Mem != 2048 || back.Labels["team"] != "t1" {
		t.Errorf("%+v", back)
	}
	if db := g.App("/site/prod/data/db"); db == nil || db.Instances != 3 || len(db.Process.Args) != 3 {
		t.Errorf("%+v", db)
	}
}

func TestApps(t *testing.T) {
	jobs, err := evaluate(files{"web/site.star": `jobs = (app(id = "a", cmd = "x", user = None), app(id = "/b/c", cmd = "{{not a binding}} {{ .Go }}"))`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []dsl.Job{
		{ID: "/a", JSON: []byte(`{"cmd":"x","id":"/a"}`)},
		{ID: "/b/c", JSON: []byte(`{"cmd":"{{not a binding}} {{ .Go }}","id":"/b/c"}`)},
	}
	if jobs.Group != nil || fmt.Sprint(jobs.Apps) != fmt.Sprint(want) {
		t.Errorf("%s", jobs.Apps)
	}
	one, err := evaluate(files{"web/site.star": `jobs = app(id = "a")`}, nil)
	if err != nil || len(one.Apps) != 1 {
		t.Errorf("%v, %v", one, err)
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		`x = 1`:                                                 `web/site.star: jobs: is not there`,
		`jobs = []`:                                             `jobs: is empty`,
		`jobs = 7`:                                              `jobs: int: must be a list`,
		`jobs = ["a"]`:                                          `jobs[0]: "a": must be what app() or group() made`,
		"\njobs = [app('a')]":                                   `web/site.star:2:12: app: "a": fields are given by name`,
		`jobs = [app(id = "a", instancs = 2)]`:                  `app: instancs: there is no such field; those there are: acceptedResourceRoles, args`,
		`jobs = [app(cmd = "x")]`:                               `jobs[0].id: is not there`,
		`jobs = [app(id = 7)]`:                                  `jobs[0].id: is not there`,
		`jobs = [app(id = "a"), app(id = "/a")]`:                `jobs[1].id: "/a": is there twice`,
		`jobs = [app(id = "a"), group(id = "g")]`:               `jobs: has the group /g and more`,
		`jobs = [group(id = "g", apps = [1])]`:                  `jobs[0].apps[0]: 1: must be what app() made`,
		`jobs = [group(id = "g", apps = 1)]`:                    `jobs[0].apps: int: must be a list of what app() made`,
		`jobs = [app(id = "a", env = {1: "x"})]`:                `jobs[0].env: the key 1: must be a string`,
		`jobs = [app(id = "a", cpus = 1e308 * 10)]`:             `jobs[0].cpus: +inf: is no number`,
		`jobs = [app(id = "a", cmd = len)]`:                     `jobs[0].cmd: <built-in function len>: a builtin_function_or_method has no JSON`,
		`jobs = [app(id = "a", cmd = "{{zone}}")]`:              `jobs[0].cmd: {{zone}} has no value: give it by --bind zone=VALUE`,
		`jobs = [app(id = bind("who"))]`:                        `bind: "who" has no value: give it by --bind who=VALUE`,
		"l = []\nl.append(l)\njobs = [app(id = 'a', args = l)]": `is nested deeper than 64`,
		"l = [[1]]\nfor i in range(50): l.append([l[-1], l[-1]])\njobs = app(id='a', args = l)": `the last of more than 1000000 values`,
		`load("no.star", "x")`:                           `web/site.star:1:1: cannot load no.star: open web/no.star: file does not exist`,
		`load("site.star", "x")`:                         `files load each other: web/site.star, web/site.star`,
		`jobs = [`:                                       `web/site.star:1:9: got end of file`,
		`jobs = [undefined]`:                             `web/site.star:1:9: undefined: undefined`,
		"for i in range(1 << 40): x = 1":                 `too many steps`,
		"def f(): fail('no such zone')\n\nf()\njobs = 1": `web/site.star:1:14: fail: no such zone`,
	} {
		if _, err := evaluate(files{"web/site.star": text}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
	if _, err := evaluate(files{"web/site.star": `jobs = app(id = "a")`}, map[string]string{"evn": "x"}); err == nil || !strings.Contains(err.Error(), "--bind evn: nothing in web/site.star asks for it") {
		t.Error(err)
	}
}

func TestEvaluationEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	read := files{"f": "for i in range(1 << 40): x = 1"}.read
	if _, err := dsl.Evaluate(ctx, dsl.Source{File: "f", Read: read}); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Error(err)
	}
}

// Whatever a file says, what comes is JSON or an error.
func FuzzEvaluate(f *testing.F) {
	f.Add(site)
	f.Add(common)
	f.Add(`jobs = app(id = "{{env}}", cpus = 1.5)(mem = 3 * GB)`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "*") || strings.Contains(text, "%") || strings.Contains(text, "<<") || strings.Contains(text, "join") {
			return // one step may take any memory, as that of whoever wrote the file
		}
		jobs, err := dsl.Evaluate(context.Background(), dsl.Source{
			File: "f", Read: files{"f": text, "common.star": common}.read, Bindings: map[string]string{"env": "e"}, Steps: 10_000,
		})
		if err != nil {
			return
		}
		for _, j := range jobs.Apps {
			if !json.Valid(j.JSON) || !strings.HasPrefix(j.ID, "/") {
				t.Errorf("%s: %s", j.ID, j.JSON)
			}
		}
	})
}

// What the page of the docs shows can be done.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/service-files.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(page), "```")
	var shown []*dsl.Jobs
	for i := 1; i < len(parts); i += 2 {
		text, isPython := strings.CutPrefix(parts[i], "python\n")
		if !isPython {
			continue
		}
		bindings := map[string]string{}
		if strings.Contains(text, "{{region}}") {
			bindings["region"] = "north"
		}
		jobs, err := evaluate(files{"web/site.star": text}, bindings)
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		shown = append(shown, jobs)
	}
	if len(shown) != 2 || len(shown[0].Apps) != 2 || shown[1].Group == nil || shown[1].Group.ID != "/devel" {
		t.Errorf("%+v", shown)
	}
	if back := string(shown[0].Apps[1].JSON); !strings.Contains(back, `"labels":{"team":"search","tier":"back"},"mem":1024`) {
		t.Error(back)
	}
}
