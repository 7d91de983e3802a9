package probe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/probe"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// asked is a server that tells which paths it was asked for.
func asked(t *testing.T) (port int) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ready" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, "here is "+r.URL.Path)
	}))
	t.Cleanup(s.Close)
	_, port = at(t, strings.TrimPrefix(s.URL, "http://"))
	return port
}

// The checks of an app become checks of an instance's addresses, and their results
// inputs of the core.
func TestChecksOfInstances(t *testing.T) {
	port, gone := asked(t), closed(t)
	second, given := 1, port
	health := func(h app.HealthCheck) app.HealthCheck {
		h.Interval, h.Timeout = time.Hour, patience
		if h.Protocol == "" {
			h.Protocol = app.HTTP
		}
		return h
	}
	host := &app.App{ID: "/a", Networks: []app.Network{{Mode: app.ModeHost}}, Ports: []app.Port{{Name: "admin"}, {Name: "web"}}}
	within := &app.App{ID: "/a", Networks: []app.Network{{Mode: app.ModeContainer, Name: "n"}}, Container: &app.Container{
		Mappings: []app.Mapping{{ContainerPort: port, Name: "web"}},
	}}
	onHost := state.Place{Host: match.Host{Hostname: "127.0.0.1"}, Ports: []int{gone, port}}
	inContainer := state.Place{
		Host: match.Host{Hostname: "host.invalid"}, Ports: []int{0},
		Addresses: []state.Address{{IP: "::1", Protocol: mesos.NetworkInfo_IPv6}, {IP: "127.0.0.1", Protocol: mesos.NetworkInfo_IPv4}},
	}
	for name, test := range map[string]struct {
		app       *app.App
		checks    app.Checks
		place     state.Place
		readiness bool
		want      state.Input
	}{
		"the first port": {host, app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{Protocol: app.TCP})}}, onHost, false, state.Probed{Task: "a.1"}},
		"another port": {
			host,
			app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{PortIndex: &second})}},
			onHost, false,
			state.Probed{Task: "a.1", Result: state.HealthResult{Healthy: true}},
		},
		"a number": {
			host,
			app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{Port: &given})}},
			onHost, false,
			state.Probed{Task: "a.1", Result: state.HealthResult{Healthy: true}},
		},
		"a port that is not there": {
			host,
			app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{PortIndex: new(7), Protocol: app.TCP})}},
			onHost, false,
			state.Probed{Task: "a.1"},
		},
		"after one of the agent's": {
			host,
			app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{Protocol: app.MesosTCP}), health(app.HealthCheck{PortIndex: &second})}},
			onHost, false,
			state.Probed{Task: "a.1", Check: 1, Result: state.HealthResult{Healthy: true}},
		},
		"a container's address": {
			within,
			app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{})}},
			inContainer, false,
			state.Probed{Task: "a.1", Result: state.HealthResult{Healthy: true}},
		},
		"a number at a container's address": {
			within,
			app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{Port: &given})}},
			inContainer, false,
			state.Probed{Task: "a.1", Result: state.HealthResult{Healthy: true}},
		},
		"its other address": {
			within,
			app.Checks{Health: []app.HealthCheck{health(app.HealthCheck{IPProtocol: "IPv6"})}},
			inContainer, false,
			state.Probed{Task: "a.1"}, // nobody listens there
		},
		"not ready": {
			host,
			app.Checks{Readiness: []app.Readiness{{Name: "r", PortName: "web", Protocol: app.HTTP, Path: "/ready", Codes: []int{200}, Interval: time.Hour, Timeout: patience, Keep: true}}},
			onHost, true,
			state.ReadinessSeen{Task: "a.1", Check: "r", Response: &state.Response{Status: 503, ContentType: "text/plain; charset=utf-8", Body: "here is /ready"}},
		},
		"ready, in a container": {
			within,
			app.Checks{Readiness: []app.Readiness{{Name: "r", PortName: "web", Protocol: app.HTTP, Interval: time.Hour, Timeout: patience}}},
			inContainer, true,
			state.ReadinessSeen{Task: "a.1", Check: "r", Ready: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := make(chan state.Input, 10)
			p := probe.NewInstances(probe.Options{}, func(in state.Input) { inputs <- in })
			defer p.Close()
			a := *test.app
			a.Checks = test.checks
			p.Start(state.StartProbes{
				App: &a, Instance: &state.Instance{Task: "a.1", Place: test.place}, Health: !test.readiness, Readiness: test.readiness,
			})
			select {
			case in := <-inputs:
				if got, want := shown(in), shown(test.want); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			case <-time.After(patience):
				t.Fatal("no result")
			}
			p.Stop(state.StopProbes{Task: "a.1"})
			if f := p.Figures(); f.Checks != f.Running {
				t.Errorf("after the stop: %+v", f)
			}
		})
	}
}

// shown is an input without the words of failures, which are the system's.
func shown(in state.Input) string {
	switch in := in.(type) {
	case state.Probed:
		return fmt.Sprintf("%s %d %t", in.Task, in.Check, in.Result.Healthy)
	case state.ReadinessSeen:
		text := fmt.Sprintf("%s %s %t", in.Task, in.Check, in.Ready)
		if in.Response != nil {
			text += fmt.Sprintf(" %+v", *in.Response)
		}
		return text
	}
	return fmt.Sprintf("%T", in)
}
