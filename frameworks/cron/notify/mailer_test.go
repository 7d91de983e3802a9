package notify

import (
	"context"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"troupe/frameworks/cron/plan"
)

// exhausted is a notification about a job of an owner.
func exhausted(owner string) plan.Notify {
	began := time.Date(2026, 3, 1, 4, 0, 1, 0, time.UTC)
	return plan.Notify{
		Occasion: plan.RetriesExhausted,
		Job:      &plan.Job{Name: "backup", CPUs: 0.5, Mem: 128, Command: plan.Command{Text: "./backup --all"}, About: plan.About{Owner: owner, Description: "nächtlich"}},
		Attempt: plan.Attempt{
			Task: "ct:1:2:backup:7-3", Due: began.Add(-time.Second), Began: began, Ended: began.Add(time.Minute),
			Outcome: plan.Failed, Exit: 3, Agent: "S1", Message: "Command exited with status 3\r\nBcc: all@example.com",
		},
	}
}

// running is a notifier that runs until the test ends, and its log.
func running(t *testing.T, o Options) (*Notifier, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	o.Logger = zap.New(core)
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return n, logs
}

func TestMailReachesTheOwners(t *testing.T) {
	s := listen(t, &server{})
	n, _ := running(t, Options{Cluster: "Köln", Mail: &Mail{Server: s.address(), From: "Cron <cron@example.com>"}})
	n.Notify(exhausted("ann@example.com, Bob <bob@example.com>"))
	got := <-s.mails
	if got.from != "cron@example.com" || !slices.Equal(got.to, []string{"ann@example.com", "bob@example.com"}) || got.secure {
		t.Errorf("%+v", got)
	}
	m, err := mail.ReadMessage(strings.NewReader(got.text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "[Köln] retries exhausted: backup" {
		t.Errorf("subject %q, %v", subject, err)
	}
	if m.Header.Get("Bcc") != "" || m.Header.Get("Message-Id") == "" || m.Header.Get("Date") == "" {
		t.Errorf("header %v", m.Header)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"nächtlich", "ct:1:2:backup:7-3", "Exit code: 3", "Agent: S1", "./backup --all"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestMailIsSecuredAndProved(t *testing.T) {
	mine, theirs := certified(t)
	for name, auth := range map[string]string{"plain": "PLAIN LOGIN", "cram": "PLAIN CRAM-MD5"} {
		s := listen(t, &server{tls: mine, auth: auth, user: "cron"})
		n, _ := running(t, Options{Mail: &Mail{Server: s.address(), From: "cron@example.com", User: "cron", Password: password, RequireTLS: true, TLS: theirs}})
		n.Notify(exhausted("ann@example.com"))
		if got := <-s.mails; !got.secure || got.user != "cron" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What cannot get better is not tried again, and what can is.
func TestRefusals(t *testing.T) {
	mine, theirs := certified(t)
	times := func(n int, verb, reply string) func(string, string) string {
		return func(is, _ string) string {
			if is != verb || n == 0 {
				return ""
			}
			n--
			return reply
		}
	}
	secure := Mail{User: "cron", Password: password, RequireTLS: true, TLS: theirs}
	for name, c := range map[string]struct {
		server   *server
		mail     Mail
		owner    string
		sessions int
		failure  string // empty: it arrives in the end
	}{
		"later":            {server: &server{refuse: times(2, "MAIL", "451 later")}, sessions: 3},
		"greylisted":       {server: &server{refuse: times(1, "RCPT", "450 later")}, sessions: 2},
		"for ever later":   {server: &server{refuse: times(99, "DATA", "451 later")}, sessions: 5, failure: "451"},
		"never":            {server: &server{refuse: times(99, "MAIL", "550 never")}, sessions: 1, failure: "550"},
		"no address":       {owner: "the ops people", sessions: 0, failure: "owner"},
		"no TLS":           {mail: secure, sessions: 1, failure: "STARTTLS"},
		"unknown":          {server: &server{tls: mine}, mail: Mail{}, sessions: 5, failure: "certificate"},
		"wrong password":   {server: &server{tls: mine, auth: "PLAIN", user: "cron"}, mail: Mail{User: "cron", Password: "x", TLS: theirs}, sessions: 1, failure: "535"},
		"auth not offered": {server: &server{tls: mine}, mail: secure, sessions: 1, failure: "AUTH"},
	} {
		if c.server == nil {
			c.server = new(server)
		}
		s := listen(t, c.server)
		c.mail.Server, c.mail.From = s.address(), "cron@example.com"
		n, logs := running(t, Options{Mail: &c.mail})
		if c.owner == "" {
			c.owner = "ann@example.com"
		}
		n.deliver(t.Context(), n.channels[0], newMessage("", exhausted(c.owner)))
		if s.count() != c.sessions {
			t.Errorf("%s: %d sessions, want %d", name, s.count(), c.sessions)
		}
		switch told := logs.All(); {
		case c.failure == "" && (len(told) != 0 || len(s.mails) != 1):
			t.Errorf("%s: %v", name, told)
		case c.failure != "" && (len(told) != 1 || !strings.Contains(told[0].ContextMap()["error"].(string), c.failure)):
			t.Errorf("%s: %v", name, told)
		}
	}
}

// One owner whom the server does not know does not keep the others from hearing.
func TestOneOwnerIsRefused(t *testing.T) {
	s := listen(t, &server{refuse: func(verb, line string) string {
		if verb == "RCPT" && strings.Contains(line, "bob") {
			return "550 who"
		}
		return ""
	}})
	n, logs := running(t, Options{Mail: &Mail{Server: s.address(), From: "cron@example.com"}})
	n.deliver(t.Context(), n.channels[0], newMessage("", exhausted("ann@example.com, bob@example.com")))
	if got := <-s.mails; !slices.Equal(got.to, []string{"ann@example.com"}) || len(s.mails) != 0 || logs.Len() != 1 {
		t.Errorf("%+v, %d mails more, %v", got, len(s.mails), logs.All())
	}
}

// A server that hangs is given up within the timeout.
func TestSilentServer(t *testing.T) {
	hang := make(chan struct{})
	s := listen(t, &server{refuse: func(string, string) string { <-hang; return "421 bye" }})
	defer close(hang)
	n, logs := running(t, Options{Attempts: 1, Timeout: 50 * time.Millisecond, Mail: &Mail{Server: s.address(), From: "cron@example.com"}})
	n.deliver(t.Context(), n.channels[0], newMessage("", exhausted("ann@example.com")))
	if logs.Len() != 1 {
		t.Errorf("%v", logs.All())
	}
}
