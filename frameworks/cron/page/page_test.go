package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/cron/api"
	"troupe/frameworks/cron/api/apitest"
	"troupe/frameworks/cron/client"
	"troupe/frameworks/cron/page"
	"troupe/frameworks/cron/plan"
	"troupe/tools/browsertest"
)

// site is a cron framework in memory, with its page in a browser.
type site struct {
	*browsertest.Browser
	t     *testing.T
	world *apitest.World
	api   *client.Client
	url   string
}

func newSite(t *testing.T, width, height int) *site {
	w := apitest.New(time.Now().Add(-10*time.Minute), plan.Options{})
	s := api.New(api.Options{Planner: w, Board: &w.Board, Cluster: w, Now: w.Now})
	server := httptest.NewServer(s.Handler(page.Handler(http.HandlerFunc(api.NotFound))))
	t.Cleanup(func() {
		s.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return &site{browsertest.New(t, width, height), t, w, &client.Client{URL: server.URL}, server.URL}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// go goes to a view, and waits for its heading.
func (s *site) show(view, heading string) {
	s.t.Helper()
	s.Open(s.url + "/#/" + view)
	s.WaitText("h1", heading)
}

// populate puts jobs of every state: ingest succeeded, prices failed, backup runs,
// train has no place, mail is disabled.
func (s *site) populate() {
	s.t.Helper()
	ctx := s.t.Context()
	none := 0
	job := func(name, command, schedule string, parents ...string) client.Job {
		j := client.Job{Name: name, Program: client.Program{Command: command}}
		j.Schedule, j.Parents, j.Retries = schedule, parents, &none
		return j
	}
	start := s.world.Now().UTC().Add(3 * time.Hour).Format("2006-01-02T15:00:00Z")
	ingest := job("ingest", "fetch --all", "R/"+start+"/PT1H")
	ingest.Tags = map[string]string{"team": "data"}
	ingest.Owner, ingest.Description = "ada@example.org", "Brings in what came since the last hour."
	backup := job("backup", "tar cf - /srv | store", "30 2 * * *")
	backup.Zone = "Europe/Berlin"
	mail := job("mail", "send report", "", "report")
	mail.Disabled = true
	train := job("train", "python3 train.py", "@daily")
	train.Constraints = [][3]string{{"gpu", "EQUALS", "yes"}}
	for _, j := range []client.Job{
		ingest, job("prices", "fetch --prices", "R/"+start+"/PT2H"), backup, train, job("clean", "clean", "", "ingest"),
		job("report", "make report", "", "clean", "prices"), mail, job("archive", "archive", "", "clean"),
	} {
		if len(j.Parents) > 0 {
			s.must(s.api.PutDependent(ctx, j))
		} else {
			s.must(s.api.PutScheduled(ctx, j))
		}
	}
	s.must(s.api.Run(ctx, "ingest", ""))
	s.world.Start("ingest")
	s.world.Pass(75 * time.Second)
	s.world.End("ingest", plan.Succeeded, 0, "Command exited with status 0")
	s.world.Start("clean")
	s.world.Pass(20 * time.Second)
	s.world.End("clean", plan.Succeeded, 0, "Command exited with status 0")
	s.must(s.api.Run(ctx, "prices", ""))
	s.world.Start("prices")
	s.world.Pass(2 * time.Second)
	s.world.End("prices", plan.Failed, 3, "Command exited with status 3: no route to host")
	s.must(s.api.Run(ctx, "backup", ""))
	s.world.Start("backup")
	s.world.Hold("train", "gpu EQUALS yes: none of 12 agents is like that", "cpus: 3 agents have less than 0.1 left")
	s.must(s.api.Run(ctx, "train", "--epochs 3"))
}

func TestJobs(t *testing.T) {
	s := newSite(t, 1200, 800)
	s.populate()
	s.show("jobs", "Jobs")
	s.WaitText("caption", "8 of 8 jobs")
	s.WaitText("#connection", "live")
	for _, want := range []string{"succeeded", "failed", "never ran", "1 running", "queued", "idle", "disabled", "team=data", "after clean, prices"} {
		if !strings.Contains(s.Text("main"), want) {
			t.Errorf("nothing says %q", want)
		}
	}
	s.Picture("jobs")

	s.Click("#panel-Failed")
	s.WaitText("caption", "1 of 8 jobs")
	s.WaitText("tbody", "prices")
	s.Click("#panel-All")
	s.Fill("#search", "DATA")
	s.WaitText("caption", "1 of 8 jobs")
	s.WaitText("tbody", "ingest")
	s.Fill("#search", "no such thing")
	s.WaitText("main", "No job is like that")
	s.Fill("#search", "")
	s.WaitText("caption", "8 of 8 jobs")

	s.Click("#run-prices")
	s.WaitText("#notices", "prices is on its way")
	s.Wait(`document.querySelector("#run-prices").closest("tr").innerText.includes("queued")`) // by the stream
	s.world.Start("prices")
	s.Wait(`document.querySelector("#run-prices").closest("tr").innerText.includes("1 running")`)
	s.world.End("prices", plan.Succeeded, 0, "")
	s.Wait(`document.querySelector("#run-prices").closest("tr").innerText.includes("succeeded")`)
	s.world.Start("train")
	s.world.End("train", plan.Failed, 9, "")
	s.world.End("backup", plan.Succeeded, 0, "")
	s.Wait(`document.querySelector("#announced").textContent === "train: failed, exit code 9"`)
	s.must(s.api.Delete(t.Context(), "train", false))
	s.WaitText("caption", "7 of 7 jobs")
}

func TestJob(t *testing.T) {
	s := newSite(t, 1200, 800)
	s.populate()
	s.show("job/train", "train")
	s.WaitText(".reasons", "none of 12 agents is like that")
	s.WaitText("main", "--epochs 3")
	s.Wait(`document.querySelectorAll("section[aria-labelledby=next] tbody tr").length === 10`)
	s.Picture("queued")

	s.show("job/prices", "prices")
	s.WaitText("main", "no route to host")
	s.Wait(`[...document.querySelectorAll("td.number")].some((e) => e.innerText === "3")`) // the exit code
	s.Picture("failed")
	s.Click("#run")
	s.WaitText("dialog", "Run prices now")
	s.Fill("#arguments", "--since monday")
	s.Press(browsertest.Enter)
	s.WaitText("main", "--since monday")
	s.WaitText("main", "launched")
	s.world.Start("prices")
	s.WaitText("main", "running")
	s.Click("#kill")
	s.WaitText("dialog", "Kill all runs of prices?")
	s.Click("dialog button.first")
	s.WaitText("main", "killed")
	s.WaitText("main", "143")
	s.Wait(`document.querySelector("#announced").textContent === "prices: killed"`)

	s.Click("#toggle")
	s.WaitText("#toggle", "Enable")
	s.WaitText(".reasons", "it is disabled")
	// Though the view is made anew, the focus stays where it was.
	s.Eval(`document.querySelectorAll("tbody a[href*=stderr]")[1].focus()`, nil)
	s.must(s.api.Run(t.Context(), "prices", "once more"))
	s.WaitText("main", "once more")
	s.must(s.api.Kill(t.Context(), "prices"))
	s.Wait(`!document.querySelector("main").innerText.includes("once more") && document.activeElement.matches("tbody a[href*=stderr]")`)
	s.Click("#toggle")
	s.WaitText("#toggle", "Disable")
	s.WaitText(".reasons", "it is due next at")
	s.Click("#success")
	s.WaitText("dialog", "Mark prices as successful?")
	s.Click("dialog button.first")
	s.WaitText("#notices", "prices counts as successful")
	if tasks := s.world.Tasks("report"); len(tasks) != 1 { // clean has succeeded before
		t.Errorf("what depends on it has the tasks %v", tasks)
	}
}

func TestLogs(t *testing.T) {
	s := newSite(t, 1200, 800)
	s.populate()
	s.show("job/prices", "prices")
	s.Click(`tbody a[href*="/stdout"]`)
	s.WaitText("h1", "stdout of prices")
	s.WaitText("#log", "<b>& the last line</b>")
	s.Click("#other")
	s.WaitText("h1", "stderr of prices")
	s.WaitText("#log", "stderr of ct:")
	s.show("log/prices/other/stdout", "stdout of prices")
	s.WaitText("[role=alert]", "no run of prices")
}

func TestGraph(t *testing.T) {
	s := newSite(t, 1200, 800)
	s.populate()
	s.show("graph", "Graph")
	s.WaitText("main", "6 of 8 jobs depend on each other")
	s.Wait(`document.querySelectorAll(".graph a").length === 6 && document.querySelectorAll(".graph .edge").length === 5`)
	s.Wait(`document.querySelectorAll(".graph .edge.done").length === 1`) // clean, for report
	s.Picture("graph")
	var right bool
	s.Eval(`(() => { const x = (n) => document.getElementById("node-" + n).getBBox().x; return x("ingest") < x("clean") && x("clean") < x("report") && x("report") < x("mail") && x("prices") < x("report"); })()`, &right)
	if !right {
		t.Error("a job is drawn left of one of its parents")
	}
	var labels []string
	s.Eval(`[...document.querySelectorAll(".graph a")].map((a) => a.getAttribute("aria-label"))`, &labels)
	if all := strings.Join(labels, "\n"); !strings.Contains(all, "report: never ran; after clean, prices") || !strings.Contains(all, "prices: failed") {
		t.Errorf("labels:\n%s", all)
	}
	s.must(s.api.Run(t.Context(), "archive", ""))
	s.Wait(`document.querySelector("#node-archive text.state").textContent === "queued"`)
	s.Click("#node-report rect")
	s.WaitText("h1", "report")
}

// Of many jobs the list shows some, and finds the others; what is scrolled to stays.
func TestManyJobs(t *testing.T) {
	s := newSite(t, 1000, 500)
	for i := range 700 {
		j := &plan.Job{Name: fmt.Sprintf("job-%03d", i), Trigger: plan.Trigger{Parents: []string{fmt.Sprintf("job-%03d", i-i%50)}}}
		if i%50 == 0 {
			j.Trigger = plan.Trigger{Schedule: "@daily"}
		}
		s.world.Board.Publish(plan.Publish{Name: j.Name, View: &plan.View{Job: j, State: plan.State{Joined: make([]int, len(j.Trigger.Parents))}}})
	}
	s.show("jobs", "Jobs")
	s.WaitText("caption", "700 of 700 jobs, the first 500 of them")
	s.Wait(`document.querySelectorAll("tbody tr").length === 500`)
	s.Fill("#search", "job-69")
	s.WaitText("caption", "10 of 700 jobs")

	s.show("graph", "Graph")
	s.Wait(`document.querySelectorAll(".graph a").length === 700`)
	s.Eval(`document.querySelector("#graph").scrollTo(0, 300)`, nil)
	j := &plan.Job{Name: "one-more", Trigger: plan.Trigger{Parents: []string{"job-000"}}}
	s.world.Board.Publish(plan.Publish{Name: j.Name, View: &plan.View{Job: j, State: plan.State{Joined: []int{1}}}})
	s.Wait(`document.querySelectorAll(".graph a").length === 701 && document.querySelector("#graph").scrollTop === 300`)
}

func TestCreateAndEdit(t *testing.T) {
	s := newSite(t, 1200, 800)
	s.populate()
	s.show("new", "New job")
	s.WaitText("#preview", "Without a schedule it runs once, now.")
	s.Fill("#f-name", "a/b")
	s.Fill("#f-command", "echo hello")
	s.Fill("#f-schedule", "30 2 30 2 *")
	s.WaitText("#preview", "never")
	s.Fill("#f-cpus", "many")
	s.Fill("#f-constraints", "rack EQUALS a\nrack EQUALS b")
	s.Click("#save")
	s.WaitText("#wrong", "4 fields are wrong")
	s.WaitText("#wrong-name", "are a name")
	s.WaitText("#wrong-schedule", "position")
	s.WaitText("#wrong-cpus", "a number is expected")
	s.WaitText("#wrong-constraints", "impossible")
	s.Wait(`document.activeElement.id === "f-name" && document.activeElement.getAttribute("aria-invalid") === "true"`)
	s.Picture("errors")

	s.Fill("#f-name", "hello world")
	s.Fill("#f-schedule", "30 2 * * mon-fri")
	s.Fill("#f-scheduleTimeZone", "Europe/Berlin")
	s.WaitText("#preview", "02:30:00")
	s.Fill("#f-cpus", "0.5")
	s.Fill("#f-constraints", "rack LIKE a b.*")
	s.Fill("#f-environmentVariables", "A=1=2\nB=\nC=\"x\\ny\"")
	s.Fill("#f-tags", "team=red")
	s.Fill("#f-files", "http://h/x.tgz")
	s.Fill("#f-container", `{"type":"DOCKER","image":"i:1"}`)
	s.Eval(`document.querySelector("#f-overlap").value = "kill-existing"`, nil)
	s.Click("#save")
	s.WaitText("h1", "hello world")
	s.WaitText("#notices", "hello world is saved")

	got, err := s.api.Job(t.Context(), "hello world")
	s.must(err)
	text, err := json.Marshal(got)
	s.must(err)
	for _, want := range []string{
		`"schedule":"30 2 * * mon-fri"`, `"cpus":0.5`, `["rack","LIKE","a b.*"]`, `{"name":"A","value":"1=2"}`, `{"name":"C","value":"x\ny"}`,
		`"tags":{"team":"red"}`, `"uris":["http://h/x.tgz"]`, `"image":"i:1"`, `"overlap":"kill-existing"`, `"retries":2`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}

	s.Click("#edit")
	s.WaitText("h1", "Edit hello world")
	s.Click("#kind-parents")
	s.Fill("#f-parents", "ingest, nobody")
	s.Click("#save")
	s.WaitText("#wrong-parents", "no job is called nobody")
	s.Fill("#f-parents", "ingest, prices")
	s.Click("#save")
	s.WaitText("h1", "hello world")
	s.WaitText("main", "It runs after ingest, prices.")
	again, err := s.api.Job(t.Context(), "hello world")
	s.must(err)
	if again.Schedule != "" || len(again.Parents) != 2 || len(again.Environment) != 3 || again.Overlap != "kill-existing" || again.Environment[2].Value != "x\ny" {
		t.Errorf("%+v", again)
	}

	s.show("job/ingest", "ingest")
	s.Click("#delete")
	s.WaitText("dialog", "Delete ingest?")
	s.Click("dialog button.first")
	s.WaitText("dialog", "all that depend on it?")
	s.WaitText("dialog", "hello world")
	s.Click("dialog button.first")
	s.WaitText("h1", "Jobs")
	s.WaitText("caption", "of 3 jobs")
}

// Whatever a job says of itself is text, and nothing else.
func TestEscapes(t *testing.T) {
	s := newSite(t, 1200, 800)
	evil := `<script>document.title="evil"</script><img src=x onerror='document.title="evil"'>"'&`
	v := &plan.View{
		Job: &plan.Job{
			Name: evil, Trigger: plan.Trigger{Parents: []string{evil + "2"}}, Command: plan.Command{Text: evil, Arguments: []string{evil}},
			About:       plan.About{Owner: evil, OwnerName: evil, Description: evil, Tags: map[string]string{evil: evil}},
			Environment: []plan.Pair{{Name: evil, Value: evil}}, Fetch: []plan.Fetch{{URI: evil}}, Constraints: [][3]string{{evil, "EQUALS", evil}},
			Container: &plan.Container{Type: "DOCKER", Image: evil},
		},
		State: plan.State{Joined: []int{0}, History: []plan.Attempt{{Task: evil, Outcome: plan.Outcome(evil), Agent: evil, Message: evil}}},
		Runs:  []plan.Run{{Job: evil, Phase: plan.Phase(evil), Arguments: evil}}, Children: []string{evil},
	}
	other := &plan.View{Job: &plan.Job{Name: evil + "2", Trigger: plan.Trigger{Schedule: "@daily"}}, State: plan.State{Schedule: "@daily"}, Schedule: "@daily"}
	s.world.Board.Publish(plan.Publish{Name: evil, View: v})
	s.world.Board.Publish(plan.Publish{Name: evil + "2", View: other})
	path := url.PathEscape(evil)
	for view, heading := range map[string]string{
		"jobs": "Jobs", "graph": "Graph", "new": "New job", "job/" + path: evil, "edit/" + path: "Edit " + evil,
		"log/" + path + "/" + path + "/stdout": "stdout of",
	} {
		s.show(view, heading)
		s.Wait(`!document.title.includes("evil") || document.title.includes("<script>")`)
		var elements int
		s.Eval(`document.querySelectorAll("main script, main img, #notices script").length`, &elements)
		if elements != 0 {
			t.Errorf("%s: %d elements come from a job", view, elements)
		}
	}
	var found bool
	s.show("jobs", "Jobs")
	s.Eval(fmt.Sprintf(`document.querySelector("tbody").innerText.includes(%q)`, `<script>document`), &found)
	if !found {
		t.Error("the name of the job is not shown as it is")
	}
}

// All by keys: find a job, run it, make a new one, and mend what is wrong with it.
func TestKeysAlone(t *testing.T) {
	s := newSite(t, 1200, 800)
	s.populate()
	s.show("jobs", "Jobs")
	s.Eval(`document.body.focus()`, nil)
	s.TabTo("#skip")
	s.Press(browsertest.Enter)
	s.Wait(`document.activeElement.id === "main"`)
	s.TabTo("#search")
	s.Press("prices")
	s.WaitText("caption", "1 of 8 jobs")
	s.Wait(`document.activeElement.id === "search"`) // though the list was made anew
	s.TabTo(`tbody a[href="#/job/prices"]`)
	s.Press(browsertest.Enter)
	s.WaitText("h1", "prices")
	s.Wait(`document.activeElement.id === "main"`)
	s.TabTo("#run")
	s.Press(browsertest.Enter)
	s.WaitText("dialog", "Run prices now")
	s.Wait(`document.activeElement.id === "arguments"`)
	s.Press(browsertest.Escape)
	s.Wait(`!document.querySelector("dialog") && document.activeElement.id === "run"`)
	s.Press(browsertest.Enter)
	s.WaitText("dialog", "Run prices now")
	s.Press("--quickly", browsertest.Enter)
	s.WaitText("main", "--quickly")
	s.Wait(`document.activeElement.id === "run"`)

	s.TabTo(`nav a[href="#/new"]`)
	s.Press(browsertest.Enter)
	s.WaitText("h1", "New job")
	s.TabTo("#f-name")
	s.Press("by keys")
	s.TabTo("#f-command")
	s.Press("echo")
	s.TabTo("#f-schedule")
	s.Press("every day", browsertest.Enter)
	s.Wait(`document.activeElement.id === "f-schedule" && document.activeElement.getAttribute("aria-invalid") === "true"`)
	s.Eval(`document.activeElement.select()`, nil)
	s.Press("@daily", browsertest.Enter)
	s.WaitText("h1", "by keys")
	if _, err := s.api.Job(context.Background(), "by keys"); err != nil {
		t.Error(err)
	}
	s.show("graph", "Graph")
	s.TabTo("#node-report")
	var ring string
	s.Eval(`getComputedStyle(document.querySelector("#node-report rect")).strokeWidth`, &ring)
	if ring != "3px" {
		t.Errorf("where the focus is in the graph is not seen: %s", ring)
	}
	s.Press(browsertest.Enter)
	s.WaitText("h1", "report")
}

// Every view in light and dark, with what screen readers are told of it.
func TestEveryViewForEverybody(t *testing.T) {
	s := newSite(t, 1100, 800)
	s.populate()
	task := s.world.Board.Job("prices").State.History[0].Task
	for _, dark := range []bool{false, true} {
		s.Dark(dark)
		for _, v := range []struct{ view, heading string }{
			{"jobs", "Jobs"},
			{"graph", "Graph"},
			{"job/prices", "prices"},
			{"job/backup", "backup"},
			{"job/report", "report"},
			{"new", "New job"},
			{"edit/ingest", "Edit ingest"},
			{"log/prices/" + url.PathEscape(task) + "/stdout", "stdout of prices"},
			{"job/none", "none"},
			{"nowhere", "There is no such page"},
		} {
			s.show(v.view, v.heading)
			s.CheckTree()
			s.CheckContrast()
			s.Picture(fmt.Sprintf("%s-dark=%t", strings.NewReplacer("/", "-", ":", "-", "%", "").Replace(v.view), dark))
			var wide bool
			s.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
			if wide {
				t.Errorf("%s is wider than the window", v.view)
			}
		}
	}
	s.show("job/prices", "prices")
	s.Click("#run")
	s.WaitText("dialog", "Run prices now")
	s.CheckNames()
	s.CheckContrast()
	s.Picture("dialog")
}

// On a small screen nothing but tables and the graph is wider than the window.
func TestNarrow(t *testing.T) {
	s := newSite(t, 380, 700)
	s.populate()
	for view, heading := range map[string]string{"jobs": "Jobs", "job/prices": "prices", "new": "New job", "graph": "Graph"} {
		s.show(view, heading)
		var wide bool
		s.Eval(`document.documentElement.scrollWidth > innerWidth`, &wide)
		if wide {
			t.Errorf("%s is wider than the window", view)
		}
		s.Picture("narrow-" + strings.ReplaceAll(view, "/", "-"))
	}
}

// Every file is there; none makes HTML of text, or loads anything from elsewhere.
func TestFiles(t *testing.T) {
	h := page.Handler(nil)
	err := fs.WalkDir(os.DirFS("ui"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		w := httptest.NewRecorder()
		at := "/" + strings.TrimSuffix(path, "index.html")
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, at, nil))
		text := w.Body.String()
		if w.Code != 200 || text == "" {
			t.Errorf("%s: %d", path, w.Code)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "https://"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s", path, bad)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
