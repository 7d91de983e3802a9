package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// demoJobs are a small graph: a job by the clock, one that follows it, and one
// that follows both.
var demoJobs = []struct {
	path string
	job  map[string]any
}{
	{"/iso8601", map[string]any{"name": "demo-measure", "schedule": "R//PT15S", "command": "cat /proc/loadavg", "description": "looks at the machine, every 15 s"}},
	{"/dependency", map[string]any{"name": "demo-judge", "parents": []string{"demo-measure"}, "command": "sleep 1; uptime", "description": "after demo-measure"}},
	{"/dependency", map[string]any{"name": "demo-report", "parents": []string{"demo-judge", "demo-measure"}, "command": "echo all is well", "description": "after both of the others"}},
}

// schedule has the cron framework run the demo's jobs, and says where to look.
func (d *demo) schedule(ctx context.Context, web *demoClient) error {
	defer web.client.CloseIdleConnections()
	for _, j := range demoJobs {
		job := maps.Clone(j.job)
		job["cpus"], job["mem"] = 0.1, 32
		definition, err := json.Marshal(job)
		if err != nil {
			return err
		}
		if err := web.do(ctx, http.MethodPost, "/v1/scheduler"+j.path, definition, nil); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := fmt.Fprintf(d.io.Out, "Three jobs run every 15 s; see them: %s\n", d.style.Grey(web.url+"/"))
	return err
}
