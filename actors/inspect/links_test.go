package inspect

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/actors/actortest"
)

// dialled is a system that listens, and one that does not and has dialled it:
// its address as the former knows it.
func dialled(t *testing.T, o Options) (asker *actors.System, of actors.PID) {
	t.Helper()
	asker, quiet := system(t), actortest.NewSystem(t, actors.Options{})
	o.OverLinks = true
	if err := Mount(quiet, o); err != nil {
		t.Fatal(err)
	}
	from := make(chan actors.PID, 1)
	door, err := asker.Spawn("door", initFunc(func(c *actors.Context) {
		actors.Handle(c, func(c *actors.Context, _ *wrapperspb.StringValue) { from <- c.Sender() })
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := quiet.Spawn("visitor", initFunc(func(c *actors.Context) {
		c.Link(door)
		c.Send(door, wrapperspb.String("hello"))
	})); err != nil {
		t.Fatal(err)
	}
	return asker, <-from
}

func forward(asker Asker, of actors.PID, method, target string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, target, nil)
	Forward(w, r, asker, of, r.URL.Path)
	return w
}

// What nobody can dial is seen by the one it has dialled.
func TestOverLinks(t *testing.T) {
	asker, of := dialled(t, Options{Log: new(LogLevel)})
	for _, test := range []struct {
		method, target string
		status         int
		has            string
	}{
		{"GET", "/metrics", 200, `troupe_actors_running{kind="visitor"} 1`},
		{"HEAD", "/health", 200, ""},
		{"GET", "/debug/pprof/cmdline", 200, ""},
		{"GET", "/debug/pprof/goroutine?debug=1", 200, "goroutine profile"},
		{"GET", "/debug/pprof/nonsense", 404, "Unknown profile"},
		{"GET", "/logging/toggle?level=debug&duration=1mins", 404, "there are /metrics"},
		{"GET", "/help", 404, "there are /metrics"},
		{"GET", "/metrics/../logging/toggle", 404, "there are /metrics"},
		{"POST", "/health", 405, "expecting GET"},
	} {
		if w := forward(asker, of, test.method, test.target); w.Code != test.status || !strings.Contains(w.Body.String(), test.has) {
			t.Errorf("%s %s: %d %s", test.method, test.target, w.Code, w.Body)
		}
	}
	var report Report
	if err := json.Unmarshal(forward(asker, of, "GET", "/actors").Body.Bytes(), &report); err != nil || len(report.Actors) != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	for target, status := range map[string]int{"/logging/toggle": 404, ":": 400} {
		response, err := Fetch(t.Context(), asker, of, target)
		if err != nil || response.StatusCode != status {
			t.Errorf("%q: %v, %v, want %d", target, response, err, status)
		}
	}
}

func TestForwardToNobody(t *testing.T) {
	asker := system(t)
	if w := forward(asker, actors.PID{Name: "x", Address: asker.Address()}, "GET", "/health"); w.Code != http.StatusBadGateway {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, of := dialled(t, Options{})
	w := httptest.NewRecorder()
	Forward(w, httptest.NewRequestWithContext(ctx, "GET", "/health", nil), silent{}, of, "/health")
	if w.Code != http.StatusGatewayTimeout {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A handler of a program's own may do what it likes: only its answer suffers.
func TestAnswersThatCannotBe(t *testing.T) {
	asker := system(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(http.ResponseWriter, *http.Request) { panic("told to") })
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		for range 2 {
			_, _ = w.Write(make([]byte, maxAnswer))
		}
	})
	mux.HandleFunc("/actors", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Location", "http://elsewhere")
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusFound)
	})
	pid, err := asker.Spawn(actorName, &overLinks{of: mux})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/health": "panicked", "/metrics": "larger than 8 MiB"} {
		response, err := Fetch(t.Context(), asker, pid, path)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 500 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s, %v", path, response.StatusCode, body, err)
		}
	}
	w := forward(asker, pid, "GET", "/actors")
	if h := w.Header(); w.Code != http.StatusBadGateway || h.Get("Location")+h.Get("Set-Cookie") != "" ||
		h.Get("Content-Type") != "application/octet-stream" || h.Get("Content-Security-Policy") != "sandbox" {
		t.Errorf("%d %v", w.Code, h)
	}
}

// A process that is asked for more than it answers at once says so.
func TestBusy(t *testing.T) {
	asker := system(t)
	entered, hold := make(chan bool, maxBusy), make(chan bool)
	pid, err := asker.Spawn(actorName, &overLinks{of: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- true
		<-hold
	})})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, maxBusy)
	for range maxBusy {
		go func() {
			_, err := Fetch(t.Context(), asker, pid, "/health")
			answered <- err
		}()
		<-entered
	}
	if w := forward(asker, pid, "GET", "/health"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(hold)
	for range maxBusy {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
	if w := forward(asker, pid, "GET", "/health"); w.Code != http.StatusOK {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

// Processes are told from each other by their labels, whatever they say.
func TestGathered(t *testing.T) {
	own := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "own", Help: "h"}, []string{"host", "a"})
	own.WithLabelValues("H9", "b").Set(7)
	asker, one := dialled(t, Options{Collectors: []prometheus.Collector{own}})
	liar, err := asker.Spawn(actorName, &overLinks{of: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE own counter\nown 5\n# TYPE more counter\nmore 6\ntroupe_process_answers 0\n")
	})})
	if err != nil {
		t.Fatal(err)
	}
	processes := []Process{
		{PID: one, Labels: map[string]string{"host": "H1"}},
		{PID: liar, Labels: map[string]string{"executor": "E\n\"1", "framework": "F"}},
		{PID: actors.PID{Name: "x", Address: "127.0.0.1:0", Incarnation: "gone"}, Labels: map[string]string{"host": "H2"}},
	}
	w := httptest.NewRecorder()
	ServeGathered(asker, func() []Process { return processes }).ServeHTTP(w, httptest.NewRequest("GET", "/metrics/processes", nil))
	for _, line := range []string{
		`own{a="b",host="H1"} 7`, `troupe_actors_running{host="H1",kind="visitor"} 1`, `more{executor="E\n\"1",framework="F"} 6`,
		`troupe_process_answers{host="H1"} 1`, `troupe_process_answers{host="H2"} 0`, `troupe_process_answers{executor="E\n\"1",framework="F"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("there is no %s", line)
		}
	}
	if strings.Contains(w.Body.String(), `own{executor`) {
		t.Error("figures of two kinds share a name")
	}
	w = httptest.NewRecorder()
	ServeGathered(asker, func() []Process { return nil }).ServeHTTP(w, httptest.NewRequest("POST", "/metrics/processes", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// FuzzGathered: what a process says of itself, nobody else's figures suffer.
func FuzzGathered(f *testing.F) {
	for _, text := range []string{"a 1\n", "# TYPE go_info counter\ngo_info 2\n", "a{host=\"x\"} NaN\n", "\x00", "a{", "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n"} {
		f.Add([]byte(text))
	}
	const good = "# TYPE go_info gauge\ngo_info 1\n"
	f.Fuzz(func(t *testing.T, text []byte) {
		says := answers{"good": []byte(good), "bad": text}
		w := httptest.NewRecorder()
		ServeGathered(says, func() []Process {
			return []Process{
				{PID: actors.PID{Address: "good"}, Labels: map[string]string{"host": "H1"}},
				{PID: actors.PID{Address: "bad"}, Labels: map[string]string{"executor": "E"}},
			}
		}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics/processes", nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "go_info{host=\"H1\"} 1\n") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
