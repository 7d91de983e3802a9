package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"troupe/actors"
	"troupe/executor/executortest"
	"troupe/executor/host"
	"troupe/messages/cluster"
)

// runHost runs a host in this process, beside an agent that it reaches over
// the network.
func runHost(t *testing.T, ctx context.Context) (r *rig, ended <-chan error) {
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
	r = &rig{Agent: executortest.NewAgent(t, sys), launcher: executortest.NewLauncher(), system: sys}
	end := make(chan error, 1)
	go func() {
		end <- host.Run(ctx, host.Options{Agent: r.PID, HostID: "H1", Containers: r.launcher})
	}()
	_, r.host = executortest.AwaitFrom[*cluster.HostReady](t, r.Agent, nil)
	return r, end
}

func TestRunUntilToldToStop(t *testing.T) {
	r, ended := runHost(t, t.Context())
	r.Send(r.host, &cluster.StopHost{})
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunThatIsCancelledKillsWhatItHolds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, ended := runHost(t, ctx)
	r.order("C1", custom)
	p := r.launcher.Next(t)
	r.wantLaunched(t, "C1")
	cancel()
	if g := p.Killed(t); g != 0 {
		t.Errorf("grace %s", g)
	}
	p.Exit(9)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestRunNeedsPlaceForItsSystem(t *testing.T) {
	err := host.Run(t.Context(), host.Options{
		Agent: actors.PID{Name: "agent", Address: "127.0.0.1:1"}, HostID: "H1", Containers: executortest.NewLauncher(),
		System: actors.Options{Listen: "nowhere"},
	})
	if err == nil || !strings.Contains(err.Error(), `executor host "H1": `) {
		t.Errorf("error %v", err)
	}
}
