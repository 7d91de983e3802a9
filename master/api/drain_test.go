package api

import (
	"net/http"
	"strings"
	"testing"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// TestADrainIsShown drains an agent on which nothing runs.
func TestADrainIsShown(t *testing.T) {
	c := newTestCluster(t)
	c.agent(0, "cpus:4;mem:64", mesos.AgentInfo_Capability_AGENT_DRAINING)
	c.receive("op@o:0", &cluster.AgentRequest{AgentId: agentID(0), Action: cluster.AgentRequest_DRAIN.Enum()})
	h := serve(c.view)
	for path, wants := range map[string][]string{
		"/slaves": {
			`"active":false`, `"deactivated":true`, `"drain_info":{"state":"DRAINED"`, `"estimated_drain_start_time_seconds":1000`,
		},
		"/state":            {`"activated_slaves":0`, `"deactivated_slaves":1`, `"drain_info":`},
		"/metrics/snapshot": {`"master/slaves_active":0`, `"master/slaves_connected":1`, `"master/slaves_inactive":1`},
	} {
		body := strings.ReplaceAll(get(t, h, http.MethodGet, path).Body.String(), " ", "")
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %s: %s", path, want, body)
			}
		}
	}
	c.receive("op@o:0", &cluster.AgentRequest{AgentId: agentID(0), Action: cluster.AgentRequest_REACTIVATE.Enum()})
	body := get(t, h, http.MethodGet, "/slaves").Body.String()
	if strings.Contains(body, "drain") || !strings.Contains(strings.ReplaceAll(body, " ", ""), `"active":true`) {
		t.Errorf("reactivated, it is shown as %s", body)
	}
}

func TestFrameworksAreLeftOutOfTheMetrics(t *testing.T) {
	c := everyday(t)
	mux := http.NewServeMux()
	Mount(muxRouter{mux}, c.view, Info{HideFrameworkMetrics: true})
	if body := get(t, mux, http.MethodGet, "/metrics/snapshot").Body.String(); strings.Contains(body, "master/frameworks/") {
		t.Error(body)
	}
	if got := encode("a b/ü"); got != "a%20b%2F%C3%BC" {
		t.Errorf("a name is %s in a key", got)
	}
}
