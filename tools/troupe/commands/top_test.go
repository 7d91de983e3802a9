package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// using is a master with one agent that answers, whose containers use more with
// each look, and one that does not.
func using(t *testing.T) *fakeMaster {
	m := newFakeMaster(t)
	m.state = strings.NewReplacer("AGENT", m.at).Replace(`{"slaves":[
		{"id":"M-S0","pid":"slave(1)@AGENT","active":true},{"id":"M-S1","pid":"slave(1)@127.0.0.1:1","active":true},
		{"id":"M-S2","pid":"slave(1)@127.0.0.1:2","active":false}]}`)
	looks := 0
	m.HandleFunc("/containers", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("show_nested") != "true" {
			t.Errorf("asked for %s", r.URL)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		looks++
		_, _ = fmt.Fprintf(w, `[
		{"container_id":"c1","task_id":"calm","executor_id":"calm","framework_id":"F","framework_name":"web","role":"www","statistics":{
		 "timestamp":%[1]d,"cpus_user_time_secs":%[1]d.25,"cpus_system_time_secs":1,"cpus_soft_limit":1,"cpus_limit":2,
		 "cpus_nr_periods":%[1]d0,"cpus_nr_throttled":%[1]d,"mem_rss_bytes":5,"mem_total_bytes":1048576,"mem_limit_bytes":2097152,
		 "disk_used_bytes":2048,"disk_limit_bytes":4096,"processes":3}},
		{"container_id":"c2","executor_id":"pod","framework_id":"F","framework_name":"web","role":"www","statistics":{
		 "timestamp":%[1]d,"cpus_user_time_secs":%[2]d,"cpus_system_time_secs":0,"mem_rss_bytes":3145728}},
		{"container_id":"c3","task_id":"busy","executor_id":"pod","framework_id":"F","framework_name":"web","role":"www","statistics":{
		 "timestamp":%[1]d,"cpus_user_time_secs":%[2]d,"cpus_system_time_secs":0,"mem_rss_bytes":2097152}},
		{"container_id":"c4","statistics":{"timestamp":%[1]d}}]`, looks, 3*looks)
	})
	m.HandleFunc("/slack", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"roles":[{"role":"www","windows":[
			{"window":"1m","covers_secs":60,"cpus":{"mean_allocated":4,"mean_used":1,"p95_used":2,"peak_used":3,"slack":1.5},"mem":{"mean_allocated":64,"slack":32}},
			{"window":"1h","covers_secs":600,"cpus":{"mean_allocated":5,"slack":2.125},"mem":{}}]}]}`)
	})
	return m
}

func TestTop(t *testing.T) {
	m := using(t)
	for line, want := range map[string]string{
		"top": `(?s)^1 agents, 2 tasks: 4\.00 CPUs, 4\.0M of memory\nTASK [^\n]*\nbusy +3\.00 +- +- +2\.0M [^\n]*\n` +
			`\[pod\] +3\.00 +[^\n]*\ncalm +1\.00 +1/2 +10% +1\.0M +2\.0M +2\.0K +4\.0K +3 +www +web +\S+\nnot counted: 127\.0\.0\.1:1: .*does not answer`,
		"top --sort=name --rows=1 --once":             `(?s)PROCESSES[^\n]*\nbusy [^\n]*\nnot`,
		"top --sort=mem":                              `(?s)AGENT *\n\[pod\].*busy.*calm`,
		"top --sort=disk":                             `(?s)AGENT *\ncalm.*busy.*\[pod\]`,
		"top --agent=S0":                              `(?s)^1 agents, 2 tasks.*calm +1\.00.* \S+\n$`,
		"top --agent=" + m.at + " --sort=throttled":   `(?s)AGENT *\ncalm`,
		"top --agent=" + m.at + " --master=nowhere:1": `calm`,
		"slack":                          `(?s)^ROLE +CPUS +USED[^\n]*\nwww +5\.00 +0\.00 +0\.00 +0\.00 +2\.12 +0\.00.*not counted: 127`,
		"slack --window=1m --agent=M-S0": `(?s)\nwww +4\.00 +1\.00 +2\.00 +3\.00 +1\.50 +64\.00 +0\.00 +0\.00 +0\.00 +32\.00\n$`,
		"slack --window=1d --agent=S0":   `^Nothing has run\.\n$`,
	} {
		args := append(strings.Fields(line), "--interval=500ms")
		if strings.HasPrefix(line, "slack") {
			args = args[:len(args)-1]
		}
		if !strings.Contains(line, "--master=") {
			args = append(args, "--master="+m.at)
		}
		if code, out, err := typed(t, args...); code != 0 || err != "" || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("troupe %s: %d %s\n%s", line, code, err, out)
		}
	}
}

func TestTopForPrograms(t *testing.T) {
	m := using(t)
	code, out, err := typed(t, "top", "--json", "--agent=M-S0", "--interval=500ms", "--master="+m.at)
	var rows []row
	if bad := json.Unmarshal([]byte(out), &rows); code != 0 || err != "" || bad != nil || len(rows) != 3 {
		t.Fatalf("%d %s %v\n%s", code, err, bad, out)
	}
	if r := rows[2]; r.Name != "calm" || !r.Task || *r.CPU != 1 || *r.Throttled != 0.1 || *r.Mem != 1<<20 || r.FrameworkID != "F" {
		t.Errorf("%+v", r)
	}
	if rows[0].Disk != nil || rows[0].CPUs != nil {
		t.Errorf("what is unknown is %+v", rows[0])
	}
	for _, line := range []string{"top --json --interval=500ms", "slack --json"} {
		code, out, err := typed(t, append(strings.Fields(line), "--master="+m.at)...)
		if code != failed || !strings.Contains(err, "127.0.0.1:1") || !strings.HasPrefix(out, "[") {
			t.Errorf("troupe %s, with an agent that does not answer: %d %s\n%s", line, code, err, out)
		}
	}
}

func TestTopRefuses(t *testing.T) {
	m := using(t)
	for line, want := range map[string]string{
		"top --sort=size":         "--sort=\"size\" is none of cpu, disk, mem, name, processes, throttled",
		"top --interval=100ms":    "is below 500ms",
		"top --rows=-1":           "--rows",
		"top --agent=S9":          "no agent \"S9\"",
		"top --agent=127.0.0.1:1": "does not answer",
		"slack --window=2h":       "--window=\"2h\" is none of 1m, 10m, 1h, 1d",
		"slack --agent=S9":        "no agent \"S9\"",
	} {
		if code, out, err := typed(t, append(strings.Fields(line), "--master="+m.at)...); code == 0 || !strings.Contains(err, want) {
			t.Errorf("troupe %s: %d %s%s", line, code, out, err)
		}
	}
}

func figure(x float64) *float64 { return &x }

// Rates are of the time between two looks; a container that is new has none, and
// counts that go back are those of another.
func TestUseBetweenLooks(t *testing.T) {
	at := func(list ...client.Container) *look {
		return &look{[]answered[[]client.Container]{{Agent: "a:1", Answer: list}}}
	}
	c := func(id string, timestamp, user, periods, throttled float64) client.Container {
		return client.Container{ID: id, Task: id, Executor: id, Statistics: client.Statistics{
			Timestamp: timestamp, User: &user, System: figure(0), Periods: &periods, Throttled: &throttled,
		}}
	}
	rows := rowsOf(at(c("a", 10, 5, 100, 10), c("b", 10, 5, 0, 0), c("idle", 10, 5, 7, 7)),
		at(c("a", 12, 8, 120, 25), c("b", 12, 1, 0, 0), c("new", 12, 1, 1, 1), c("idle", 12, 5, 7, 7)))
	if len(rows) != 4 || *rows[0].CPU != 1.5 || *rows[0].Throttled != 0.75 || *rows[1].CPU != 0 || rows[2].CPU != nil || rows[2].Throttled != nil || *rows[3].Throttled != 0 {
		t.Errorf("%+v", rows)
	}
	if rows := rowsOf(nil, at(c("a", 1, 1, 1, 1))); len(rows) != 1 || rows[0].CPU != nil {
		t.Errorf("at first: %+v", rows)
	}
	for name, order := range orders {
		if order(rows[0], rows[0]) != 0 || order(rows[0], rows[2])*order(rows[2], rows[0]) >= 0 && name != "disk" {
			t.Errorf("%s is no order", name)
		}
	}
	slices.SortStableFunc(rows, orders["cpu"])
	if rows[0].Name != "a" || rows[3].Name != "new" {
		t.Errorf("by CPU: %+v", rows)
	}
}

// On a terminal as many rows are shown as fit.
func TestTopFits(t *testing.T) {
	var out bytes.Buffer
	rows := make([]row, 100)
	for i := range rows {
		rows[i].Name, rows[i].Task = fmt.Sprintf("t%02d", i), true
	}
	r := &reader{out: &out}
	silent := answered[[]client.Container]{Agent: "a:1", Err: context.DeadlineExceeded}
	if err := r.showTop(&topFlags{sort: "name"}, true, rows, &look{[]answered[[]client.Container]{silent}}); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != show.Height(r.out) || !strings.Contains(out.String(), "t19") || strings.Contains(out.String(), "t20") {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}
