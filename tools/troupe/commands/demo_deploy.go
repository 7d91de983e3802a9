package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// demoApp is the path of the app that the demo deploys.
const demoApp = "/hello"

// demoPoll is how often the demo looks whether its app is there.
const demoPoll = 200 * time.Millisecond

// demoClient talks to the service framework of a local cluster.
type demoClient struct {
	url    string
	client *http.Client
	as     proofFlags
}

// deploy has the service framework run a web server, and says where it is.
func (d *demo) deploy(ctx context.Context, web *demoClient) error {
	defer web.client.CloseIdleConnections()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	definition, err := json.Marshal(map[string]any{
		"id": demoApp, "args": []string{self, "demo-server"}, "cpus": 0.1, "mem": 32, "instances": 2,
		"healthChecks": []map[string]any{{"path": "/health", "intervalSeconds": 1, "timeoutSeconds": 1}},
	})
	if err != nil {
		return err
	}
	if err := web.do(ctx, http.MethodPost, "/v2/apps", definition, nil); err != nil {
		return err
	}
	tick := time.NewTicker(demoPoll)
	defer tick.Stop()
	for {
		var found struct {
			App struct {
				TasksHealthy int
				Tasks        []struct {
					Host  string
					Ports []int
				}
			}
		}
		if err := web.do(ctx, http.MethodGet, "/v2/apps"+demoApp, nil, &found); err != nil {
			return err
		}
		if found.App.TasksHealthy == 2 {
			at := found.App.Tasks[0]
			d.mu.Lock()
			defer d.mu.Unlock()
			_, err := fmt.Fprintf(d.io.Out, "The app %s answers: %s\nSee it, scale it, upgrade it: %s\n",
				demoApp, d.style.Grey(fmt.Sprintf("curl http://%s:%d", at.Host, at.Ports[0])), d.style.Grey(web.url+"/ui/"))
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// do makes a request, and reads the answer into answer, if that is not nil.
func (c *demoClient) do(ctx context.Context, method, path string, body []byte, answer any) (err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if c.as.secret != "" {
		r.SetBasicAuth(c.as.principal, c.as.secret)
	}
	a, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Body.Close()) }()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		return err
	}
	if a.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %.500s", method, path, a.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
