package api_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"troupe/frameworks/cron/api"
	"troupe/frameworks/cron/client"
	"troupe/frameworks/cron/plan"
)

func names(t *testing.T, text string) []string {
	t.Helper()
	var all []struct{ Name string }
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	list := []string{}
	for _, j := range all {
		list = append(list, j.Name)
	}
	return list
}

func TestSearchAndTags(t *testing.T) {
	s := newSite(t, plan.Options{})
	for i := range 15 {
		s.must("POST", prefix+"/iso8601", fmt.Sprintf(`{"name":"job %02d","command":"Run %d","owner":"a%d@x",%s,"tags":{"odd":"%t","n":"%d"}}`, i, i, i, daily, i%2 == 1, i))
	}
	for query, want := range map[string]string{
		"":                    "job 00 job 01 job 02 job 03 job 04 job 05 job 06 job 07 job 08 job 09",
		"?limit=2&offset=12":  "job 12 job 13",
		"?limit=99&offset=13": "job 13 job 14",
		"?offset=100":         "",
		"?limit=0":            "",
		"?name=OB%2001":       "job 01",
		"?command=run+3":      "job 03",
		"?any=a14@":           "job 14",
		"?name=job&command=run+1&limit=2&offset=1": "job 10 job 11",
		"?any=nothing":             "",
		"?tag=odd=true&limit=3":    "job 01 job 03 job 05",
		"?tag=odd=true&tag=n=3":    "job 03",
		"?tag=none":                "",
		"?tag=n&limit=1&unknown=1": "job 00",
	} {
		if got := strings.Join(names(t, s.must("GET", prefix+"/jobs/search"+query, "")), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := names(t, s.must("GET", prefix+"/jobs?tag=odd=false&tag=n", "")); len(got) != 8 {
		t.Errorf("tagged: %v", got)
	}
	for _, query := range []string{"?limit=-1", "?offset=x", "?limit=99999999999999999999"} {
		if status, _, text := s.send("GET", prefix+"/jobs/search"+query, ""); status != 422 {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}

// Why a job does not run is told of every state it can be in.
func TestWhy(t *testing.T) {
	s := newSite(t, plan.Options{})
	s.must("POST", prefix+"/iso8601", `{"name":"a","command":"true",`+daily+`,"retries":1,"overlap":"kill-existing"}`)
	s.must("POST", prefix+"/iso8601", `{"name":"b","disabled":true,`+daily+`}`)
	s.must("POST", prefix+"/dependency", `{"name":"c","parents":["a","b"]}`)
	s.must("POST", prefix+"/iso8601", `{"name":"done","schedule":"R0//PT0M"}`)
	s.must("POST", prefix+"/iso8601", `{"name":"async","async":true,`+daily+`}`)
	says := func(name, want string) {
		t.Helper()
		if text := s.must("GET", prefix+"/job/why/"+name, ""); !strings.Contains(text, want) {
			t.Errorf("%s: %s; want %s", name, text, want)
		}
	}
	says("a", "it is due next at 2026-03-02T02:00:00.000Z")
	says("a", `"dependents":["c"]`)
	says("b", "it is disabled")
	says("c", "it waits for a to succeed, which is idle")
	says("c", "it waits for b to succeed, which is disabled")
	says("done", "no repetition of its schedule is left")
	s.must("PUT", prefix+"/job/a", "")
	says("a", "waits for an offer of 0.1 CPUs, 128 MiB of memory and 256 MiB of disk")
	s.world.Hold("a", "cpus: no agent has 0.1 left", "the master is out of reach")
	says("a", "has no place yet: cpus: no agent has 0.1 left")
	says("a", "has no place yet: the master is out of reach")
	says("c", "to succeed, which is queued")
	s.world.Start("a")
	says("a", "runs since 2026-03-01T12:00:00.000Z")
	s.world.End("a", plan.Failed, 1, "")
	says("a", "waits for attempt 2 of 2, at 2026-03-01T12:01:00.000Z")
	s.world.Pass(time.Minute)
	s.world.Start("a")
	s.world.End("a", plan.Failed, 1, "")
	says("c", "which is idle and failed last")
	s.must("PUT", prefix+"/job/success/a", "")
	s.must("PUT", prefix+"/job/success/b", "")
	says("c", "waits for an offer")
	s.must("PUT", prefix+"/job/async", "")
	s.world.Start("async")
	s.world.End("async", plan.Succeeded, 0, "")
	says("async", "waits for PUT task/")
}

// What is put is read at once, by whoever has the answer.
func TestWhatIsAnsweredIsRead(t *testing.T) {
	s := newSite(t, plan.Options{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				name := fmt.Sprintf("w%d-%d", w, i)
				j := client.Job{Name: name}
				if err := s.PutScheduled(t.Context(), j); err != nil {
					t.Error(err)
					return
				}
				if _, err := s.Job(t.Context(), name); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
	if all, err := s.Jobs(t.Context()); err != nil || len(all) != 100 || !slices.IsSortedFunc(all, func(a, b client.Job) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d jobs, %v", len(all), err)
	}
}

// Nothing of a refused job is there, and one that was there stays as it was.
func TestNothingHalfApplied(t *testing.T) {
	s := populated(t)
	before := s.must("GET", prefix+"/jobs", "")
	for _, body := range []string{
		`{"name":"ok","cpus":-1,"command":"other"}`, `{"name":"ok","schedule":"0 0 31 2 *"}`, `{"name":"ok","scheduleTimeZone":"Mars"}`,
		`{"name":"ok","constraints":[["a","EQUALS","b"],["a","UNLIKE","b"]]}`, `{"name":"new","uris":["x"],"fetch":[{"uri":"x"}]}`,
	} {
		if status, _, text := s.send("POST", prefix+"/iso8601", body); status != 422 {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	status, _, text := s.send("POST", prefix+"/dependency", `{"name":"ok","parents":["then","nobody"],"retries":-1}`)
	for _, want := range []string{`"path":"retries"`, `no job is called nobody`} {
		if status != 422 || !strings.Contains(text, want) {
			t.Errorf("%d %s; want %s", status, text, want)
		}
	}
	if status, _, text := s.send("POST", prefix+"/dependency", `{"name":"ok","parents":["then"]}`); status != 422 || !strings.Contains(text, "a cycle: ok → then → ok") {
		t.Errorf("%d %s", status, text)
	}
	if after := s.must("GET", prefix+"/jobs", ""); after != before {
		t.Errorf("jobs were\n%s\nand are\n%s", before, after)
	}
}

// Posting to the other endpoint makes a job of the other kind; a schedule that was
// shown goes on where it was.
func TestKindsChange(t *testing.T) {
	s := populated(t)
	s.must("POST", prefix+"/dependency", `{"name":"ok","parents":["async"]}`)
	if text := s.must("GET", prefix+"/job/ok", ""); strings.Contains(text, `"schedule"`) || !strings.Contains(text, `"parents":["async"]`) || !strings.Contains(text, `"successCount":1`) {
		t.Error(text)
	}
	s.must("POST", prefix+"/iso8601", `{"name":"ok","schedule":"R3/2026-03-01T12:30:00Z/PT1H"}`)
	s.world.Pass(2 * time.Hour)
	shown := s.must("GET", prefix+"/job/ok", "")
	if !strings.Contains(shown, `"schedule":"R1/2026-03-01T14:30:00.000Z/PT1H"`) {
		t.Error(shown)
	}
	s.must("POST", prefix+"/iso8601", shown)
	if again := s.must("GET", prefix+"/job/ok", ""); again != shown {
		t.Errorf("was\n%s\nis\n%s", shown, again)
	}
}

func TestMetrics(t *testing.T) {
	s := populated(t)
	var m api.Metrics
	if err := json.Unmarshal([]byte(s.must("GET", "/metrics", "")), &m); err != nil {
		t.Fatal(err)
	}
	if m.Gauges["jobs"].Value != 3 || m.Gauges["runs.awaited"].Value != 1 || m.Counters["jobs.run.success"].Count != 1 || m.Histograms["jobs.run.time.ok"]["p50"] != 90000 {
		t.Errorf("%+v", m)
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	r.Header.Set("Accept", "application/openmetrics-text;q=0.5,text/plain;version=0.0.4;q=0.3")
	w := httptest.NewRecorder()
	s.api.Handler(nil).ServeHTTP(w, r)
	for _, want := range []string{"# TYPE troupe_cron_jobs gauge\ntroupe_cron_jobs 3\n", `troupe_cron_runs{phase="awaited"} 1`, "troupe_cron_runs_succeeded_total 1\n"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s lacks %s", w.Body, want)
		}
	}
	if n := strings.Count(w.Body.String(), "# TYPE troupe_cron_runs gauge"); n != 1 {
		t.Errorf("a type is told %d times", n)
	}
}

func TestNextInZones(t *testing.T) {
	s := newSite(t, plan.Options{})
	s.must("POST", prefix+"/iso8601", `{"name":"a","schedule":"R2/2026-03-28T02:30:00Z/P1D","scheduleTimeZone":"Europe/Berlin"}`)
	s.must("POST", prefix+"/iso8601", `{"name":"month","schedule":"R/2026-01-31T00:00:00Z/P1M"}`)
	s.must("POST", prefix+"/iso8601", `{"name":"off","disabled":true,"schedule":"@daily"}`)
	s.must("POST", prefix+"/dependency", `{"name":"after","parents":["a"]}`)
	n, err := s.Next(t.Context(), "a", 10)
	if err != nil || len(n.Next) != 2 || n.Next[0].Local != "2026-03-28T02:30:00+01:00" || n.Next[1].Local != "2026-03-29T03:00:00+02:00" || !strings.Contains(n.Next[1].Note, "skip") {
		t.Errorf("%+v, %v", n, err)
	}
	// What began on the 31st comes back to it, though what is shown begins on another day.
	if n, err = s.Next(t.Context(), "month", 3); err != nil || n.Next[0].Time != "2026-03-31T00:00:00.000Z" || n.Next[1].Time != "2026-04-30T00:00:00.000Z" || n.Next[2].Time != "2026-05-31T00:00:00.000Z" {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err = s.Next(t.Context(), "off", 1); err != nil || !n.Disabled || len(n.Next) != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err = s.Next(t.Context(), "after", 1); err != nil || len(n.Next) != 0 {
		t.Errorf("%+v, %v", n, err)
	}
	// Who puts a job that begins in a gap is told so.
	for schedule, want := range map[string]string{"R/2026-03-29T02:30:00Z/P1D": "clocks skip 02:00 to 03:00", "R/2026-10-25T02:30:00Z/P1D": "clocks show 02:30 twice", "30 2 * * *": ""} {
		_, header, _ := s.send("POST", prefix+"/iso8601", `{"name":"gap","schedule":"`+schedule+`","scheduleTimeZone":"Europe/Berlin"}`)
		if note := header.Get(api.NoteHeader); !strings.HasPrefix(note, want) || (note == "") != (want == "") {
			t.Errorf("%s: %q", schedule, note)
		}
	}
	// What is late runs once, at once.
	if n, err = s.Preview(t.Context(), "R/2026-01-31T00:00:00Z/P1M", "", 2); err != nil || n.Next[0].Time != "2026-02-28T00:00:00.000Z" || n.Next[1].Time != "2026-03-31T00:00:00.000Z" {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err = s.Preview(t.Context(), "R0//PT0M", "", 2); err != nil || len(n.Next) != 0 {
		t.Errorf("%+v, %v", n, err)
	}
	for _, q := range []string{"", "?schedule=", "?schedule=@daily&scheduleTimeZone=Mars", "?schedule=@daily&n=x"} {
		if status, _, text := s.send("GET", prefix+"/preview"+q, ""); status != 422 {
			t.Errorf("%s: %d %s", q, status, text)
		}
	}
}

// Long lists are compressed for who takes that.
func TestLongListsAreCompressed(t *testing.T) {
	s := newSite(t, plan.Options{})
	for i := range 200 {
		s.world.Board.Publish(plan.Publish{Name: fmt.Sprint(i), View: &plan.View{Job: &plan.Job{Name: fmt.Sprint(i)}}})
	}
	r := httptest.NewRequest(http.MethodGet, prefix+"/jobs", http.NoBody)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	s.api.Handler(nil).ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || len(names(t, string(text))) != 200 {
		t.Errorf("%.100s, %v", text, err)
	}
}

// No request is answered with 500, and all answers that are refusals say why.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/v1/scheduler/iso8601", `{"name":"a","schedule":"@daily"}`)
	f.Add("PUT", "/scheduler/dependency", `{"name":"b","parents":["ok"]}`)
	f.Add("GET", "/v1/scheduler/jobs/search?limit=1&tag=a=b", "")
	f.Add("PUT", "/v1/scheduler/job/ok?arguments=x", "")
	f.Add("DELETE", "/v1/scheduler/job/ok?cascade", "")
	f.Add("PUT", "/v1/scheduler/task/ct:1:0:ok:1-1", `{"statusCode":1e9}`)
	f.Add("POST", "/v1/scheduler/job/ok/task/x/progress", `{"numAdditionalElementsProcessed":1}`)
	f.Add("GET", "/v1/scheduler/preview?schedule=R1/2026-02-29T00:00:00Z/P1D&n=1", "")
	f.Add("GET", "/scheduler/job/log/ok?task=x&stream=stdin&bytes=-1", "")
	s := populated(f)
	h := s.api.Handler(nil)
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") || strings.Contains(target, "/events") {
			return
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "http://h", strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL = u
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusBadGateway {
			t.Fatalf("%s %s %s: %d %s", method, target, body, w.Code, w.Body)
		}
		var refusal api.Refusal
		if w.Code >= 400 && !strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/logging") && (json.Unmarshal(w.Body.Bytes(), &refusal) != nil || refusal.Message == "") {
			t.Fatalf("%s %s: refused with %s", method, target, w.Body)
		}
	})
}

func BenchmarkJobs(b *testing.B) {
	for _, path := range []string{"/jobs", "/jobs/summary", "/graph/json"} {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			s := newSite(b, plan.Options{})
			for i := range 10_000 {
				name := fmt.Sprintf("job-%05d", i)
				s.world.Board.Publish(plan.Publish{Name: name, View: &plan.View{Job: &plan.Job{Name: name, Trigger: plan.Trigger{Schedule: "@daily"}}, Schedule: "@daily"}})
			}
			h := s.api.Handler(nil)
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, prefix+path, http.NoBody))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10_000, "µs/job")
		})
	}
}
