package carrier_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"troupe/messages/carrier"
)

func TestReadText(t *testing.T) {
	for name, c := range map[string]struct {
		encoding, body string
		status         int
		says           string
	}{
		"a list":             {"", `[{"a":1}]`, 200, ""},
		"nothing":            {"", "", 200, ""},
		"as much as may be":  {"", strings.Repeat(" ", 1000), 200, ""},
		"too large":          {"", strings.Repeat(" ", 1001), 413, "1000"},
		"compressed":         {"gzip", compressed(t, "a=b&c=d"), 200, ""},
		"a bomb":             {"gzip", compressed(t, strings.Repeat(" ", 100_000)), 413, "1000"},
		"another encoding":   {"br", "x", 415, "Content-Encoding"},
		"not UTF-8":          {"", "aä\xff", 400, "at byte 3"},
		"the replacement is": {"", "\ufffd", 200, ""},
		"too many objects":   {"", strings.Repeat("{", 500), 413, "too many"},
		"too many keys":      {"", strings.Repeat("&", 500), 413, "too many"},
		"escaped objects":    {"", strings.Repeat("%7b%7B", 160), 413, "too many"},
		"refused by its use": {"", "no", 418, "no tea"},
	} {
		for _, size := range []int64{int64(len(c.body)), -1} { // -1: in chunks
			in := carrier.Intake{MaxBody: 1000, MaxAll: 70_000}
			r := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(c.body))
			r.ContentLength = size
			r.Header.Set("Content-Encoding", c.encoding)
			w := httptest.NewRecorder()
			used := false
			err := in.ReadText(w, r, func(body []byte) error {
				used = true
				if string(body) == "no" {
					return &carrier.Problem{Status: http.StatusTeapot, Reason: "no tea"}
				}
				if c.encoding == "" && string(body) != c.body {
					t.Errorf("%s: read %q", name, body)
				}
				return nil
			})
			if err != nil {
				carrier.Refuse(w, err)
			}
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || used != (c.status == 200 || c.status == 418) {
				t.Errorf("%s, %d bytes: %d %q, used: %v, want %d with %q", name, size, w.Code, w.Body, used, c.status, c.says)
			}
		}
	}
}

func TestTextsThatAreSlowOrMany(t *testing.T) {
	in := &carrier.Intake{Patience: 20 * time.Millisecond, MaxAll: 60_000}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := in.ReadText(w, r, func([]byte) error { return nil }); err != nil {
			carrier.Refuse(w, err)
		}
	}))
	t.Cleanup(s.Close)
	if got := statusOf(t, dialBody(t, s, "Content-Length: 10", "[")); got != http.StatusRequestTimeout {
		t.Errorf("a slow one is answered %d, want 408", got)
	}
	read := func(use func([]byte) error) error {
		r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(strings.NewReader(strings.Repeat(" ", 15_000)), 15_000))
		return in.ReadText(httptest.NewRecorder(), r, use)
	}
	var second error
	first := read(func([]byte) error {
		second = read(func([]byte) error { return nil })
		return nil
	})
	var p *carrier.Problem
	if first != nil || !errors.As(second, &p) || p.Status != http.StatusServiceUnavailable {
		t.Errorf("two at once: %v, %v", first, second)
	}
	if err := read(func([]byte) error { return nil }); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}
