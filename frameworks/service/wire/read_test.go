package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
)

var everything = Options{Rules: app.Rules{Role: "*", GPUs: true, Secrets: true, External: true}}

func read(t *testing.T, text string) *app.App {
	t.Helper()
	a, err := ReadApp([]byte(text), app.Root, everything)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

func written(t testing.TB, v any) map[string]any {
	t.Helper()
	data, err := Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// at is what is at a path of keys in JSON; "" if nothing.
func at(v any, path string) string {
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(in) {
				return ""
			}
			v = in[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	data, _ := json.Marshal(v)
	return string(data)
}

// A.2, A.4, rule 12: what an app that says nothing is written as.
func TestDefaults(t *testing.T) {
	data, err := Encode(FromApp(read(t, `{"id":"a","cmd":"x"}`)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"/a","cmd":"x","executor":"","instances":1,"cpus":1,"mem":128,"disk":0,"gpus":0,` +
		`"networks":[{"mode":"host"}],"portDefinitions":[{"port":0,"protocol":"tcp","name":"default"}],"ports":[0],"requirePorts":false,` +
		`"labels":{},"upgradeStrategy":{"minimumHealthCapacity":1,"maximumOverCapacity":1},` +
		`"backoffSeconds":1,"backoffFactor":1.15,"maxLaunchDelaySeconds":300,"killSelection":"YOUNGEST_FIRST",` +
		`"unreachableStrategy":{"inactiveAfterSeconds":0,"expungeAfterSeconds":0}}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
}

// A.4: every older form, and what it becomes. In want, a path of keys and its JSON,
// "" for none.
func TestNormalisation(t *testing.T) {
	const image = `"docker":{"image":"i"`
	for name, c := range map[string]struct {
		in   string
		want map[string]string
	}{
		"1 HOST":   {`"container":{` + image + `,"network":"HOST"}}`, map[string]string{"networks": `[{"mode":"host"}]`, "container.portMappings": "", "container.type": `"DOCKER"`}},
		"1 BRIDGE": {`"container":{` + image + `,"network":"BRIDGE"}}`, map[string]string{"networks": `[{"mode":"container/bridge"}]`, "portDefinitions": ""}},
		"1 USER": {
			`"ipAddress":{"networkName":"n"},"container":{` + image + `,"network":"USER"}}`,
			map[string]string{"networks": `[{"mode":"container","name":"n"}]`, "container.type": `"DOCKER"`, "ipAddress": ""},
		},
		"2 docker.portMappings": {
			`"container":{` + image + `,"network":"BRIDGE","portMappings":[{"containerPort":80}]}}`,
			map[string]string{"container.portMappings": `[{"containerPort":80,"hostPort":0,"protocol":"tcp","servicePort":0}]`, "container.docker.portMappings": ""},
		},
		"3 ipAddress alone": {
			`"cmd":"x","ipAddress":{"networkName":"n","labels":{"a":"b"}}`,
			map[string]string{"networks": `[{"labels":{"a":"b"},"mode":"container","name":"n"}]`, "container.type": `"MESOS"`, "portDefinitions": ""},
		},
		"3 discovery": {
			`"cmd":"x","ipAddress":{"networkName":"n","discovery":{"ports":[{"number":80,"name":"http","protocol":"tcp"}]}}`,
			map[string]string{"container.portMappings": `[{"containerPort":80,"name":"http","protocol":"tcp","servicePort":0}]`},
		},
		"4 default mapping": {
			`"networks":[{"mode":"container/bridge"}],"container":{` + image + `}}`,
			map[string]string{"container.portMappings": `[{"containerPort":0,"hostPort":0,"name":"default","protocol":"tcp","servicePort":0}]`},
		},
		"4 no mapping": {
			`"networks":[{"mode":"container/bridge"}],"container":{"portMappings":[],` + image + `}}`,
			map[string]string{"container.portMappings": `[]`},
		},
		"5 container mode": {
			`"networks":[{"name":"n"}],"container":{"portMappings":[{"containerPort":80}],` + image + `}}`,
			map[string]string{"container.portMappings.0.hostPort": "", "networks.0.mode": `"container"`},
		},
		"6 ports": {
			`"cmd":"x","ports":[8080,0]`,
			map[string]string{"portDefinitions": `[{"port":8080,"protocol":"tcp"},{"port":0,"protocol":"tcp"}]`, "ports": `[8080,0]`},
		},
		"6 no ports":        {`"cmd":"x","ports":[]`, map[string]string{"portDefinitions": `[]`, "ports": `[]`}},
		"6 no definitions":  {`"cmd":"x","portDefinitions":[]`, map[string]string{"portDefinitions": `[]`}},
		"6 null ports":      {`"cmd":"x","ports":null`, map[string]string{"portDefinitions.0.name": `"default"`}},
		"6 what was read":   {`"cmd":"x","ports":[1],"portDefinitions":[{"port":2}]`, map[string]string{"ports": `[2]`}},
		"6 bridge ignores":  {`"ports":[1],"container":{` + image + `,"network":"BRIDGE"}}`, map[string]string{"ports": `[0]`}},
		"7 uris":            {`"cmd":"x","uris":["http://h/a.tgz","http://h/b"]`, map[string]string{"fetch.0.extract": "true", "fetch.1.extract": "false", "uris": ""}},
		"7 both but empty":  {`"cmd":"x","uris":[],"fetch":[{"uri":"u"}]`, map[string]string{"fetch.0.uri": `"u"`}},
		"8 portIndex":       {`"cmd":"x","healthChecks":[{}]`, map[string]string{"healthChecks.0.portIndex": "0", "healthChecks.0.path": `"/"`, "healthChecks.0.protocol": `"HTTP"`}},
		"8 COMMAND":         {`"cmd":"x","healthChecks":[{"protocol":"COMMAND","command":{"value":"true"}}]`, map[string]string{"healthChecks.0.portIndex": "", "healthChecks.0.path": ""}},
		"9 readiness codes": {`"cmd":"x","portDefinitions":[{"port":0,"name":"http-api"}],"readinessChecks":[{}]`, map[string]string{"readinessChecks.0.httpStatusCodesForReady": `[200]`}},
		"11 docker":         {`"container":{` + image + `,"credential":{"principal":"p"}}}`, map[string]string{"container.docker": `{"forcePullImage":false,"image":"i","parameters":[],"privileged":false}`}},
		"requirePorts":      {`"requirePorts":true,"container":{` + image + `,"network":"BRIDGE"}}`, map[string]string{"requirePorts": "false"}},
		"tcp,udp":           {`"cmd":"x","portDefinitions":[{"port":0,"protocol":"tcp,udp"}]`, map[string]string{"portDefinitions.0.protocol": `"udp,tcp"`}},
		"small operator":    {`"cmd":"x","constraints":[["hostname","unique",""]]`, map[string]string{"constraints": `[["hostname","UNIQUE"]]`}},
		"disabled":          {`"cmd":"x","unreachableStrategy":"disabled"`, map[string]string{"unreachableStrategy": `"disabled"`}},
		"single instance":   {`"cmd":"x","labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"}`, map[string]string{"upgradeStrategy": `{"maximumOverCapacity":0,"minimumHealthCapacity":0}`}},
		"resident": {
			`"cmd":"x","residency":{},"container":{"volumes":[{"containerPath":"d","persistent":{"size":10}}]}`,
			map[string]string{
				"upgradeStrategy": `{"maximumOverCapacity":0,"minimumHealthCapacity":0.5}`, "unreachableStrategy": `"disabled"`,
				"residency.taskLostBehavior": `"WAIT_FOREVER"`, "container.type": `"MESOS"`,
			},
		},
		"unlimited":    {`"cmd":"x","resourceLimits":{"cpus":"unlimited","mem":256}`, map[string]string{"resourceLimits": `{"cpus":"unlimited","mem":256}`}},
		"unknown keys": {`"cmd":"x","tasksRunning":3,"storeUrls":[],"whatever":{"a":1}`, map[string]string{"whatever": "", "tasksRunning": ""}},
		"integral":     {`"cmd":"x","instances":2.0,"mem":1e2`, map[string]string{"instances": "2", "mem": "100"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := written(t, FromApp(read(t, `{"id":"/a",`+c.in+`}`)))
			for path, want := range c.want {
				if at(got, path) != want {
					t.Errorf("%s is %s, want %s", path, at(got, path), want)
				}
			}
		})
	}
}

// A.19: what cannot be read is answered with 400, what means nothing with 422, and
// every problem by its path.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		in     string
		status int
		want   string
	}{
		"no JSON":       {`{"id":`, 400, `"unexpected EOF"`},
		"nothing":       {``, 400, `"No content to map due to end-of-input"`},
		"more":          {`{} {}`, 400, `"more follows the value, from byte 2"`},
		"no object":     {`[]`, 400, `[{"path":"/","errors":["error.expected.jsobject"]}]`},
		"no id":         {`{"cmd":"x"}`, 400, `[{"path":"/id","errors":["error.path.missing"]}]`},
		"wrong kinds":   {`{"id":"a","instances":"3","env":{"A":1},"fetch":{}}`, 400, `[{"path":"/env/A","errors":["error.expected.jsstring"]},{"path":"/fetch","errors":["error.expected.jsarray"]},{"path":"/instances","errors":["error.expected.jsnumber"]}]`},
		"fraction":      {`{"id":"a","instances":1.5}`, 400, `[{"path":"/instances","errors":["error.expected.int"]}]`},
		"huge":          {`{"id":"a","cmd":"x","backoffSeconds":1e300}`, 400, `[{"path":"/backoffSeconds","errors":["error.expected.int"]}]`},
		"out of range":  {`{"id":"a","cmd":"x","mem":1e999}`, 400, `[{"path":"/mem","errors":["error.expected.jsnumber: 1e999 is out of range"]}]`},
		"bad id":        {`{"id":"/A","cmd":"x"}`, 422, `[{"path":"/id","errors":["path \"/A\": segment \"A\" must consist of lower-case letters, digits, dots and inner hyphens"]}]`},
		"several":       {`{"id":"a","cmd":"x","instances":-3,"upgradeStrategy":{"minimumHealthCapacity":1.2}}`, 422, `[{"path":"/instances","errors":["got -3, expected 0 or more"]},{"path":"/upgradeStrategy/minimumHealthCapacity","errors":["got 1.2, expected between 0.0 and 1.0"]}]`},
		"mixed network": {`{"id":"a","cmd":"x","networks":[{"mode":"host"}],"ipAddress":{}}`, 422, `[{"path":"/networks","errors":["You cannot mix networks with the deprecated ipAddress and container.docker.network"]}]`},
		"uris and fetch": {
			`{"id":"a","cmd":"x","uris":["a"],"fetch":[{"uri":"b"}]}`, 422,
			`[{"path":"/uris","errors":["You cannot specify both uris and fetch fields"]}]`,
		},
		"two mappings": {
			`{"id":"a","networks":[{"mode":"container/bridge"}],"container":{"portMappings":[{}],"docker":{"image":"i","portMappings":[{}]}}}`, 422,
			`[{"path":"/container/docker/portMappings","errors":["You cannot specify both container.portMappings and container.docker.portMappings"]}]`,
		},
		"constraint": {`{"id":"a","cmd":"x","constraints":[["a"]]}`, 422, `[{"path":"/constraints(0)","errors":["a constraint has a field, an operator and perhaps a value"]}]`},
		"no command": {`{"id":"a"}`, 422, `[{"path":"/","errors":["AppDefinition must contain one of 'cmd' or 'args', and/or a 'container'."]}]`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadApp([]byte(c.in), app.Root, everything)
			status, body, ok := Refuse(err)
			details, encodeErr := Encode(body.Details)
			if !ok || encodeErr != nil || status != c.status {
				t.Fatalf("%d, %v: %v", status, ok, err)
			}
			if got := string(details); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			message := map[int]string{400: "Invalid JSON", 422: "Object is not valid"}[status]
			if body.Message != message || err.Error() == "" {
				t.Errorf("message %q", body.Message)
			}
		})
	}
	if _, _, ok := Refuse(errors.New("else")); ok {
		t.Error("any error is taken for one of a reader")
	}
}

const stored = `{"id":"/p/web","args":["a"],"cpus":2,"mem":64,"instances":4,"labels":{"a":"b","c":"d"},"env":{"A":"1"},
	"container":{"type":"MESOS","docker":{"image":"i"}},"ports":[9000],"dependencies":["/db"],"healthChecks":[{"path":"/h"}]}`

func update(t *testing.T, text string, partial bool) (*app.App, error) {
	t.Helper()
	old := read(t, stored)
	old.Version, old.History = 5, app.History{LastScaling: 5, LastConfig: 4}
	u, err := ReadUpdate([]byte(text), old.ID)
	if err != nil {
		return nil, err
	}
	before := old.Clone()
	a, err := u.Apply(old, partial, everything)
	if !reflect.DeepEqual(before, old) {
		t.Error("the update changed the app of before")
	}
	return a, err
}

// A.2, update semantics: what is said replaces, what is not stays, null is not
// said, objects are replaced whole.
func TestPartialUpdate(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`{}`:                              {"instances": "4", "labels.c": `"d"`},
		`{"id":"/p/web","instances":9}`:   {"instances": "9", "cpus": "2", "ports": "[9000]"},
		`{"id":"web","instances":9}`:      {"instances": "9"},
		`{"labels":{"x":"y"}}`:            {"labels": `{"x":"y"}`, "env": `{"A":"1"}`},
		`{"labels":null,"env":null}`:      {"labels.a": `"b"`, "env.A": `"1"`},
		`{"labels":{},"healthChecks":[]}`: {"labels": `{}`, "healthChecks": ""},
		`{"id":"/p/web","instances":2,"ports":null,"dependencies":null}`: {"instances": "2", "ports": "[9000]", "dependencies": `["/db"]`},
		`{"cmd":"run"}`:                                   {"cmd": `"run"`, "args": ""},
		`{"container":{"docker":{"image":"j"}}}`:          {"container.type": `"DOCKER"`, "container.docker.image": `"j"`},
		`{"upgradeStrategy":{"maximumOverCapacity":0.5}}`: {"upgradeStrategy.minimumHealthCapacity": "1"},
		`{"networks":[{"mode":"container","name":"n"}]}`:  {"portDefinitions": "", "container.portMappings.0.name": `"default"`},
		`{"dependencies":["../cache"]}`:                   {"dependencies": `["/cache"]`},
	} {
		a, err := update(t, text, true)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if a.Version != 5 || a.History.LastConfig != 4 {
			t.Errorf("%s: the stamps changed", text)
		}
		got := written(t, FromApp(a))
		for path, w := range want {
			if at(got, path) != w {
				t.Errorf("%s: %s is %s, want %s", text, path, at(got, path), w)
			}
		}
	}
}

