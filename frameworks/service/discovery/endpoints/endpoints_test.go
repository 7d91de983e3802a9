package endpoints

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func web() *app.App {
	return &app.App{
		ID: "/prod/web", Version: 2, Networks: []app.Network{{Mode: app.ModeHost}},
		Ports: []app.Port{{Number: 10000, Protocol: "tcp", Name: "http"}, {Number: 10001, Protocol: "udp,tcp"}},
	}
}

// running is an instance of which nobody can say anything bad.
func running() *state.Instance {
	return &state.Instance{
		ID: "prod_web.1", Task: "prod_web.1", App: "/prod/web", Version: 2, State: mesos.TaskState_TASK_RUNNING, Ready: true,
		Place: state.Place{
			Agent: "S1", Host: match.Host{Hostname: "node1", Region: "r", Zone: "z"}, Ports: []int{31000, 31001},
			Addresses: []state.Address{{IP: "10.0.0.1"}},
		},
	}
}

func TestStatus(t *testing.T) {
	well := state.Health{FirstSuccess: noon, LastSuccess: noon.Add(time.Minute), LastFailure: noon.Add(time.Second)}
	ill := state.Health{FirstSuccess: noon, LastSuccess: noon, LastFailure: noon.Add(time.Second)}
	never := state.Health{LastFailure: noon}
	for name, c := range map[string]struct {
		edit   func(*state.Instance)
		checks int
		trust  bool
		want   Status
	}{
		"runs":                      {want: Live},
		"staging":                   {edit: func(i *state.Instance) { i.State = mesos.TaskState_TASK_STAGING }, want: Starting},
		"staging, trusted":          {edit: func(i *state.Instance) { i.State = mesos.TaskState_TASK_STAGING }, trust: true, want: Starting},
		"not checked yet":           {checks: 1, want: Starting},
		"not checked yet, trusted":  {checks: 1, trust: true, want: Live},
		"half checked":              {checks: 2, edit: func(i *state.Instance) { i.Health = []state.Health{well, {}} }, want: Starting},
		"half checked, trusted":     {checks: 2, trust: true, edit: func(i *state.Instance) { i.Health = []state.Health{well, {}} }, want: Starting},
		"well":                      {checks: 1, edit: func(i *state.Instance) { i.Health = []state.Health{well} }, want: Live},
		"well, not ready":           {checks: 1, edit: func(i *state.Instance) { i.Health, i.Ready = []state.Health{well}, false }, want: Starting},
		"never well":                {checks: 1, edit: func(i *state.Instance) { i.Health = []state.Health{never} }, want: Starting},
		"never well, trusted":       {checks: 1, trust: true, edit: func(i *state.Instance) { i.Health = []state.Health{never} }, want: Starting},
		"ill":                       {checks: 2, edit: func(i *state.Instance) { i.Health = []state.Health{well, ill} }, want: Unhealthy},
		"ending":                    {edit: func(i *state.Instance) { i.Ending = true }, want: Draining},
		"killing":                   {edit: func(i *state.Instance) { i.State = mesos.TaskState_TASK_KILLING }, want: Draining},
		"ending, trusted":           {edit: func(i *state.Instance) { i.Ending = true }, trust: true, want: Draining},
		"unreachable":               {edit: func(i *state.Instance) { i.State = mesos.TaskState_TASK_UNREACHABLE }, want: Unreachable},
		"unreachable for some time": {edit: func(i *state.Instance) { i.Unreachable = noon }, want: Unreachable},
		"away":                      {edit: func(i *state.Instance) { i.Away, i.Ending = true, true }, want: Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			a, i := web(), running()
			a.Checks.Health = make([]app.HealthCheck, c.checks)
			if c.edit != nil {
				c.edit(i)
			}
			s := Of(&state.AppView{App: a, Instances: []*state.Instance{i}}, map[string]bool{i.ID: c.trust})
			if got := s.Endpoints[0].Status; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if (len(s.Live()) == 1) != (c.want == Live) {
				t.Error(s.Live())
			}
		})
	}
}

