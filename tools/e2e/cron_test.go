package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/master/election/zookeepertest"
	"troupe/tools/processtest"
)

// cron is a process of the cron framework.
type cron struct {
	*service
	world *world
}

// cron starts one; it may lead at once, or later.
func (w *world) cron(store string, more ...string) *cron {
	w.t.Helper()
	return w.cronAt(fmt.Sprintf("127.0.0.1:%d", processtest.FreePort(w.t)), store, more...)
}

func (w *world) cronAt(at, store string, more ...string) *cron {
	w.t.Helper()
	_, port, _ := strings.Cut(at, ":")
	c := &cron{&service{daemon: w.start(append([]string{"cron", "--port=" + port, "--store=" + store, w.flags[0], "--failure_retry=1secs"}, more...)...), at: at}, w}
	c.Await(c.Err, `"serving"`)
	return c
}

// job is what a test wants to be run: it writes down that it began, and that it
// ended.
func (c *cron) job(name, when string, parents []string) {
	c.t.Helper()
	line := fmt.Sprintf(`echo "%%s $CHRONOS_JOB_NAME $CHRONOS_JOB_RUN_TIME" >> %s`, c.diary())
	job := map[string]any{
		"name": name, "command": fmt.Sprintf(line+"; "+line, "begin", "end"), "cpus": 0.05, "mem": 8, "disk": 1, "concurrent": parents == nil,
	}
	path := "/v1/scheduler/iso8601"
	if parents != nil {
		path, job["parents"] = "/v1/scheduler/dependency", parents
	} else {
		job["schedule"] = when
	}
	text, err := json.Marshal(job)
	if err != nil {
		c.t.Fatal(err)
	}
	c.does(http.MethodPost, path, string(text))
}

func (c *cron) diary() string { return filepath.Join(c.world.dir, "diary") }

// entry is a line of the diary.
type entry struct {
	begin bool
	job   string
	due   time.Time
}

func (c *cron) entries() []entry {
	c.t.Helper()
	text, err := os.ReadFile(c.diary())
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	var all []entry
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) != 3 {
			c.t.Fatalf("the diary has %q", line)
		}
		millis, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, entry{words[0] == "begin", words[1], time.UnixMilli(millis)})
	}
	return all
}

// begun counts the runs that have begun.
func (c *cron) begun() int {
	n := 0
	for _, e := range c.entries() {
		if e.begin {
			n++
		}
	}
	return n
}

// quiet waits until nothing runs, and nothing will by the clock.
func (c *cron) quiet() {
	c.t.Helper()
	eventually(c.t, "all is done", func() bool {
		status, _, text := c.call(http.MethodGet, "/v1/scheduler/jobs/summary", "")
		var all struct {
			Jobs []struct {
				State    string
				Parents  []string
				Disabled bool
			}
		}
		if err := json.Unmarshal([]byte(text), &all); status != http.StatusOK || err != nil {
			return false
		}
		for _, j := range all.Jobs {
			if j.State != "idle" || len(j.Parents) == 0 && !j.Disabled {
				return false
			}
		}
		return true
	})
}

// graph is fifty jobs: ten by the clock, and four layers below of which each job
// follows two of the layer above.
func graph() map[string][]string {
	jobs := map[string][]string{}
	for layer := range 5 {
		for i := range 10 {
			name := func(layer, i int) string { return fmt.Sprintf("job-%d-%d", layer, i%10) }
			jobs[name(layer, i)] = nil
			if layer > 0 {
				jobs[name(layer, i)] = []string{name(layer-1, i), name(layer-1, i+1)}
			}
		}
	}
	return jobs
}

// outage is when the framework was away.
type outage struct{ from, to time.Time }

// Fifty jobs that depend on each other run through the deaths of the master, of
// the agent and of the framework: what was due ran, once, and nothing ran before
// what it depends on.
func TestCronIsKilled(t *testing.T) {
	const times, period = 6, 4 * time.Second
	c := newWorld(t).separate()
	store := filepath.Join(c.dir, "cron", "state")
	f := c.cron(store)
	f.Await(f.Err, `"subscribed"`)
	jobs := graph()
	start := time.Now().Add(2 * time.Second).Truncate(time.Second)
	for layer := range 5 {
		for i := range 10 {
			name := fmt.Sprintf("job-%d-%d", layer, i)
			f.job(name, fmt.Sprintf("R%d/%s/PT%dS", times, start.UTC().Format(time.RFC3339), int(period.Seconds())), jobs[name])
		}
	}
	var outages []outage
	for round := range 2 {
		seen := f.begun()
		eventually(t, "some more have begun", func() bool { return f.begun() >= seen+5 })
		away := outage{from: time.Now()}
		f.kill()
		f = c.cronAt(f.at, store)
		away.to = time.Now()
		outages = append(outages, away)
		eventually(t, "some more have begun after the framework's death", func() bool { return f.begun() >= seen+20 })
		if round == 0 {
			c.master.kill()
			c.startMaster()
			continue
		}
		c.agent.kill()
		c.startAgent()
	}
	f.quiet()
	checkDues(t, f.entries(), jobs, start, times, period, outages)
	checkJoins(t, f.entries(), jobs)
	t.Logf("%d runs", f.begun())
	f.Signal(syscall.SIGTERM)
	f.wait().check(t, "cron after SIGTERM", 0, "", `"ended in order"`)
	c.end()
}

