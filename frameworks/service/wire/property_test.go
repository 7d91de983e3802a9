package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
)

// networks that agree with their ports, in old and new forms.
var networked = []string{
	`"cmd":"x"`,
	`"cmd":"x","ports":[0,0,9000],"requirePorts":true`,
	`"args":["a","b"],"ports":[]`,
	`"cmd":"x","portDefinitions":[{"port":0,"name":"http-api","labels":{"VIP_0":"a:80"}},{"port":70,"protocol":"udp,tcp"}]`,
	`"container":{"docker":{"image":"i","network":"BRIDGE","portMappings":[{"containerPort":80,"servicePort":9000,"name":"http-api"}],"parameters":[{"key":"a","value":"b"}]}}`,
	`"container":{"docker":{"image":"i","network":"HOST","privileged":true}},"portDefinitions":[{"port":1}]`,
	`"ipAddress":{"networkName":"n"},"container":{"docker":{"image":"i","network":"USER"}}`,
	`"cmd":"x","ipAddress":{"discovery":{"ports":[{"number":80,"name":"http-api"}]}}`,
	`"cmd":"x","networks":[{"name":"m","labels":{"l":"1"}},{"name":"n"}],"container":{"type":"MESOS","portMappings":[{"containerPort":80,"hostPort":0,"networkNames":["m"]},{}]}`,
	`"networks":[{"mode":"container/bridge"}],"container":{"type":"MESOS","docker":{"image":"i","pullConfig":{"secret":"s"}},"portMappings":[]},"secrets":{"s":{"source":"p"}}`,
	`"cmd":"x","networks":[{"mode":"container/bridge"}]`,
	`"cmd":"x","container":{"volumes":[{"containerPath":"d","persistent":{"type":"mount","size":10,"maxSize":20,"constraints":[["path","LIKE","/d.*"]]}},{"containerPath":"/h","hostPath":"/h","mode":"RO"}],"linuxInfo":{"seccomp":{"unconfined":true},"ipcInfo":{"shmSize":3}}}`,
	`"cmd":"x","container":{"volumes":[{"containerPath":"/e","external":{"name":"v","provider":"dvdi","size":1,"options":{"a":"b"},"shared":true}},{"containerPath":"s","secret":"s"}]},"secrets":{"s":{"source":"p"}}`,
}

var otherwise = []string{
	`"instances":0`, `"instances":7`, `"cpus":0.25`, `"mem":12.5`, `"disk":9`, `"gpus":2`, `"user":"u"`, `"role":"web"`, `"executor":"//cmd"`, `"tty":true`,
	`"env":{"A":"1","B":""}`, `"labels":{"a":"<b>&c"}`, `"labels":{}`, `"fetch":[{"uri":"u","cache":true,"destPath":"d"}]`, `"uris":["http://h/x.zip"]`,
	`"constraints":[["hostname","UNIQUE"],["rack","GROUP_BY","3"],["@zone","like","a.*"]]`, `"acceptedResourceRoles":["*"]`,
	`"dependencies":["../db","c"]`, `"upgradeStrategy":{"minimumHealthCapacity":0.2,"maximumOverCapacity":0}`, `"backoffSeconds":0`, `"backoffFactor":2`,
	`"maxLaunchDelaySeconds":60`, `"taskKillGracePeriodSeconds":0`, `"killSelection":"OLDEST_FIRST"`, `"unreachableStrategy":"disabled"`,
	`"executorResources":{"cpus":1}`, `"resourceLimits":{"cpus":"unlimited"}`, `"resourceLimits":{}`, `"residency":{"taskLostBehavior":"WAIT_FOREVER"}`,
	`"healthChecks":[{"protocol":"COMMAND","command":{"value":"true"}},{"protocol":"TCP","port":80},{"path":"","port":80,"ignoreHttp1xx":true}]`,
	`"healthChecks":[{"protocol":"MESOS_HTTPS","port":443,"delaySeconds":0,"maxConsecutiveFailures":0}]`,
	`"check":{"http":{"port":80}}`, `"check":{"exec":{"command":{"shell":"true"}},"delaySeconds":3}`, `"check":{"tcp":{"port":80}}`,
	`"dependencies":null`, `"unknown":[[[{}]]]`, `"versionInfo":{"lastScalingAt":"2020-01-01T00:00:00.000Z"}`,
}

func documents() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := append([]string{`"id":"/g/a"`, rapid.SampledFrom(networked).Draw(t, "network")},
			rapid.SliceOfNDistinct(rapid.SampledFrom(otherwise), 0, 12, func(s string) string { return strings.Split(s, ":")[0] }).Draw(t, "fields")...)
		return "{" + strings.Join(parts, ",") + "}"
	})
}

var permissive = Options{Rules: app.Rules{Role: "web", GPUs: true, Secrets: true, External: true}, Network: "net"}

