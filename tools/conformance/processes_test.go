package conformance

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// figures are what is at a target, as Prometheus would find it.
func figures(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, %v", url, answer.Status, body, err)
	}
	return string(body)
}

// Every process of a cluster has figures, and the master tells Prometheus where:
// master, agent, executor host, and a scheduler of the SDK, which nobody can
// dial.
func TestFiguresOfEveryProcess(t *testing.T) {
	c := newWorld(t).start()
	run := c.Start(c.Command("run", "--master="+c.master, "--", "sleep", "600"))
	components := map[string]string{}
	processtest.Eventually(t, "figures of all components", func() bool {
		var targets []struct {
			Targets []string
			Labels  map[string]string
		}
		if err := json.Unmarshal([]byte(figures(t, "http://"+c.master+"/metrics/targets")), &targets); err != nil {
			t.Fatal(err)
		}
		for _, target := range targets {
			path := target.Labels["__metrics_path__"]
			if path == "" {
				path = "/metrics"
			}
			for _, address := range target.Targets {
				components[target.Labels["component"]] = figures(t, target.Labels["__scheme__"]+"://"+address+path)
			}
		}
		return strings.Contains(components["executor"], `kind="executor"`) && components["scheduler"] != ""
	})
	for component, line := range map[string]string{
		"master": `troupe_actors_running{kind="master"} 1`, "agent": `troupe_actors_running{kind="agent"} 1`,
		"scheduler": `troupe_actors_running{kind="scheduler"} 1`, "executor": `,kind="executor"} 1`,
	} {
		if text := components[component]; !strings.Contains(text, line) || !strings.Contains(text, "process_resident_memory_bytes") {
			t.Errorf("figures of the %s:\n%s", component, text)
		}
	}
	run.Signal(syscall.SIGINT)
	run.Wait()
}