// checkDues: of each job by the clock, every due time has one run; those that fell
// into an outage may have had one together.
func checkDues(t *testing.T, diary []entry, jobs map[string][]string, start time.Time, times int, period time.Duration, outages []outage) {
	t.Helper()
	ran := map[entry]int{}
	for _, e := range diary {
		ran[entry{e.begin, e.job, e.due.UTC()}]++
	}
	for e, n := range ran {
		if n != 1 {
			t.Errorf("%v is in the diary %d times", e, n)
		}
		if !e.begin && ran[entry{true, e.job, e.due}] == 0 {
			t.Errorf("%v did not begin", e)
		}
		if e.begin && ran[entry{false, e.job, e.due}] == 0 {
			t.Errorf("%v did not end", e)
		}
		if after := e.due.Sub(start.UTC()); jobs[e.job] == nil && (after < 0 || after%period != 0 || after >= time.Duration(times)*period) {
			t.Errorf("%v was never due", e)
		}
	}
	for name, parents := range jobs {
		for n := range times {
			due := start.UTC().Add(time.Duration(n) * period)
			away := slices.ContainsFunc(outages, func(o outage) bool { return !due.Before(o.from) && !due.After(o.to) })
			if parents == nil && !away && ran[entry{true, name, due}] == 0 {
				t.Errorf("%s did not run at %s", name, due)
			}
		}
	}
}

// checkJoins: a job that depends on others has begun at most as often as each of
// them had ended by then, and not all of them have ended since.
func checkJoins(t *testing.T, diary []entry, jobs map[string][]string) {
	t.Helper()
	begun, ended := map[string]int{}, map[string]int{}
	last := map[string]int{} // where in the diary a job began last, from 1
	lastEnd := map[string]int{}
	for at, e := range diary {
		if !e.begin {
			ended[e.job]++
			lastEnd[e.job] = at + 1
			continue
		}
		begun[e.job]++
		last[e.job] = at + 1
		for _, p := range jobs[e.job] {
			if ended[p] < begun[e.job] {
				t.Errorf("line %d: %s began for the %d. time, and %s had ended %d times", at+1, e.job, begun[e.job], p, ended[p])
			}
		}
	}
	for name, parents := range jobs {
		if begun[name] == 0 {
			t.Errorf("%s never ran", name)
		}
		if len(parents) > 0 && !slices.ContainsFunc(parents, func(p string) bool { return lastEnd[p] < last[name] }) {
			t.Errorf("%s began last in line %d, and %v have ended since", name, last[name], parents)
		}
	}
}

// Of two processes one leads; the other passes everything on. Killed, the first is
// followed by the other, which goes on with what was scheduled.
func TestCronsElectALeader(t *testing.T) {
	e := zookeepertest.Start(t, 3)
	c := newWorld(t).separate()
	store, session := e.URL("/cron"), "--zk_session_timeout="+zkSession.String()
	first := c.cron(store, session)
	first.Await(first.Err, `"subscribed"`)
	second := c.cron(store, session)
	if text := second.does(http.MethodGet, "/ping", ""); !strings.Contains(text, "pong") {
		t.Errorf("ping of the standby: %s", text)
	}
	start := time.Now().Add(time.Second).Truncate(time.Second)
	second.job("tick", "R/"+start.UTC().Format(time.RFC3339)+"/PT1S", nil)
	second.job("tock", "", []string{"tick"})
	if text := second.does(http.MethodGet, "/leader", ""); !strings.Contains(text, first.at) {
		t.Errorf("the standby says %s leads, not %s", text, first.at)
	}
	eventually(t, "the jobs run", func() bool { return second.begun() >= 6 })
	began := time.Now()
	first.kill()
	second.Await(second.Err, `"subscribed"`)
	t.Logf("%s without a leader, with a session of %s", time.Since(began).Round(time.Millisecond), zkSession)
	seen := second.begun()
	third := c.cron(store, session)
	eventually(t, "the jobs run on", func() bool { return third.begun() >= seen+6 })
	third.does(http.MethodDelete, "/v1/scheduler/job/tick?cascade=true", "")
	eventually(t, "no job is left", func() bool { return strings.TrimSpace(third.does(http.MethodGet, "/v1/scheduler/jobs", "")) == "[]" })
	dues := map[string]bool{}
	for _, e := range third.entries() {
		key := fmt.Sprint(e.begin, e.job, e.due.UnixMilli())
		if dues[key] {
			t.Errorf("%v is in the diary twice", e)
		}
		dues[key] = true
	}
	for _, s := range []*cron{second, third} {
		s.Signal(syscall.SIGTERM)
		s.wait().check(t, "cron after SIGTERM", 0, "", `"ended in order"`)
	}
	c.end()
}
