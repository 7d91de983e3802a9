package fetcher

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"troupe/slave/container/fetcher/cache"
)

// trickle has a byte now and then.
type trickle struct{ every time.Duration }

func (t trickle) Read(p []byte) (int, error) {
	timer := time.NewTimer(t.every)
	<-timer.C
	return copy(p, "x"), nil
}

// TestTrickle: a server that sends too little to be waited for is as good as one that
// sends nothing.
func TestTrickle(t *testing.T) {
	for every, stalls := range map[time.Duration]bool{2 * time.Second: true, time.Second / 2: false} {
		synctest.Test(t, func(t *testing.T) {
			w := &watched{ctx: t.Context(), from: trickle{every}, stall: time.Minute}
			w.timer = time.AfterFunc(w.stall, func() { t.Error("it is silent for too long") })
			defer w.timer.Stop()
			var err error
			for begun := time.Now(); err == nil && time.Since(begun) < 10*time.Minute; {
				_, err = w.Read(make([]byte, 10))
			}
			if (err != nil) != stalls || stalls && !strings.Contains(err.Error(), "less than a byte a second, for 1m0s, after 30 bytes") {
				t.Errorf("every %v: got %v", every, err)
			}
		})
	}
}

// TestElsewhereLearnsNothing: who is redirected to does not get to know the address,
// which may be signed, nor the password.
func TestElsewhereLearnsNothing(t *testing.T) {
	var told http.Header
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = r.Header.Clone()
		_, _ = io.WriteString(w, content)
	}))
	defer elsewhere.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }))
	defer s.Close()
	uri := strings.Replace(s.URL, "://127.0.0.1", "://user:pass@localhost", 1) + "/x?signature=abc"
	log, err := try(t, Order{Sandbox: t.TempDir(), URIs: []URI{{Value: uri}}})
	if err != nil || strings.Contains(log, "abc") || strings.Contains(log, "pass") {
		t.Errorf("%v; %s", err, log)
	}
	if told.Get("Referer") != "" || told.Get("Authorization") != "" {
		t.Errorf("it is told %v", told)
	}
}

// TestWithoutAnEnd: what nobody can tell to be whole is not kept for others, unless its
// checksum says so.
func TestWithoutAnEnd(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\n\r\n"+content)
		_ = conn.Close()
	})}}
	s.Start()
	defer s.Close()
	for sum, kept := range map[string]int64{"": 0, "#sha256=" + sum256(content): int64(len(content))} {
		o := Order{Sandbox: t.TempDir(), URIs: []URI{{Value: s.URL + "/file" + sum, Cache: true}}, Settings: Settings{CacheDir: t.TempDir(), CacheSize: 1 << 20}}
		log, err := try(t, o)
		if err != nil || read(t, filepath.Join(o.Sandbox, "file")) != content {
			t.Errorf("%v; %s", err, log)
		}
		if used, err := (cache.Cache{Dir: o.Settings.CacheDir}).Used(); used != kept || err != nil {
			t.Errorf("with %q, %d bytes are kept, %v", sum, used, err)
		}
	}
}

// TestCredentialsReachServers, though nobody sees them.
func TestCredentialsReachServers(t *testing.T) {
	s := site(t)
	uri := strings.Replace(s.URL, "://", "://user:pass@", 1) + "/secret?token=abc"
	sandbox := t.TempDir()
	log, err := try(t, Order{Sandbox: sandbox, URIs: []URI{{Value: uri}}})
	if err != nil || strings.Contains(log, "pass") || strings.Contains(log, "abc") {
		t.Errorf("%v; %s", err, log)
	}
	if _, err := os.Stat(filepath.Join(sandbox, "secret")); err != nil {
		t.Error(err)
	}
}