// fixed checks that an app survives being written and read, in every way in which
// it can be.
func fixed(t interface{ Fatalf(string, ...any) }, a *app.App) {
	first, err := Encode(FromApp(a))
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	same := func(how string, b *app.App, err error) {
		if err != nil {
			t.Fatalf("%s: %v\nof %s", how, err, first)
		}
		again, err := Encode(FromApp(b))
		if err != nil || app.Compare(a, b) != app.Same || !bytes.Equal(withoutStamps(again), withoutStamps(first)) {
			t.Fatalf("%s: %v %s\ngot  %s\nfrom %s", how, err, app.Compare(a, b), again, first)
		}
	}
	b, err := ReadApp(first, app.Root, permissive)
	same("read anew", b, err)

	stamped := *a
	stamped.Version, stamped.History = 1500000000123, app.History{LastScaling: 1400000000007, LastConfig: 0}
	data, err := Encode(FromApp(&stamped))
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	b, err = ReadStored(data)
	same("stored", b, err)
	if b.Version != stamped.Version || b.History != stamped.History {
		t.Fatalf("stamps: %v %v", b.Version, b.History)
	}
	for _, partial := range []bool{true, false} {
		u, err := ReadUpdate(first, a.ID)
		if err != nil {
			t.Fatalf("update: %v", err)
		}
		b, err = u.Apply(a, partial, permissive)
		same(fmt.Sprintf("put back, partial %v", partial), b, err)
		b, err = u.Apply(nil, partial, permissive)
		same("created by put", b, err)
	}
	u, err := ReadUpdate([]byte("{}"), a.ID)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	b, err = u.Apply(a, true, permissive)
	same("changed by nothing", b, err)
}

func withoutStamps(data []byte) []byte {
	if i := bytes.Index(data, []byte(`,"version":"`)); i >= 0 {
		return append(data[:i:i], '}')
	}
	return data
}

// Whatever an app says: once read it is written and read as the same, by POST, by
// PUT of either kind, and from the store.
func TestWireIsFixed(t *testing.T) {
	valid := 0
	rapid.Check(t, func(t *rapid.T) {
		text := documents().Draw(t, "app")
		a, err := ReadApp([]byte(text), app.Root, permissive)
		if err != nil {
			var problems app.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("%s: %v", text, err)
			}
			return // some of the fields do not go together
		}
		valid++
		fixed(t, a)
		assigned, err := app.NewServicePorts(10000, 20000, app.NewRoot()).Assign(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		fixed(t, assigned)
	})
	if valid < 10 {
		t.Errorf("only %d apps were valid", valid)
	}
}

// Every form of networks is valid by itself, with every other field that goes with
// it.
func TestEveryFieldIsFixed(t *testing.T) {
	accepted := map[string]bool{}
	for _, n := range networked {
		for _, o := range append(otherwise, `"more":0`) {
			a, err := ReadApp([]byte(`{"id":"/g/a",`+n+`,`+o+`}`), app.Root, permissive)
			if err == nil {
				accepted[n], accepted[o] = true, true
				fixed(t, a)
			}
		}
	}
	for _, text := range append(otherwise, networked...) {
		if !accepted[text] {
			t.Errorf("no app is valid with %s", text)
		}
	}
}

func FuzzReadApp(f *testing.F) {
	for _, n := range networked {
		f.Add([]byte(`{"id":"/g/a",` + n + `}`))
	}
	for _, o := range otherwise {
		f.Add([]byte(`{"id":"/g/a","cmd":"x",` + o + `}`))
	}
	f.Add([]byte(`{"id":"a","env":{"A":{"secret":"s"}},"version":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ReadApp(data, "/g", permissive)
		if err != nil {
			answered(t, err)
			return
		}
		fixed(t, a)
	})
}

// answered checks that an error of a reader has an answer.
func answered(t *testing.T, err error) {
	status, body, ok := Refuse(err)
	if !ok || status != 400 && status != 422 {
		t.Fatalf("%v is answered with %d", err, status)
	}
	if _, err := Encode(body); err != nil {
		t.Fatal(err)
	}
}

func FuzzReadUpdate(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"instances":3}`, `{"version":"2015-09-01T11:22:33.444Z"}`, `{"networks":[{"mode":"host"}]}`, `{"container":{"docker":{"network":"BRIDGE"}}}`,
		`[{"id":"a"}]`, `{"cmd":null,"args":[]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if list, err := ReadUpdates(data); err != nil {
			answered(t, err)
		} else if list == nil {
			t.Fatal("a list that is nil")
		}
		u, err := ReadUpdate(data, "/g/a")
		if err != nil {
			answered(t, err)
			return
		}
		for _, n := range networked {
			old, err := ReadApp([]byte(`{"id":"/g/a",`+n+`}`), app.Root, permissive)
			if err != nil {
				t.Fatal(err)
			}
			for _, partial := range []bool{true, false} {
				if a, err := u.Apply(old, partial, permissive); err != nil {
					answered(t, err)
				} else {
					fixed(t, a)
				}
			}
		}
	})
}

func FuzzReadGroup(f *testing.F) {
	for _, s := range []string{
		`{"id":"g","apps":[{"id":"a","cmd":"x"}],"groups":[{"id":"h","apps":[]}],"dependencies":["../x"]}`, `{"scaleBy":1.5}`,
		`{"version":"2015-09-01T11:22:33.444Z"}`, `{"enforceRole":true,"pods":[]}`, `{"groups":[{"groups":[{}]}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if g, err := ReadStoredGroup(data); err == nil {
			storedGroup(t, g)
		}
		u, err := ReadGroup(data, app.Root, permissive)
		if err != nil {
			answered(t, err)
			return
		}
		g, err := u.Apply(nil)
		if err != nil {
			t.Fatalf("out of nothing: %v", err)
		}
		g.Validate(permissive.Rules)
		storedGroup(t, g)
	})
}

// storedGroup checks that a group is stored and read as the same.
func storedGroup(t interface{ Fatalf(string, ...any) }, g *app.Group) {
	first, err := Encode(FromGroup(g, true, Plain))
	if err != nil {
		t.Fatalf("%v", err)
	}
	back, err := ReadStoredGroup(first)
	if err != nil {
		t.Fatalf("%v\nof %s", err, first)
	}
	again, err := Encode(FromGroup(back, true, Plain))
	if err != nil || !bytes.Equal(first, again) {
		t.Fatalf("%v\ngot  %s\nfrom %s", err, again, first)
	}
}
