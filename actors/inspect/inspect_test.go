package inspect

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/actors/actortest"
)

type initFunc func(c *actors.Context)

func (f initFunc) Init(c *actors.Context) { f(c) }

func system(t *testing.T) *actors.System {
	t.Helper()
	return actortest.NewSystem(t, actors.Options{Listen: "127.0.0.1:0"})
}

func get(t *testing.T, sys *actors.System, path string) (int, string) {
	t.Helper()
	answer, err := http.Get("http://" + sys.Address() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// busy is a system with one actor that has a child, has panicked, and holds a
// message; and with a dead letter and an unhandled message.
func busy(t *testing.T) (sys *actors.System, release func()) {
	sys = system(t)
	entered, hold := make(chan bool), make(chan bool)
	var parent initFunc = func(c *actors.Context) {
		actors.Handle(c, func(*actors.Context, *wrapperspb.StringValue) { panic("told to") })
		actors.Handle(c, func(*actors.Context, *wrapperspb.BoolValue) {
			entered <- true
			<-hold
		})
		if _, err := c.Spawn("parent/child", initFunc(func(*actors.Context) {})); err != nil {
			t.Error(err)
		}
	}
	pid, err := sys.Spawn("parent", parent, actors.WithRestart(func() actors.Actor { return parent }, 5, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	sys.Send(sys.PID("nobody"), &emptypb.Empty{})
	sys.Send(pid, &emptypb.Empty{})
	sys.Send(pid, wrapperspb.String(""))
	sys.Send(pid, wrapperspb.Bool(true))
	<-entered
	sys.Send(pid, &emptypb.Empty{})
	return sys, func() { close(hold) }
}

// TestReadingDoesNotWait reads a system whose actor is stuck.
func TestReadingDoesNotWait(t *testing.T) {
	sys, release := busy(t)
	defer release()
	if err := Mount(sys, Options{}); err != nil {
		t.Fatal(err)
	}
	var report Report
	code, body := get(t, sys, "/actors")
	if err := json.Unmarshal([]byte(body), &report); err != nil || code != http.StatusOK {
		t.Fatalf("%d %s: %v", code, body, err)
	}
	if len(report.Actors) != 2 || report.Actors[1].Parent != "parent" {
		t.Fatalf("actors: %s", body)
	}
	a := report.Actors[0]
	if a.Depth != 1 || a.Handled != 3 || a.Restarts != 1 || a.Panic == nil || a.Panic.Text != "told to" || a.Panic.While != "google.protobuf.StringValue" {
		t.Errorf("parent: %+v, panic %+v", a, a.Panic)
	}
	if len(report.DeadLetters) != 1 || report.DeadLetters[0].Type != "google.protobuf.Empty" || report.DeadLetters[0].Count != 1 {
		t.Errorf("dead letters: %+v", report.DeadLetters)
	}
	if len(report.Unhandled) != 1 || report.Unhandled[0].Count != 1 {
		t.Errorf("unhandled: %+v", report.Unhandled)
	}
	_, metrics := get(t, sys, "/metrics")
	for _, line := range []string{
		`troupe_actors_mailbox_depth{kind="parent"} 1`, `troupe_actors_running{kind="parent"} 2`,
		`troupe_actors_restarts_total{kind="parent"} 1`, `troupe_actors_dead_letters_total{type="google.protobuf.Empty"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("/metrics has no %s", line)
		}
	}
}

func TestHealthAndHelp(t *testing.T) {
	sys := system(t)
	var problem error
	if err := Mount(sys, Options{Healthy: func() error { return problem }}); err != nil {
		t.Fatal(err)
	}
	if code, _ := get(t, sys, "/health"); code != http.StatusOK {
		t.Errorf("healthy: %d", code)
	}
	problem = errors.New("the disk is full")
	if code, body := get(t, sys, "/health"); code != http.StatusServiceUnavailable || !strings.Contains(body, "the disk is full") {
		t.Errorf("unhealthy: %d %s", code, body)
	}
	if _, body := get(t, sys, "/help"); !strings.Contains(body, "/actors ") || !strings.Contains(body, "/debug/pprof/profile") {
		t.Errorf("help: %s", body)
	}
	if code, _ := get(t, sys, "/debug/pprof/cmdline"); code != http.StatusOK {
		t.Errorf("profiles: %d", code)
	}
}

func TestToggle(t *testing.T) {
	sys := system(t)
	level := zap.NewAtomicLevelAt(zapcore.InfoLevel)
	if err := Mount(sys, Options{Log: NewLogLevel(level)}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"?level=loud&duration=1mins": 400, "?level=debug": 400, "?level=debug&duration=0secs": 400,
		"?level=debug&duration=30days": 400, "?level=debug&duration=15mins": 200, "?level=error&duration=1m30s": 200, "": 200,
		"?level=1&duration=15mins": 200, "?level=4294967296&duration=15mins": 400, "?level=1": 400,
	} {
		if code, body := get(t, sys, "/logging/toggle"+query); code != want {
			t.Errorf("%s: %d %s, want %d", query, code, body, want)
		}
	}
}

func TestTheLevelComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := zap.NewAtomicLevelAt(zapcore.InfoLevel)
		log := NewLogLevel(level)
		if err := errors.Join(log.set(zapcore.DebugLevel, time.Minute), log.set(zapcore.ErrorLevel, time.Hour)); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Minute)
		if level.Level() != zapcore.ErrorLevel {
			t.Errorf("after 2 of 60 minutes: %v", level)
		}
		<-time.After(time.Hour)
		if level.Level() != zapcore.InfoLevel {
			t.Errorf("after an hour: %v", level)
		}
	})
}

func TestVerbosity(t *testing.T) {
	level := zap.NewAtomicLevelAt(zapcore.WarnLevel)
	log := NewLogLevel(level)
	for _, test := range []struct {
		set, want uint32
		level     zapcore.Level
	}{{0, 0, zapcore.WarnLevel}, {1, 1, zapcore.InfoLevel}, {2, 2, zapcore.DebugLevel}, {math.MaxUint32, 2, zapcore.DebugLevel}} {
		if err := log.SetVerbosity(test.set, time.Hour); err != nil || level.Level() != test.level || log.Verbosity() != test.want {
			t.Errorf("set to %d: %v, %d, %v", test.set, level, log.Verbosity(), err)
		}
	}
	for _, span := range []time.Duration{0, -1, 25 * time.Hour} {
		if err := log.SetVerbosity(1, span); err == nil {
			t.Errorf("for %v", span)
		}
	}
}

func TestWhatMesosClientsRead(t *testing.T) {
	sys := system(t)
	if err := Mount(sys, Options{}); err != nil {
		t.Fatal(err)
	}
	var figures map[string]float64
	_, body := get(t, sys, "/system/stats.json")
	if err := json.Unmarshal([]byte(body), &figures); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"avg_load_1min", "avg_load_5min", "avg_load_15min", "cpus_total", "mem_total_bytes", "mem_free_bytes"} {
		if _, there := figures[key]; !there || len(figures) != 6 {
			t.Errorf("%s is not in %v", key, figures)
		}
	}
	got, err := json.Marshal(processes([]actors.ActorInfo{{Name: "master", Depth: 2}, {Name: "idle"}}))
	if want := `[{"id":"master","events":[{"type":"MESSAGE"},{"type":"MESSAGE"}]},{"id":"idle","events":[]}]`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if n := len(processes([]actors.ActorInfo{{Depth: 1 << 40}})[0].Events); n != maxEvents {
		t.Errorf("%d events are shown", n)
	}
	if code, body := get(t, sys, "/__processes__"); code != http.StatusOK || !strings.HasPrefix(body, "[") {
		t.Errorf("/__processes__: %d %s", code, body)
	}
}

// Documents are read, and delivered as the wiring has it.
func TestDocumentsAreDelivered(t *testing.T) {
	plain, wired := system(t), system(t)
	if err := Mount(plain, Options{}); err != nil {
		t.Fatal(err)
	}
	deliver := func(w http.ResponseWriter, r *http.Request, write func(io.Writer) error) {
		_, _ = io.WriteString(w, r.FormValue("jsonp")+"(")
		if err := write(w); err != nil {
			t.Error(err)
		}
	}
	if err := Mount(wired, Options{Deliver: deliver}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/actors", "/__processes__", "/system/stats.json"} {
		for _, sys := range []*actors.System{plain, wired} {
			answer, err := http.Post("http://"+sys.Address()+path, "text/plain", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("POST %s: %d, %v, %v", path, answer.StatusCode, answer.Header, err)
			}
		}
		if code, body := get(t, plain, path+"?jsonp=f"); code != http.StatusOK || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %s", path, code, body)
		}
		if code, body := get(t, wired, path+"?jsonp=f"); code != http.StatusOK || !strings.HasPrefix(body, "f(") || !json.Valid([]byte(body[2:])) {
			t.Errorf("%s by the wiring: %d %s", path, code, body)
		}
	}
}

func TestTwoOfAName(t *testing.T) {
	sys := system(t)
	if err := Mount(sys, Options{Collectors: []prometheus.Collector{&collector{sys: sys}}}); err == nil {
		t.Error("no error")
	}
}
