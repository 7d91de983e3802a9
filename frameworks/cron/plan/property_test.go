package plan

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// oracle knows which runs there must be: one per due time that was not slept
// through, one for each outage that had any, and one per join of parents.
type oracle struct {
	*world
	periods   map[string]time.Duration
	parents   map[string][]string
	joined    map[string][]int
	successes map[string]int64
	expected  map[string]int            // runs of dependent jobs
	runs      map[string]map[uint64]Run // per job, that were ever on the disk
	outages   [][2]time.Time
}

func (o *oracle) onPersist(p Persist) {
	for _, c := range p.Changes {
		if strings.HasPrefix(c.Key, runKey) && c.Value != nil {
			var r Run
			o.read(c, &r)
			if o.runs[r.Job] == nil {
				o.runs[r.Job] = map[uint64]Run{}
			}
			o.runs[r.Job][r.Number] = r
		}
		name, ok := strings.CutPrefix(c.Key, stateKey)
		if !ok {
			continue
		}
		var s State
		o.read(c, &s)
		for ; o.successes[name] < s.Successes; o.successes[name]++ {
			o.succeeded(name)
		}
	}
}

func (o *oracle) read(c Change, into any) {
	if err := json.Unmarshal(c.Value, into); err != nil {
		o.t.Fatal(err)
	}
}

func (o *oracle) succeeded(name string) {
	for child, parents := range o.parents {
		at := slices.Index(parents, name)
		if at < 0 {
			continue
		}
		o.joined[child][at]++
		if !slices.Contains(o.joined[child], 0) {
			o.expected[child]++
			o.joined[child] = make([]int, len(parents))
		}
	}
}

// due are the due times that a job has a run for.
func (o *oracle) due(job string) []time.Time {
	var all []time.Time
	outageOf := func(t time.Time) int {
		return slices.IndexFunc(o.outages, func(out [2]time.Time) bool { return t.After(out[0]) && !t.After(out[1]) })
	}
	for t := begin; !t.After(o.now); t = t.Add(o.periods[job]) {
		if n := len(all); n > 0 && outageOf(t) >= 0 && outageOf(t) == outageOf(all[n-1]) {
			all[n-1] = t
			continue
		}
		all = append(all, t)
	}
	return all
}

func (o *oracle) check() {
	for job := range o.periods {
		var got []time.Time
		for _, number := range slices.Sorted(maps.Keys(o.runs[job])) {
			got = append(got, o.runs[job][number].Due)
		}
		if want := o.due(job); !slices.EqualFunc(got, want, time.Time.Equal) {
			o.t.Fatalf("%s at %s with outages %s:\n got %s\nwant %s", job, o.now, o.outages, got, want)
		}
	}
	for job := range o.parents {
		if got := len(o.runs[job]); got != o.expected[job] {
			o.t.Fatalf("%s has run %d times, its parents had succeeded %d times", job, got, o.expected[job])
		}
	}
}

// act is one thing that may happen; the process may die between any two effects.
func (o *oracle) act(t *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(t, "act") {
	case 0, 1: // time passes
		o.pass(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second)
	case 2: // dies with work in hand
		o.start()
	case 3: // is down for a while
		o.settle()
		from := o.now
		o.now = o.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "outage")) * time.Second)
		o.outages = append(o.outages, [2]time.Time{from, o.now})
		o.start()
		o.settle()
	case 4, 5: // some effects only
		for n := rapid.IntRange(0, 4).Draw(t, "effects"); n > 0 && len(o.queue) > 0; n-- {
			o.perform()
		}
	default: // a task goes on
		var live []string
		for id, k := range o.tasks {
			if k.ended == nil && k.run.Job != "" {
				live = append(live, id)
			}
		}
		if len(live) == 0 {
			return
		}
		slices.Sort(live)
		id := rapid.SampledFrom(live).Draw(t, "task")
		if rapid.Bool().Draw(t, "starts") {
			o.tasks[id].running = true
			o.step(TaskStarted{id})
			return
		}
		o.end(id, rapid.SampledFrom([]Outcome{Succeeded, Succeeded, Succeeded, Failed, Dropped}).Draw(t, "outcome"))
	}
}

// TestEveryDueRunOnce: whatever dies and when, each due time has one run.
func TestEveryDueRunOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := &oracle{
			world:   newWorld(rt, Options{RetryDelay: 30 * time.Second, Batch: rapid.IntRange(1, 3).Draw(rt, "batch")}),
			periods: map[string]time.Duration{"a": 5 * time.Minute, "b": 7 * time.Minute},
			parents: map[string][]string{"c": {"a"}, "d": {"a", "b"}, "e": {"c", "d"}},
			joined:  map[string][]int{"c": {0}, "d": {0, 0}, "e": {0, 0}}, successes: map[string]int64{},
			expected: map[string]int{}, runs: map[string]map[uint64]Run{},
		}
		o.written = o.onPersist
		policy := Policy{Overlap: Allow, Retries: 1}
		o.mustPut(scheduled("a", "R/2026-03-01T00:00:00Z/PT5M", policy))
		o.mustPut(scheduled("b", "R/2026-03-01T00:00:00Z/PT7M", policy))
		for _, name := range []string{"c", "d", "e"} {
			j := dependent(name, o.parents[name]...)
			j.Policy = policy
			o.mustPut(j)
		}
		for range rapid.IntRange(1, 60).Draw(rt, "acts") {
			o.act(rt)
		}
		o.settle()
		o.check()
		o.finish()
	})
}

// finish ends all there is; nothing may be left behind.
func (o *oracle) finish() {
	for range 200 {
		for _, job := range []string{"a", "b", "c", "d", "e"} { // parents first
			o.endAll(job, Succeeded)
		}
		if len(o.m.runs) == 0 {
			break
		}
		o.now = o.now.Add(time.Second)
		o.settle()
	}
	o.check()
	for key := range o.disk {
		if strings.HasPrefix(key, runKey) {
			o.t.Fatalf("%s is left behind, at %s: %s", key, o.now, o.disk[key])
		}
	}
	for id, k := range o.tasks {
		if k.ended != nil && !k.acked {
			o.t.Fatalf("the end of %s is not acknowledged", id)
		}
	}
}

// TestGraphs: what is accepted has no cycle, and what is refused would have one.
func TestGraphs(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f"}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Options{})
		graph := map[string][]string{}
		for _, name := range names {
			w.mustPut(scheduled(name, "R0//PT0M", Policy{}))
			graph[name] = nil
		}
		for range rapid.IntRange(1, 20).Draw(rt, "puts") {
			name := rapid.SampledFrom(names).Draw(rt, "job")
			parents := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 3, rapid.ID[string]).Draw(rt, "parents")
			tried := maps.Clone(graph)
			tried[name] = parents
			err := w.put(dependent(name, parents...))
			if cyclic := depth(tried, name, 0) > len(names); cyclic != (err != nil) {
				t.Fatalf("%s with parents %s: %v", name, parents, err)
			}
			if err == nil {
				graph = tried
			}
		}
		for _, name := range names {
			for _, child := range w.views[name].Children {
				if !slices.Contains(graph[child], name) {
					t.Fatalf("%s is no child of %s", child, name)
				}
			}
		}
	})
}

// depth is the longest way up, or more than there are jobs.
func depth(graph map[string][]string, name string, so int) int {
	if so > len(graph) {
		return so
	}
	longest := so
	for _, p := range graph[name] {
		longest = max(longest, depth(graph, p, so+1))
	}
	return longest
}
