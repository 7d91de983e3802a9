package events

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// posts records what callbacks get.
type posts struct {
	got  chan string // "url type"
	fail chan error  // one for each post, while there are any
}

func (p *posts) post(ctx context.Context, url string, body []byte) error {
	select {
	case err := <-p.fail:
		return err
	default:
	}
	var e struct{ EventType string }
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	select {
	case p.got <- url + " " + e.EventType:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newPosts() *posts {
	return &posts{got: make(chan string, 100), fail: make(chan error, 100)}
}

func TestCallbacksGetEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPosts()
		b := New(Options{Post: p.post})
		defer b.Close()
		if _, err := b.Subscribe("1.2.3.4", "http://a/x"); err != nil {
			t.Fatal(err)
		}
		if got := <-p.got; got != "http://a/x subscribe_event" {
			t.Errorf("first: %s", got)
		}
		if _, err := b.Subscribe("1.2.3.4", "http://a/x"); err != nil || len(b.Callbacks()) != 1 {
			t.Errorf("again: %v, %v", err, b.Callbacks())
		}
		<-p.got
		b.Publish(event("one", false))
		if got := <-p.got; got != "http://a/x one" {
			t.Errorf("then: %s", got)
		}
		if _, err := b.Unsubscribe("1.2.3.4", "http://a/x"); err != nil || len(b.Callbacks()) != 0 {
			t.Errorf("unsubscribe: %v, %v", err, b.Callbacks())
		}
		b.Publish(event("two", false))
		synctest.Wait()
		select {
		case got := <-p.got:
			t.Errorf("after that: %s", got)
		default:
		}
	})
}

// What cannot be delivered is lost after a pause, and the next event is tried.
func TestFailingCallbackIsTriedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPosts()
		b := New(Options{Post: p.post})
		defer b.Close()
		for range 3 {
			p.fail <- errors.New("refused")
		}
		b.Restore([]string{"http://a"})
		for _, name := range []string{"e1", "e2", "e3", "e4"} {
			b.Publish(event(name, false))
		}
		if got := <-p.got; got != "http://a e4" {
			t.Errorf("got %s", got)
		}
	})
}

func TestSlowCallbackLosesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPosts()
		b := New(Options{Post: p.post, Waiting: 2})
		defer b.Close()
		p.fail <- errors.New("refused")
		b.Restore([]string{"http://a"})
		b.Publish(event("lost", false))
		synctest.Wait() // it pauses now
		for range 5 {
			b.Publish(event("flood", false))
		}
		synctest.Wait()
		b.mu.Lock()
		waiting := len(b.callbacks["http://a"].queue.waiting)
		b.mu.Unlock()
		if waiting > 2 {
			t.Errorf("%d events wait", waiting)
		}
		for len(p.got) == 0 { // the pause ends
			b.Publish(event("after", false))
			<-time.After(firstPause)
		}
	})
}

func TestCallbacksAreKept(t *testing.T) {
	var kept []string
	wrong := errors.New("disk full")
	var fail error
	b := New(Options{Post: newPosts().post, Callbacks: 2, Keep: func(urls []string) error {
		kept = slices.Clone(urls)
		return fail
	}})
	defer b.Close()
	for _, u := range []string{"http://b", "http://a"} {
		if _, err := b.Subscribe("c", u); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(kept, []string{"http://a", "http://b"}) {
		t.Errorf("kept %v", kept)
	}
	var refused *CallbackError
	if _, err := b.Subscribe("c", "http://c"); !errors.As(err, &refused) {
		t.Errorf("one too many: %v", err)
	}
	fail = wrong
	if _, err := b.Unsubscribe("c", "http://a"); !errors.Is(err, wrong) || len(b.Callbacks()) != 2 {
		t.Errorf("what was not kept changed: %v, %v", err, b.Callbacks())
	}
}

func TestCallbackURLs(t *testing.T) {
	b := New(Options{Post: newPosts().post})
	defer b.Close()
	for _, bad := range []string{"", "x", "ftp://a", "http://", "/a", "http://a:b:c", "http://" + strings.Repeat("a", 3000)} {
		var refused *CallbackError
		if _, err := b.Subscribe("c", bad); !errors.As(err, &refused) {
			t.Errorf("%q: %v", bad[:min(20, len(bad))], err)
		}
	}
}

func TestPosterTellsFailures(t *testing.T) {
	status := 200
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			status = 400
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	post := newPoster()
	if err := post(t.Context(), srv.URL, []byte("{}")); err != nil {
		t.Error(err)
	}
	status = 302
	if err := post(t.Context(), srv.URL, []byte("{}")); err == nil {
		t.Error("a redirection is a failure")
	}
	if err := post(t.Context(), "http://127.0.0.1:1", nil); err == nil {
		t.Error("nobody listens")
	}
}

func TestClosedBusTakesNoCallbacks(t *testing.T) {
	b := New(Options{Post: newPosts().post})
	b.Close()
	if _, err := b.Subscribe("c", "http://a"); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
}