func TestSurvivors(t *testing.T) {
	kept, checked, staging := running(), running(), running()
	kept.ID, checked.ID = "kept", "checked"
	checked.Health = []state.Health{{LastFailure: noon}}
	staging.State = mesos.TaskState_TASK_STAGING
	got := Survivors(&state.AppView{App: web(), Instances: []*state.Instance{kept, checked, staging}})
	if want := map[string]bool{"kept": true}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTargets(t *testing.T) {
	mapped := func(mode string) *app.App {
		a := web()
		a.Networks, a.Ports = []app.Network{{Mode: mode, Name: "blue"}}, nil
		a.Container = &app.Container{Mappings: []app.Mapping{
			{ContainerPort: 80, HostPort: new(0), ServicePort: 10000, Protocol: "tcp"}, {ContainerPort: 81, ServicePort: 10001, Protocol: "tcp"},
		}}
		return a
	}
	for name, c := range map[string]struct {
		app   *app.App
		place state.Place
		want  []Target
	}{
		"host":                {web(), state.Place{Ports: []int{1, 2}, Addresses: []state.Address{{IP: "10.0.0.1"}}}, []Target{{"10.0.0.1", 1}, {"10.0.0.1", 2}}},
		"host by name":        {web(), state.Place{Ports: []int{1, 2}}, []Target{{"node1", 1}, {"node1", 2}}},
		"bridge":              {mapped(app.ModeBridge), state.Place{Ports: []int{1, 0}, Addresses: []state.Address{{IP: "172.17.0.2"}}}, []Target{{"node1", 1}, {"172.17.0.2", 81}}},
		"container, no IP":    {mapped(app.ModeContainer), state.Place{Ports: []int{0, 0}}, []Target{{"node1", 0}, {"node1", 0}}},
		"fewer than expected": {web(), state.Place{Ports: []int{1}}, []Target{{"node1", 1}}},
		"none":                {web(), state.Place{}, []Target{}},
	} {
		t.Run(name, func(t *testing.T) {
			i := running()
			c.place.Host.Hostname = "node1"
			i.Place = c.place
			if got := Of(&state.AppView{App: c.app, Instances: []*state.Instance{i}}, nil).Endpoints[0].Targets; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// Instances of an earlier version are as that version has them.
func TestOlderVersions(t *testing.T) {
	before := web()
	before.Version, before.Checks.Health = 1, make([]app.HealthCheck, 1)
	i := running()
	i.Version, i.ID, i.Task = 1, "prod_web.0", "prod_web.0"
	waits := running()
	waits.Task = ""
	s := Of(&state.AppView{App: web(), Versions: []*app.App{before, web()}, Instances: []*state.Instance{running(), i, waits}}, nil)
	if len(s.Endpoints) != 2 || s.Endpoints[0].Task != i.Task || s.Endpoints[0].Status != Starting || s.Endpoints[1].Status != Live {
		t.Errorf("%+v", s.Endpoints)
	}
	if s := Of(&state.AppView{App: web(), Instances: []*state.Instance{i}}, nil); s.Endpoints[0].Status != Live {
		t.Errorf("of a version that is not kept: %+v", s.Endpoints)
	}
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(Of(&state.AppView{App: web(), Instances: []*state.Instance{running()}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"appId":"/prod/web","version":"1970-01-01T00:00:00.002Z","labels":{},` +
		`"ports":[{"name":"http","servicePort":10000,"protocols":["tcp"]},{"servicePort":10001,"protocols":["udp","tcp"]}],` +
		`"endpoints":[{"taskId":"prod_web.1","slaveId":"S1","host":"node1","status":"live","version":"1970-01-01T00:00:00.002Z",` +
		`"targets":[{"address":"10.0.0.1","port":31000},{"address":"10.0.0.1","port":31001}],"region":"r","zone":"z"}]}`
	if string(text) != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}
