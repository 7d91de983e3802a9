package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"troupe/frameworks/cron/plan"
)

// hook is a webhook that answers so, again and again.
func hook(t *testing.T, codes ...int) (url string, bodies chan map[string]any) {
	t.Helper()
	bodies = make(chan map[string]any, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b map[string]any
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v: %v", r.Method, r.Header, err)
		}
		bodies <- b
		w.WriteHeader(codes[min(len(bodies), len(codes))-1])
	}))
	t.Cleanup(s.Close)
	return s.URL, bodies
}

func TestWebhookGetsAllThatIsKnown(t *testing.T) {
	url, bodies := hook(t, 200)
	n, _ := running(t, Options{Cluster: "c1", Webhooks: []string{url}})
	n.Notify(exhausted("ann@example.com"))
	b := <-bodies
	want := map[string]any{
		"subject": "[c1] retries exhausted: backup", "to": "ann@example.com", "job": "backup", "command": "./backup --all",
		"cpus": 0.5, "mem": 128.0, "occasion": "retries exhausted", "description": "nächtlich",
	}
	for key, value := range want {
		if b[key] != value {
			t.Errorf("%s is %v, want %v", key, b[key], value)
		}
	}
	if r, ok := b["run"].(map[string]any); !ok || r["exitCode"] != 3.0 || r["task"] != "ct:1:2:backup:7-3" || r["began"] != "2026-03-01T04:00:01Z" {
		t.Errorf("run: %v", b["run"])
	}
	if text, _ := b["text"].(string); !strings.HasPrefix(text, "[c1] retries exhausted: backup\n") {
		t.Errorf("text: %v", b["text"])
	}
	n.Notify(plan.Notify{Occasion: plan.JobRemoved, Job: &plan.Job{Name: "x"}})
	if b := <-bodies; b["run"] != nil || b["job"] != "x" {
		t.Errorf("%v", b)
	}
}

func TestWebhooksAreTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		codes []int
		posts int
		told  bool
	}{
		"in the end":  {[]int{500, 429, 408, 200}, 4, true},
		"never":       {[]int{503}, 5, false},
		"not wanted":  {[]int{404}, 1, false},
		"at once":     {[]int{204}, 1, true},
		"redirection": {[]int{304}, 1, false},
	} {
		url, bodies := hook(t, c.codes...)
		n, logs := running(t, Options{Webhooks: []string{url + "/T0KEN"}})
		n.deliver(t.Context(), n.channels[0], newMessage("", exhausted("")))
		if len(bodies) != c.posts || (logs.Len() == 0) != c.told {
			t.Errorf("%s: %d posts, %v", name, len(bodies), logs.All())
		}
		if strings.Contains(fmt.Sprint(logs.All()), "T0KEN") {
			t.Errorf("%s: the log has a secret: %v", name, logs.All())
		}
	}
	n, logs := running(t, Options{Webhooks: []string{"http://127.0.0.1:1/T0KEN"}})
	n.deliver(t.Context(), n.channels[0], newMessage("", exhausted("")))
	if logs.Len() != 1 || strings.Contains(fmt.Sprint(logs.All()), "T0KEN") {
		t.Errorf("nobody there: %v", logs.All())
	}
}

// Waits between attempts double, up to a minute.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := New(Options{Attempts: 9})
		if err != nil {
			t.Fatal(err)
		}
		var at []time.Duration
		begin := time.Now()
		n.add("c", func(context.Context, message) error {
			at = append(at, time.Since(begin)/time.Second)
			return fmt.Errorf("no")
		}, nil)
		n.deliver(t.Context(), n.channels[0], message{})
		if want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183}; !slices.Equal(at, want) {
			t.Errorf("attempts at %v, want %v", at, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin = time.Now()
		if n.deliver(ctx, n.channels[0], message{}); time.Since(begin) != 5*time.Second {
			t.Errorf("an end in between took %s", time.Since(begin))
		}
	})
}

func TestWhoWantsWhat(t *testing.T) {
	all := []plan.Occasion{plan.JobRemoved, plan.JobDisabled, plan.RetriesExhausted, plan.AttemptFailed, plan.RunSucceeded}
	for name, c := range map[string]struct {
		occasions []plan.Occasion
		tag       string
		want      string
	}{
		"by default":     {nil, "", "job removed, job disabled, retries exhausted"},
		"nothing":        {[]plan.Occasion{}, "", ""},
		"everything":     {all, "", "job removed, job disabled, retries exhausted, attempt failed, run succeeded"},
		"as the job has": {nil, "succeeded, failed", "attempt failed, run succeeded"},
		"none":           {all, "none", ""},
		"all":            {nil, "all", "job removed, job disabled, retries exhausted, attempt failed, run succeeded"},
		"unreadable":     {[]plan.Occasion{plan.RunSucceeded}, "sometimes", "run succeeded"},
	} {
		n, err := New(Options{Occasions: c.occasions})
		if err != nil {
			t.Fatal(err)
		}
		n.add("c", nil, func(message) bool { return true })
		for _, o := range all {
			what := exhausted("")
			what.Occasion = o
			if c.tag != "" {
				what.Job.About.Tags = map[string]string{Tag: c.tag}
			}
			n.Notify(what)
		}
		var told []string
		for len(n.channels[0].queue) > 0 {
			told = append(told, string((<-n.channels[0].queue).occasion))
		}
		if got := strings.Join(told, ", "); got != c.want {
			t.Errorf("%s: told of %q, want %q", name, got, c.want)
		}
	}
}

// Nobody waits for those who do not listen.
func TestTooMany(t *testing.T) {
	n, err := New(Options{Queue: 3, Mail: &Mail{Server: "127.0.0.1:1", From: "a@b.c"}, Webhooks: []string{"http://127.0.0.1:1/"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		n.Notify(exhausted("")) // no owner: no mail
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(n)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != 1 || families[0].GetMetric()[0].GetCounter().GetValue() != 2 {
		t.Errorf("%v, %v", families, err)
	}
	if len(n.channels[0].queue) != 0 || len(n.channels[1].queue) != 3 {
		t.Errorf("%d mails and %d posts wait", len(n.channels[0].queue), len(n.channels[1].queue))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"webhooks[1]: is no URL":         {Webhooks: []string{"https://h/x", "ftp://secret"}},
		"mail.server: \"h\": is not":     {Mail: &Mail{Server: "h", From: "a@b.c"}},
		"mail.from: \"nobody\": is no":   {Mail: &Mail{Server: "h:25", From: "nobody"}},
		"webhooks[0]: is no URL of http": {Webhooks: []string{"http://"}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := ParseOccasions("removed,never"); err == nil || !strings.Contains(err.Error(), `"never"`) {
		t.Errorf("error %v", err)
	}
}