// A.2: partialUpdate=false returns to the defaults what is not said.
func TestFullUpdate(t *testing.T) {
	a, err := update(t, `{"cmd":"x"}`, false)
	if err != nil {
		t.Fatal(err)
	}
	if a.Instances != 1 || a.Resources.CPUs != 1 || a.Container != nil || len(a.Labels) != 0 || a.Ports[0].Number != 0 || a.Version != 5 {
		t.Errorf("%+v", a)
	}
}

func TestUpdateRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":"/other"}`: "/id: The id /other of the body is not /p/web, that of the URL",
		`{"id":"/P"}`:     `/id: path "/P": segment`,
		`{"version":"2015-09-01T11:22:33.444Z","cmd":"x"}`: "/version: The 'version' field may only be combined with the 'id' field.",
		`{"version":"yesterday"}`:                          "/version: version",
		`{"instances":true}`:                               "/instances: error.expected.jsnumber",
		`{"mem":-1,"cpus":0}`:                              "/cpus: got 0, expected 0.001 or more; /mem: got -1, expected 0 or more",
		`{"networks":[{"mode":"host","name":"n"}]}`:        "/networks(0)/name: must be empty",
	} {
		if _, err := update(t, text, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A.2: a body with only a version goes back to it.
func TestRollback(t *testing.T) {
	u, err := ReadUpdate([]byte(`{"id":"/a","version":"2015-09-01T11:22:33.444Z","cmd":null}`), "/a")
	if err != nil || u.Version == nil || u.Version.String() != "2015-09-01T11:22:33.444Z" {
		t.Fatal(u, err)
	}
}

// A.3: instances with persistent volumes cannot get other resources.
func TestResidentStays(t *testing.T) {
	old := read(t, `{"id":"/a","cmd":"x","container":{"volumes":[{"containerPath":"d","persistent":{"size":10}}]}}`)
	u, err := ReadUpdate([]byte(`{"mem":256,"cmd":"y","container":{"volumes":[{"containerPath":"d","persistent":{"size":20}}]}}`), "/a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Apply(old, true, everything)
	var problems app.Problems
	if !errors.As(err, &problems) || !slices.Equal(problems, app.Problems{
		{Path: "/mem", Text: "Resident apps' resources can't be changed"},
		{Path: "/container/volumes", Text: "Resident apps' volumes can't be changed"},
	}) {
		t.Errorf("%v", err)
	}
}

// A.19: PUT /v2/apps takes a list.
func TestUpdates(t *testing.T) {
	list, err := ReadUpdates([]byte(`[{"id":"a","instances":2},{"id":"/b/c","cmd":"x"}]`))
	if err != nil || len(list) != 2 || list[0].ID != "/a" || list[1].ID != "/b/c" {
		t.Fatal(list, err)
	}
	if a, err := list[1].Apply(nil, true, everything); err != nil || a.Process.Command != "x" {
		t.Error(a, err)
	}
	for text, want := range map[string]string{
		`{}`:                        "error.expected.jsarray",
		`[{"instances":2}]`:         "(0)/id: error.path.missing",
		`[{"id":"a"},{"id":"/a/"}]`: "(1)/id: /a is there twice",
		`[3]`:                       "(0): error.expected.jsobject",
	} {
		if _, err := ReadUpdates([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A.3, A.10: who moves to another kind of network leaves the ports of the old kind.
func TestNetworkMoves(t *testing.T) {
	old := read(t, `{"id":"/a","networks":[{"mode":"container/bridge"}],"container":{"docker":{"image":"i"},"portMappings":[{"containerPort":80}]}}`)
	for text, want := range map[string]map[string]string{
		`{"networks":[{"mode":"host"}]}`:                          {"container.portMappings": "", "portDefinitions.0.name": `"default"`, "container.docker.image": `"i"`},
		`{"networks":[{"mode":"host"}],"portDefinitions":[]}`:     {"container.portMappings": "", "portDefinitions": "[]"},
		`{"networks":[{"name":"n"}]}`:                             {"container.portMappings.0.containerPort": "80", "portDefinitions": ""},
		`{"container":{"docker":{"image":"j"}}}`:                  {"networks.0.mode": `"container/bridge"`, "container.portMappings.0.name": `"default"`},
		`{"container":{"docker":{"image":"j","network":"HOST"}}}`: {"networks.0.mode": `"host"`, "portDefinitions.0.port": "0"},
	} {
		u, err := ReadUpdate([]byte(text), "/a")
		if err != nil {
			t.Fatal(err)
		}
		a, err := u.Apply(old, true, everything)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := written(t, FromApp(a))
		for path, w := range want {
			if at(got, path) != w {
				t.Errorf("%s: %s is %s, want %s", text, path, at(got, path), w)
			}
		}
	}
	if len(old.Container.Mappings) != 1 || old.Container.Mappings[0].ContainerPort != 80 {
		t.Error("the app of before was changed")
	}
}
