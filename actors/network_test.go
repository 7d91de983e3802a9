package actors

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func text(s string) *wrapperspb.StringValue { return wrapperspb.String(s) }

// patience bounds every wait; it is never waited for when all is well.
const patience = 3 * time.Minute

// listening is a system on a free port of this machine.
func listening(t *testing.T) *System {
	t.Helper()
	return newSystem(t, Options{Listen: "127.0.0.1:0"})
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func answerText(c *Context) {
	Handle(c, func(c *Context, m *wrapperspb.StringValue) { c.Reply(text("echo " + m.Value)) })
}

func TestAskAcrossSystems(t *testing.T) {
	a, b := listening(t), listening(t)
	echoing := spawn(t, b, "echo", answerText)
	answer, err := a.Ask(t.Context(), echoing, text("hello"))
	if err != nil || answer.(*wrapperspb.StringValue).Value != "echo hello" {
		t.Fatalf("from outside: %v, %v", answer, err)
	}
	answers := make(chan string, 1)
	spawn(t, a, "asker", func(c *Context) {
		c.Ask(echoing, text("you"), patience, func(m proto.Message, err error) {
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- m.(*wrapperspb.StringValue).Value
		})
	})
	if got := receive(t, answers); got != "echo you" {
		t.Errorf("from an actor: %q", got)
	}
}

// TestNobodyNeedsToListen has a system that cannot be dialed told things over
// the link that it opened.
func TestNobodyNeedsToListen(t *testing.T) {
	b := listening(t)
	a := newSystem(t, Options{})
	got := make(chan string, 1)
	spawn(t, b, "greeter", func(c *Context) {
		Handle(c, func(c *Context, m *wrapperspb.StringValue) { c.Send(c.Sender(), text("hello "+m.Value)) })
	})
	spawn(t, a, "guest", func(c *Context) {
		Handle(c, func(_ *Context, m *wrapperspb.StringValue) { got <- m.Value })
		c.Send(PID{Name: "greeter", Address: b.Address()}, text("guest"))
	})
	if text := receive(t, got); text != "hello guest" {
		t.Errorf("got %q", text)
	}
}

func TestLinksAcrossSystems(t *testing.T) {
	a, b := listening(t), listening(t)
	watched := spawn(t, b, "watched", func(c *Context) {
		Handle(c, func(c *Context, m *wrapperspb.StringValue) {
			for range 100 {
				c.Send(c.Sender(), m)
			}
			c.Stop()
		})
	})
	type note struct {
		messages int
		exited   Exited
	}
	notes := make(chan note, 10)
	spawn(t, a, "watcher", func(c *Context) {
		var n note
		Handle(c, func(*Context, *wrapperspb.StringValue) { n.messages++ })
		c.HandleExited(func(_ *Context, e Exited) {
			n.exited = e
			notes <- n
		})
		c.Link(watched)
		c.Link(PID{Name: "nobody", Address: b.Address()})
		c.Send(watched, text("end"))
	})
	for range 2 {
		n := receive(t, notes)
		switch n.exited.PID.Name {
		case "nobody":
		case "watched":
			if n.messages != 100 {
				t.Errorf("Exited after %d of 100 messages", n.messages)
			}
		default:
			t.Errorf("Exited of %v", n.exited.PID)
		}
	}
	select {
	case n := <-notes:
		t.Errorf("a third Exited: %v", n.exited)
	default:
	}
}

func TestALostSystemIsAnExit(t *testing.T) {
	a, b := listening(t), listening(t)
	target := spawn(t, b, "target", answerText)
	exits := make(chan Exited, 1)
	linked := make(chan bool, 1)
	spawn(t, a, "watcher", func(c *Context) {
		c.HandleExited(func(_ *Context, e Exited) { exits <- e })
		c.Link(target)
		c.Ask(target, text("x"), patience, func(_ proto.Message, err error) { linked <- err == nil })
	})
	if !receive(t, linked) {
		t.Fatal("no answer")
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := receive(t, exits); e.PID != target {
		t.Errorf("Exited of %v, want %v", e.PID, target)
	}
}

func TestAnEarlierIncarnationIsNotReached(t *testing.T) {
	a := listening(t)
	b := newSystem(t, Options{Listen: "127.0.0.1:0"})
	old := spawn(t, b, "service", answerText)
	if _, err := a.Ask(t.Context(), old, text("x")); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := newSystem(t, Options{Listen: b.Address()})
	reached := make(chan bool, 10)
	fresh := spawn(t, again, "service", func(c *Context) {
		Handle(c, func(c *Context, m *wrapperspb.StringValue) {
			reached <- true
			c.Reply(m)
		})
	})
	if _, err := a.Ask(t.Context(), old, text("x")); !errors.Is(err, ErrUndelivered) {
		t.Errorf("a message to the earlier incarnation: %v", err)
	}
	// Until a has noticed the end of its link, anything but its peer is stale.
	for deadline := time.Now().Add(patience); ; {
		_, err := a.Ask(t.Context(), fresh, text("x"))
		if err == nil {
			break
		}
		if !errors.Is(err, ErrUndelivered) || time.Now().After(deadline) {
			t.Fatalf("the later incarnation: %v", err)
		}
	}
	if len(reached) != 1 {
		t.Errorf("%d messages arrived, want 1", len(reached))
	}
}

func TestHTTPOnTheSamePort(t *testing.T) {
	s := listening(t)
	s.Route("/hello", "greets", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	answer, err := http.Get("http://" + s.Address() + "/hello")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != "hello" {
		t.Errorf("%q, %v", body, err)
	}
	if list := s.Routes(); len(list) != 1 || list[0] != (Routed{Pattern: "/hello", Help: "greets"}) {
		t.Errorf("routes: %v", list)
	}
}

// A system whose routes are not all mounted says so, whatever is asked for.
// What has no route is served by one handler, which sees paths as they came.
func TestRouteRest(t *testing.T) {
	s := listening(t)
	s.Route("/hello", "greets", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	get := func(path string) (int, string) {
		t.Helper()
		r, err := http.Get("http://" + s.Address() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err := errors.Join(err, r.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	if status, _ := get("/other"); status != http.StatusNotFound {
		t.Errorf("before: %d", status)
	}
	s.RouteRest("the rest", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	for _, path := range []string{"/", "/other", "/v2/apps//a", "/a/../b", "/hello/you"} {
		if status, body := get(path); status != http.StatusOK || body != path {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if status, _ := get("/hello"); status != http.StatusTeapot {
		t.Errorf("a route: %d", status)
	}
}

func TestHTTPWaitsForTheRoutes(t *testing.T) {
	s := newSystem(t, Options{Listen: "127.0.0.1:0", Unready: true})
	s.Route("/early", "is there", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, ready := range []bool{false, true} {
		if ready {
			s.Ready()
		}
		for path, want := range map[string]int{"/early": http.StatusOK, "/late": http.StatusNotFound} {
			answer, err := http.Get("http://" + s.Address() + path)
			if err != nil {
				t.Fatal(err)
			}
			if err := answer.Body.Close(); err != nil {
				t.Error(err)
			}
			if !ready {
				want = http.StatusServiceUnavailable
			}
			if again := answer.Header.Get("Retry-After"); answer.StatusCode != want || (again != "") == ready {
				t.Errorf("%s, ready %v: status %d, want %d; Retry-After %q", path, ready, answer.StatusCode, want, again)
			}
		}
	}
}

func TestPortsInUseAreNamed(t *testing.T) {
	s := listening(t)
	if _, err := New(Options{Listen: s.Address()}); err == nil || !strings.Contains(err.Error(), s.Address()) {
		t.Errorf("got %v", err)
	}
}

func TestAdvertise(t *testing.T) {
	for advertise, want := range map[string]string{"agent7": "agent7:", "agent7:99": "agent7:99", "": "127.0.0.1:"} {
		s := newSystem(t, Options{Listen: "127.0.0.1:0", Advertise: advertise})
		if !strings.HasPrefix(s.Address(), want) {
			t.Errorf("advertise %q: %q, want %q…", advertise, s.Address(), want)
		}
	}
}

// TestAWaitingHandlerStopsNoLink: messages of the same peer to other actors
// arrive while a handler, against the rules, waits for one of them.
func TestAWaitingHandlerStopsNoLink(t *testing.T) {
	a := listening(t)
	b := newSystem(t, Options{Listen: "127.0.0.1:0", Links: LinkLimits{Heartbeat: 100 * time.Millisecond}})
	resume, done := make(chan string, 1), make(chan string, 1)
	waiting := spawn(t, b, "waiting", func(c *Context) {
		Handle(c, func(*Context, *wrapperspb.StringValue) { done <- <-resume })
	})
	other := spawn(t, b, "other", func(c *Context) {
		Handle(c, func(_ *Context, m *wrapperspb.StringValue) { resume <- m.Value })
	})
	a.Send(waiting, text("wait"))
	a.Send(other, text("go on"))
	if got := receive(t, done); got != "go on" {
		t.Errorf("got %q", got)
	}
}
