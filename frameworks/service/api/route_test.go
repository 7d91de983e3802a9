package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
)

// these exist in the tests of routes.
var these = existing{
	app:   func(id app.Path) bool { return id == "/odd/tasks/x" || id == "/web" },
	group: func(id app.Path) bool { return id == "/odd/apps" || id == app.Root },
}

func TestRoutes(t *testing.T) {
	for path, want := range map[string]route{
		"/":                                     {to: home, id: "/"},
		"//":                                    {to: home, id: "/"},
		"/ui/a/b.js":                            {to: page},
		"/ping/":                                {to: ping, id: "/"},
		"/v2//apps/":                            {to: apps, id: "/"},
		"/v2/apps/a":                            {to: oneApp, id: "/a"},
		"/v2/apps//a/b/":                        {to: oneApp, id: "/a/b"},
		"/v2/apps/a/./c/../b":                   {to: oneApp, id: "/a/b"},
		"/v2/apps/*":                            {to: appsBelow, id: "/"},
		"/v2/apps//a/b/*":                       {to: appsBelow, id: "/a/b"},
		"/v2/apps/a/b/restart":                  {to: appRestart, id: "/a/b"},
		"/v2/apps/restart":                      {to: oneApp, id: "/restart"},
		"/v2/apps/a/b/tasks":                    {to: appTasks, id: "/a/b"},
		"/v2/apps/a/b/tasks/a_b.1":              {to: appTask, id: "/a/b", part: "a_b.1"},
		"/v2/apps/tasks/a":                      {to: oneApp, id: "/tasks/a"},
		"/v2/apps/odd/tasks/x":                  {to: oneApp, id: "/odd/tasks/x"},
		"/v2/apps/odd/tasks/y":                  {to: appTask, id: "/odd", part: "y"},
		"/v2/apps/a/versions":                   {to: appVersions, id: "/a"},
		"/v2/apps/a/versions/2015":              {to: appVersion, id: "/a", part: "2015"},
		"/v2/apps/a/tasks/b/c":                  {to: oneApp, id: "/a/tasks/b/c"},
		"/v2/groups":                            {to: groups, id: "/"},
		"/v2/groups//":                          {to: groups, id: "/"},
		"/v2/groups/versions":                   {to: groupVersions, id: "/"},
		"/v2/groups/versions/2015":              {to: groupVersion, id: "/", part: "2015"},
		"/v2/groups/a/versions":                 {to: groupVersions, id: "/a"},
		"/v2/groups/a/apps":                     {to: groupApps, id: "/a"},
		"/v2/groups/odd/apps":                   {to: oneGroup, id: "/odd/apps"},
		"/v2/deployments/d":                     {to: oneDeployment, part: "d"},
		"/v2/deployments/d/promote":             {to: deploymentPromote, part: "d"},
		"/v2/deployments/d/x":                   {},
		"/v2/queue/a/b/delay":                   {to: queueDelay, id: "/a/b"},
		"/v2/queue//a/b/why":                    {to: queueWhy, id: "/a/b"},
		"/v2/queue/delay":                       {},
		"/v1/apps":                              {},
		"/v2/events/":                           {to: eventStream, id: "/"},
		"/v2/tasks/delete":                      {to: tasksDelete, id: "/"},
		"/v2/tasks/a":                           {},
		"/v2/apps/a/versions/2015/more":         {to: oneApp, id: "/a/versions/2015/more"},
		"/v2/apps/" + strings.Repeat("a/", 200): {to: oneApp},
	} {
		got := parseRoute(path, these)
		if got.wrong != nil && want.id == "" && got.to == want.to && got.id == "" {
			continue
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
}

// Whatever is asked for, there is a route or none, and what it names is a path.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{
		"", "/", "/v2/apps//a/*", "/v2/apps/a/tasks/b", "/v2/groups/versions/x", "/v2/queue/a/delay", "/v2/apps/../..", "/v2/deployments//pause",
		"/v2/apps/A/restart", "/ui/../v2/apps", "/v2/apps/%2F", "/v2/apps/\x00", "v2/apps",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r := parseRoute(path, these)
		if again := parseRoute("/"+strings.ReplaceAll(path, "/", "//")+"/", these); again.to != r.to || again.id != r.id || again.part != r.part || fmt.Sprint(again.wrong) != fmt.Sprint(r.wrong) {
			t.Fatalf("%q: %+v, and with more slashes %+v", path, r, again)
		}
		if r.wrong != nil {
			if r.id != "" {
				t.Fatalf("%q: %+v", path, r)
			}
			return
		}
		if r.id == "" {
			return
		}
		if clean, err := app.ParsePath(string(r.id), app.Root); err != nil || clean != r.id {
			t.Fatalf("%q: %q is no clean path: %v", path, r.id, err)
		}
	})
}

