package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"troupe/tools/processtest"
)

// counts are what containers take of the machine.
type counts struct{ processes, groups, mounts int }

// taken counts what a cluster has by now, with all control groups below root.
func (w *world) taken(root string) counts {
	w.t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		w.t.Fatal(err)
	}
	c := counts{processes: len(w.Processes()), mounts: strings.Count(string(mounts), w.dir)}
	roots, err := filepath.Glob("/sys/fs/cgroup/*/" + root)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, dir := range append(roots, "/sys/fs/cgroup/"+root) {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() && path != dir {
				c.groups++
			}
			return nil // what has gone meanwhile is not there
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return c
}

// Five hundred containers at once, each with limits and processes of its own, are
// measured, and leave nothing.
func TestFiveHundredContainers(t *testing.T) {
	const count = 500
	w := newWorld(t)
	root := fmt.Sprintf("troupe_crowd_%d", os.Getpid())
	t.Cleanup(func() { removeGroups(t, root) })
	c := &cluster{world: w, masterPort: processtest.FreePort(t), agentPort: processtest.FreePort(t)}
	w.flags = append(w.flags, fmt.Sprintf("--master=127.0.0.1:%d", c.masterPort))
	c.startMaster()
	c.startAgent("--resources=cpus:1000;mem:100000;disk:1000",
		"--isolation=cgroups/cpu,cgroups/mem,cgroups/pids,namespaces/pid,filesystem/linux", "--cgroups_root="+root)
	before := w.taken(root)
	args := append([]string{"run", "--name=many", fmt.Sprintf("--instances=%d", count), "--cpus=0.1", "--mem=32"}, w.flags...)
	run := w.start(append(args, "--", "sleep", "100000")...)
	run.Await(run.Err, fmt.Sprintf(`many-%d: TASK_RUNNING`, count))
	eventually(t, "all of them run", func() bool { return strings.Count(run.Err.String(), "TASK_RUNNING") == count })

	if during := w.taken(root); during.groups < 3*count || during.processes < before.processes+count {
		t.Errorf("%d containers take %+v, beside %+v", count, during, before)
	}
	var rows []struct {
		Task      bool
		Processes *float64 `json:"processes"`
		Mem       *float64 `json:"mem_bytes"`
		Limit     *float64 `json:"mem_limit_bytes"`
		CPU       *float64 `json:"cpus_used"`
	}
	r := c.do("top", "--json")
	if err := json.Unmarshal([]byte(r.out), &rows); r.code != 0 || err != nil || len(rows) != count {
		t.Fatalf("troupe top: %d, %d rows, %v\n%s", r.code, len(rows), err, r.err)
	}
	for _, row := range rows {
		if !row.Task || row.CPU == nil || row.Mem == nil || *row.Mem <= 0 || row.Limit == nil || *row.Limit != 32<<20 {
			t.Fatalf("a task uses %+v", row)
		}
	}
	c.scraped(count)

	run.Signal(syscall.SIGINT)
	run.wait()
	eventually(t, "nothing of them is left", func() bool {
		now := w.taken(root)
		return now.groups == before.groups && now.mounts == before.mounts && tasksOf(w) == 0
	})
	c.end()
	if after := w.taken(root); after.groups != 0 || after.mounts != before.mounts {
		t.Errorf("in the end there are %+v", after)
	}
}

func tasksOf(w *world) (n int) {
	for _, p := range w.Processes() {
		if strings.Contains(p.Command, "sleep") {
			n++
		}
	}
	return n
}

// scraped checks that Prometheus is told of as many tasks.
func (c *cluster) scraped(count int) {
	c.t.Helper()
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", c.agentPort))
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"cpu_user_seconds_total", "memory_bytes", "memory_limit_bytes", "memory_cache_bytes"} {
		if got := len(families["troupe_task_"+name].GetMetric()); got != count {
			c.t.Errorf("%s is of %d tasks", name, got)
		}
	}
}
