package conformance

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// Over TLS everything is as without, whether clients need certificates or not;
// those who need one and have none are turned away before they say a word.
func TestHTTPS(t *testing.T) {
	for name, required := range map[string]bool{"certificates required": true, "certificates not required": false} {
		t.Run(name, func(t *testing.T) {
			c := newWorld(t)
			a := processtest.NewAuthority(t, filepath.Join(c.Dir, "authority"))
			c.masterFlags, c.agentFlags = a.Issue("master"), a.Issue("agent")
			a.Issue("client")
			shown := "client"
			if !required {
				shown = ""
				c.masterFlags = append(c.masterFlags, "--no-tls_require_client_cert")
				c.agentFlags = append(c.agentFlags, "--no-tls_require_client_cert")
			}
			c.as.TLS = a.Client(shown)
			c.start()
			inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
				f := subscribeAt(t, *c.at(c.master, mesosclient.SchedulerPath, enc), describe("over TLS"))
				f.event(scheduler.Event_HEARTBEAT)
				offer := f.offer()
				f.accept(offer, launch(shell(offer, "one", "true")))
				f.update("one", mesos.TaskState_TASK_FINISHED)
				f.teardown()
				state := &master.Response{}
				if err := c.at(c.master, mesosclient.OperatorPath, enc).Ask(t.Context(), &master.Call{Type: master.Call_GET_STATE.Enum()}, state); err != nil || len(state.GetGetState().GetGetAgents().GetAgents()) != 1 {
					t.Errorf("GET_STATE: %v, %v", state, err)
				}
				e := &mesosclient.Executor{Endpoint: *c.at(c.agent, mesosclient.ExecutorPath, enc), FrameworkID: "F", ExecutorID: "nobody"}
				message := &executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte("x")}}
				if a, err := e.Say(t.Context(), message); a == nil || a.Status != http.StatusBadRequest {
					t.Errorf("an executor that is not known: %v, %v", a, err)
				}
				// Without TLS nobody is heard.
				plain := mesosclient.Endpoint{Address: c.master, Path: mesosclient.SchedulerPath, Encoding: enc}
				if a, err := plain.Post(t.Context(), nil, nil); err == nil && a.Status != http.StatusBadRequest {
					t.Errorf("without TLS: %s", a)
				}
			})
			c.without(a, required)
		})
	}
}

// without asks as somebody who shows no certificate, or a stranger's.
func (c *cluster) without(a *processtest.Authority, required bool) {
	c.t.Helper()
	stranger := processtest.NewAuthority(c.t, filepath.Join(c.Dir, "stranger"))
	stranger.Issue("stranger")
	theirs := a.Client("")
	theirs.Certificates = stranger.Client("stranger").Certificates
	for _, address := range []string{c.master, c.agent} {
		at := c.at(address, mesosclient.OperatorPath, mesosclient.JSON{})
		at.TLS = a.Client("")
		if _, err := at.Post(c.t.Context(), []byte("{}"), nil); (err != nil) != required {
			c.t.Errorf("without a certificate, where it is required: %v: %v", required, err)
		}
		at.TLS = theirs
		if _, err := at.Post(c.t.Context(), []byte("{}"), nil); err == nil {
			c.t.Error("a stranger's certificate was taken")
		}
	}
}

// A master that leads but has not read its registry yet says so to who wants
// anything of the leader, in this order: who it is, whether it can be served,
// and only then what the request is. What a master tells of itself it tells.
func TestAMasterThatRecovers(t *testing.T) {
	c := newMaster(t)
	port := c.port(c.master)
	registry := filepath.Join(c.Dir, "master", "registry.db")
	// The master waits a second for a registry that somebody else holds; where
	// that was too short for a look, there is another.
	processtest.Eventually(t, "a master is seen while it recovers, and has recovered", func() bool {
		c.masterProcess.Signal(syscall.SIGTERM)
		c.masterProcess.Wait()
		held, err := os.Open(registry)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		c.masterProcess = c.launchMaster(port)
		seen := c.recovers()
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
		return seen && c.recovered()
	})
	f := subscribe(t, c.master, mesosclient.JSON{}, describe("after"))
	f.teardown()
}

// recovered waits until the master serves; it is false when the master has given
// up before.
func (c *cluster) recovered() bool {
	c.t.Helper()
	var serves bool
	processtest.Eventually(c.t, "the master serves or has ended", func() bool {
		serves = c.operate().Ask(c.t.Context(), &master.Call{Type: master.Call_GET_HEALTH.Enum()}, &master.Response{}) == nil
		select {
		case <-c.masterProcess.Ended():
			return true
		default:
			return serves
		}
	})
	return serves
}

// recovers asks a master that has just been started, until it answers or has
// ended. It tells whether all that it was asked was answered while it recovered.
func (c *cluster) recovers() bool {
	c.t.Helper()
	for {
		select {
		case <-c.masterProcess.Ended():
			return false
		default:
		}
		a, err := c.at(c.master, mesosclient.SchedulerPath, mesosclient.JSON{}).Post(c.t.Context(), nil, nil)
		switch {
		case err != nil && !errors.Is(err, syscall.ECONNREFUSED):
			return false // it ended meanwhile
		case err == nil && !strings.Contains(string(a.Body), "this process is starting"): // its port is there before what it serves
			return c.saysThatItRecovers()
		}
	}
}

// saysThatItRecovers judges the answers of a master that recovers; it is false
// when the master ended meanwhile.
func (c *cluster) saysThatItRecovers() bool {
	c.t.Helper()
	for _, path := range []string{mesosclient.SchedulerPath, "/master" + mesosclient.SchedulerPath, mesosclient.OperatorPath} {
		a, err := c.at(c.master, path, mesosclient.JSON{}).Post(c.t.Context(), []byte("not even a call"), nil)
		if err != nil {
			return false
		}
		if a.Status != http.StatusServiceUnavailable || !strings.Contains(string(a.Body), "Master has not finished recovery") {
			c.t.Errorf("%s of a master that recovers: %s", path, a)
		}
	}
	for path, want := range map[string]int{
		"/state": http.StatusServiceUnavailable, "/redirect": http.StatusServiceUnavailable, "/slaves": http.StatusServiceUnavailable,
		"/health": http.StatusOK, "/flags": http.StatusOK, "/version": http.StatusOK, "/metrics/snapshot": http.StatusOK,
	} {
		response, err := http.Get("http://" + c.master + path)
		if err != nil {
			return false
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != want {
			c.t.Errorf("GET %s of a master that recovers: %d, %v; want %d", path, response.StatusCode, err, want)
		}
	}
	return true
}