func TestSelectors(t *testing.T) {
	labels := map[string]string{"a": "1", "b": "x y", "in": "2", "c,d": "e"}
	for text, want := range map[string]bool{
		"a": true, "z": false, "!a": false, "! z": true, "a==1": true, "a = 1": true, "a==2": false, "a!=1": false, "a != 2": true, "z!=1": true,
		"a in (1,2)": true, "a in(2 , 3)": false, "a notin (2)": true, "z notin (2)": true, "a,in": true, "a , z": false, "in in (2)": true, "in": true,
		`b==x\ y`: true, `c\,d==e`: true, "a in (1),b": true, "!z,a==1,in==2": true,
	} {
		s, err := parseSelector(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := s.matches(labels); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, bad := range []string{"", ",", "a,", "a==", "a in", "a in (", "a in ()", "a in (1", "a in (1 2)", "a b", "==1", "!", "a!", "a in 1"} {
		if s, err := parseSelector(bad); err == nil {
			t.Errorf("%q is taken for %+v", bad, s)
		}
	}
}

func FuzzSelector(f *testing.F) {
	for _, seed := range []string{"a", "!a", "a==b", "a in (b, c)", "a notin (b)", `a\,==b\`, "a=", "((", "a in (\\"} {
		f.Add(seed, "k", "v")
	}
	f.Fuzz(func(t *testing.T, text, key, value string) {
		s, err := parseSelector(text)
		if err != nil {
			return
		}
		if len(s) == 0 || len(s) > len(text) {
			t.Fatalf("%q: %d terms", text, len(s))
		}
		// Of opposites just one holds.
		labels := map[string]string{key: value}
		for _, one := range s {
			other := one
			other.not = !one.not
			if (selector{one}).matches(labels) == (selector{other}).matches(labels) {
				t.Fatalf("%q: %+v and its opposite", text, one)
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "force", "force=true", "embed=a,b&embed[]=c", "%zz", "force=TRUE&force=no", "a;b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw)
		if err != nil {
			return
		}
		for _, one := range q.list("embed") {
			if one == "" || strings.Contains(one, ",") {
				t.Fatalf("%q: %q", raw, one)
			}
		}
		yes, err := q.flag("force", true)
		no, err2 := q.flag("force", false)
		if given := q.values.Has("force"); (err == nil) != (err2 == nil) || err == nil && given != (yes == no) {
			t.Fatalf("%q: %v %v, %v %v", raw, yes, err, no, err2)
		}
		embedOfApps(q)
		embedOfGroups(q)
	})
}

func TestQueries(t *testing.T) {
	q, err := parseQuery("force&scale=TRUE&wipe=false&wipe=true&status=a,b&status[]=c&odd=2")
	if err != nil {
		t.Fatal(err)
	}
	got, err := q.flags("force", "scale", "wipe", "none")
	if err != nil || !slices.Equal(got, []bool{true, true, true, false}) {
		t.Errorf("%v, %v", got, err)
	}
	if list := q.list("status"); !slices.Equal(list, []string{"a", "b", "c"}) {
		t.Errorf("list %v", list)
	}
	if _, err := q.flags("force", "odd"); err == nil {
		t.Error("2 is neither true nor false")
	}
}
