package wire

import (
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
)

func group(t *testing.T, text string, id app.Path) *GroupUpdate {
	t.Helper()
	u, err := ReadGroup([]byte(text), id, everything)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return u
}

// paths of all apps and groups; groups end with a slash.
func paths(g *app.Group) string {
	var all []string
	for a := range g.All() {
		all = append(all, string(a.ID))
	}
	for sub := range g.AllGroups() {
		all = append(all, strings.TrimSuffix(string(sub.ID), "/")+"/")
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

const tree = `{"id":"/p","dependencies":["/x"],"apps":[{"id":"web","cmd":"x","instances":3},{"id":"/p/db","cmd":"x","dependencies":["cache"]}],
	"groups":[{"id":"eu","apps":[{"id":"a","cmd":"x","instances":1},{"id":"../eu/b","cmd":"x"}]},{"id":"us"}]}`

// A.12: what is given replaces, and what is missing from a list is removed.
func TestGroupUpdate(t *testing.T) {
	old, err := group(t, tree, app.Root).Apply(nil)
	if err != nil || paths(old) != "/p/ /p/db /p/eu/ /p/eu/a /p/eu/b /p/us/ /p/web" {
		t.Fatal(paths(old), err)
	}
	if old.App("/p/db").Dependencies[0] != "/p/cache" || old.Dependencies[0] != "/x" {
		t.Error(old.App("/p/db").Dependencies, old.Dependencies)
	}
	for text, want := range map[string]string{
		`{}`:                                paths(old),
		`{"apps":[]}`:                       "/p/ /p/eu/ /p/eu/a /p/eu/b /p/us/",
		`{"apps":[{"id":"web","cmd":"y"}]}`: "/p/ /p/eu/ /p/eu/a /p/eu/b /p/us/ /p/web",
		`{"groups":[]}`:                     "/p/ /p/db /p/web",
		`{"groups":[{"id":"eu"}]}`:          "/p/ /p/db /p/eu/ /p/eu/a /p/eu/b /p/web",
		`{"groups":[{"id":"eu","apps":[]},{"id":"asia"}]}`:    "/p/ /p/asia/ /p/db /p/eu/ /p/web",
		`{"groups":null,"apps":null,"dependencies":["../x"]}`: paths(old),
		`{"id":"/p","scaleBy":1.5}`:                           paths(old),
	} {
		before := paths(old)
		got, err := group(t, text, "/p").Apply(old)
		if err != nil || paths(got) != want {
			t.Errorf("%s: %s, %v\nwant %s", text, paths(got), err, want)
		}
		if paths(old) != before {
			t.Errorf("%s changed the group of before", text)
		}
		if problems := app.NewRoot().Put(got).Validate(everything.Rules); len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
		}
	}
	scaled, err := group(t, `{"scaleBy":1.5}`, "/p").Apply(old)
	if err != nil || scaled.App("/p/web").Instances != 5 || scaled.App("/p/eu/a").Instances != 2 {
		t.Error(scaled.App("/p/web").Instances, err)
	}
}

// An app that is there again in a list keeps its stamps, so that what did not
// change does not restart (A.12, A.13).
func TestGroupKeepsStamps(t *testing.T) {
	old, err := group(t, tree, app.Root).Apply(nil)
	if err != nil {
		t.Fatal(err)
	}
	web := old.App("/p/web").Clone()
	web.Version, web.History = 7, app.History{LastScaling: 7, LastConfig: 6}
	old = old.With(web)
	next, err := group(t, `{"apps":[{"id":"web","cmd":"x","instances":3}]}`, "/p").Apply(old)
	if err != nil {
		t.Fatal(err)
	}
	got := next.App("/p/web")
	if got.Version != 7 || got.History != web.History || app.Compare(web, got) != app.Same {
		t.Errorf("%+v", got)
	}
}

// A.12, A.19: what is wrong with a group is told by path.
func TestGroupRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"apps":[{"id":"a"}]}`:                                            "/apps(0): AppDefinition must contain",
		`{"apps":[{"id":"a","cmd":"x","instances":-1}]}`:                   "/apps(0)/instances: got -1",
		`{"groups":[{"id":"g","apps":[{"id":"a","cmd":"x","cpus":"1"}]}]}`: "/groups(0)/apps(0)/cpus: error.expected.jsnumber",
		`{"groups":[{}]}`:                                                  "/groups(0)/id: error.path.missing",
		`{"apps":[{"cmd":"x"}]}`:                                           "/apps(0)/id: error.path.missing",
		`{"scaleBy":2,"apps":[]}`:                                          "/scaleBy: The 'scaleBy' field may only be combined with the 'id' field.",
		`{"scaleBy":-1}`:                                                   "/scaleBy: got -1, expected 0.0 or more",
		`{"version":"x"}`:                                                  "/version: version",
		`{"id":"/q"}`:                                                      "/id: The id /q of the body is not /p, that of the URL",
		`{"pods":[{"id":"x"}]}`:                                            "/pods(0): pods are not supported",
		`{"groups":[{"id":"g","scaleBy":2}]}`:                              "/groups(0): scaleBy and version are of the outermost group only",
		`{"groups":[{"id":"g"},3]}`:                                        "/groups(1): error.expected.jsobject",
		nested(mostNested + 2):                                             "groups are more than 64 deep",
	} {
		if _, err := ReadGroup([]byte(text), "/p", everything); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: %v", text, err)
		}
	}
}

func nested(n int) string {
	return strings.Repeat(`{"id":"g","groups":[`, n) + strings.Repeat("]}", n)
}

// A.12: a body with only a version goes back to it; what was read and sent back has
// a version, too, and does not.
func TestGroupVersion(t *testing.T) {
	if u := group(t, `{"version":"2015-09-01T11:22:33.444Z"}`, "/p"); u.Version == nil || u.Version.String() != "2015-09-01T11:22:33.444Z" {
		t.Error(u.Version)
	}
	if u := group(t, `{"id":"/p","apps":[],"version":"2015-09-01T11:22:33.444Z"}`, "/p"); u.Version != nil {
		t.Error(u.Version)
	}
}

// A tree that is written is read as the same, by the store and by PUT.
func TestGroupIsFixed(t *testing.T) {
	g, err := group(t, tree, app.Root).Apply(nil)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	g.EnforceRole = &yes
	root := app.NewRoot().Put(g)
	storedGroup(t, root)
	data, err := Encode(FromGroup(root, true, Plain))
	if err != nil {
		t.Fatal(err)
	}
	back, err := group(t, string(data), app.Root).Apply(root)
	if err != nil || paths(back) != paths(root) {
		t.Errorf("%s, %v", paths(back), err)
	}
	for a := range root.All() {
		if c := app.Compare(a, back.App(a.ID)); c != app.Same {
			t.Errorf("%s: %s", a.ID, c)
		}
	}
}
