package frameworks_test

import (
	"context"
	"testing"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	api "troupe/master/api/scheduler"
)

// system listens, so that a master in it can be reached over HTTP, too.
func system(t *testing.T) *actors.System {
	t.Helper()
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return sys
}

// runner starts a framework for a master in name only.
type runner func(t *testing.T, m *frameworktest.Master, sys *actors.System, o frameworks.Options, s frameworks.Scheduler) <-chan error

// overBoth is a test over every carrier.
func overBoth(t *testing.T, test func(t *testing.T, run runner)) {
	t.Helper()
	for name, h := range map[string]*frameworks.HTTP{"actors": nil, "protobuf": {}, "JSON": {JSON: true}} {
		t.Run(name, func(t *testing.T) {
			served := map[*actors.System]bool{}
			test(t, func(t *testing.T, m *frameworktest.Master, sys *actors.System, o frameworks.Options, s frameworks.Scheduler) <-chan error {
				t.Helper()
				if h != nil && !served[sys] {
					served[sys] = true
					api.Mount(sys, sys, api.Options{Master: m.PID})
				}
				o.HTTP = h
				return start(t, m, sys, o, s)
			})
		})
	}
}

// start starts a framework: over actors in the master's system, over HTTP in one of
// its own.
func start(t *testing.T, m *frameworktest.Master, sys *actors.System, o frameworks.Options, s frameworks.Scheduler) <-chan error {
	t.Helper()
	if o.Name == "" {
		o.Name = "test"
	}
	if o.HTTP != nil {
		sys = system(t)
	}
	ended := make(chan error, 1)
	if _, err := frameworks.Start(sys, m.PID, o, s, func(err error) { ended <- err }); err != nil {
		t.Fatal(err)
	}
	return ended
}
