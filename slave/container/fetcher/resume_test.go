package fetcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// versionSize is that of a test's file: larger than what is fetched once more.
const versionSize = 2*overlap + 100

// versionText is what a test's file has in one of its versions, which differ in every
// byte.
func versionText(version int) []byte {
	b := make([]byte, versionSize)
	for i := range b {
		b[i] = byte(i*7 + i/256 + version*31)
	}
	return b
}

// cutter ends a connection after so many bytes of a body; never if that is negative.
type cutter struct {
	http.ResponseWriter
	left int
}

// Unwrap is for http.ResponseController.
func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutter) Write(p []byte) (int, error) {
	if c.left < 0 || len(p) < c.left {
		c.left -= min(len(p), max(c.left, 0))
		return c.ResponseWriter.Write(p)
	}
	if c.left > 0 {
		if _, err := c.ResponseWriter.Write(p[:c.left]); err != nil {
			return 0, err
		}
	}
	_ = http.NewResponseController(c.ResponseWriter).Flush() // else the client has none of it
	panic(http.ErrAbortHandler)
}

// serveVersion answers as servers do that know what ranges are.
func serveVersion(w http.ResponseWriter, r *http.Request, version int, etag string) {
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	http.ServeContent(w, r, "", time.Unix(1_000_000_000, 0), bytes.NewReader(versionText(version)))
}

// get fetches a URI into a file of its own, and returns what that has.
func get(t testing.TB, dir string, uri URI, tries int) ([]byte, error) {
	t.Helper()
	s, err := parse(uri, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	j := &job{client: client(time.Minute), report: newReport(io.Discard, io.Discard), patience: make([]time.Duration, tries)}
	defer j.client.CloseIdleConnections()
	f, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, err := j.download(context.Background(), &s, rewritable{f}, j.report.silent())
	got, rerr := os.ReadFile(f.Name())
	if rerr != nil || err == nil && int64(len(got)) != n {
		t.Fatalf("%d bytes of %d: %v", len(got), n, rerr)
	}
	return got, err
}

// TestCutAtEachByte: wherever a connection ends, the file is whole afterwards; of what
// was there not more is fetched again than must be.
func TestCutAtEachByte(t *testing.T) {
	var (
		mu    sync.Mutex
		asked []string
	)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Header.Get("Range"))
		again := len(asked) > 1
		mu.Unlock()
		if again {
			serveVersion(w, r, 0, `"e"`)
			return
		}
		var at int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &at); err != nil {
			t.Error(err)
		}
		c := &cutter{w, at}
		if at%2 == 0 {
			serveVersion(c, r, 0, `"e"`)
			return
		}
		w.Header().Set("ETag", `"e"`) // and it does not say how much it will be
		_, _ = c.Write(versionText(0))
	}))
	defer s.Close()
	dir := t.TempDir()
	for at := range versionSize {
		asked = nil
		got, err := get(t, dir, URI{Value: fmt.Sprint(s.URL, "/", at)}, 1)
		if err != nil || !bytes.Equal(got, versionText(0)) {
			t.Fatalf("cut at %d: %d bytes, %v", at, len(got), err)
		}
		want := ""
		if at > overlap {
			want = fmt.Sprintf("bytes=%d-", at-overlap)
		}
		if len(asked) != 2 || asked[1] != want {
			t.Fatalf("cut at %d: asked for %q, want %q", at, asked, want)
		}
	}
}

// lies are answers to who asks for a part that servers should not give.
var lies = map[string]func(w http.ResponseWriter, version, at int){
	"the whole":          func(w http.ResponseWriter, version, _ int) { part(w, version, 0, "bytes 0-%d/%d", versionSize) },
	"another place":      func(w http.ResponseWriter, version, at int) { part(w, version, at-1, claim(at), versionSize) },
	"from the beginning": func(w http.ResponseWriter, version, at int) { part(w, version, 0, claim(at), versionSize-at) },
	"less than it says":  func(w http.ResponseWriter, version, at int) { part(w, version, at, claim(at), versionSize-at-1) },
	"a little of it": func(w http.ResponseWriter, version, at int) {
		part(w, version, at, fmt.Sprintf("bytes %d-%d/%%[2]d", at, at+overlap), overlap+1)
	},
	"no word of where": func(w http.ResponseWriter, version, at int) { part(w, version, at, "", versionSize-at) },
	"who knows how much": func(w http.ResponseWriter, version, at int) {
		part(w, version, at, fmt.Sprintf("bytes %d-%%d/*", at), versionSize-at)
	},
	"nonsense": func(w http.ResponseWriter, version, at int) {
		part(w, version, at, "bytes 99999999999999999999-x/%d", 10)
	},
	"a larger file": func(w http.ResponseWriter, version, at int) {
		part(w, version, at, fmt.Sprintf("bytes %d-%d/%d", at, versionSize, versionSize+1), versionSize-at)
	},
	"it cannot":         func(w http.ResponseWriter, _, _ int) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) },
	"it is overloaded":  func(w http.ResponseWriter, _, _ int) { w.WriteHeader(http.StatusServiceUnavailable) },
	"more than it says": func(w http.ResponseWriter, version, at int) { streamed(w, version, at, 10) },
	"less, and no word": func(w http.ResponseWriter, version, at int) { streamed(w, version, at, -10) },
	"parts of several": func(w http.ResponseWriter, version, at int) {
		w.Header().Set("Content-Type", "multipart/byteranges; boundary=x")
		part(w, version, at, "", 100)
	},
	"a part of another one": func(w http.ResponseWriter, version, at int) { part(w, version, at, claim(at), versionSize-at) },
}

func claim(at int) string { return fmt.Sprintf("bytes %d-%%d/%%d", at) }

func part(w http.ResponseWriter, version, at int, claims string, n int) {
	if claims != "" {
		if strings.Contains(claims, "%") {
			claims = strings.Split(fmt.Sprintf(claims, versionSize-1, versionSize), "%!")[0]
		}
		w.Header().Set("Content-Range", claims)
	}
	text := versionText(version)[at:]
	text = text[:min(n, len(text))]
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = w.Write(text)
}

func streamed(w http.ResponseWriter, version, at, more int) {
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, versionSize-1, versionSize))
	w.WriteHeader(http.StatusPartialContent)
	if err := http.NewResponseController(w).Flush(); err != nil { // so that it has no length
		panic(err)
	}
	text := append(versionText(version), make([]byte, 100)...)
	_, _ = w.Write(text[at : versionSize+more])
}

// answer is one that a test's server gives.
type answer struct {
	version int
	cut     int
	etag    string // "": as its version has; "-": none; else this
	lie     string
}

// scripted is a server that gives these answers, and then whole files of the last
// version.
type scripted struct {
	mu     sync.Mutex
	script []answer
	last   int
}

func (s *scripted) set(last int, script ...answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.last = script, last
}

func (s *scripted) next() answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.script) == 0 {
		return answer{version: s.last, cut: -1}
	}
	defer func() { s.script = s.script[1:] }()
	return s.script[0]
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next := s.next()
	etag := next.etag
	switch etag {
	case "":
		etag = fmt.Sprintf(`"v%d"`, next.version)
	case "-":
		etag = ""
	}
	c := &cutter{w, next.cut}
	var at int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &at); err == nil && next.lie != "" {
		w.Header().Set("ETag", etag)
		lies[next.lie](c, next.version, at)
		return
	}
	serveVersion(c, r, next.version, etag)
}

// TestLies: of each lie, told by who calls all versions the same, comes a whole file.
func TestLies(t *testing.T) {
	var site scripted
	s := httptest.NewServer(&site)
	defer s.Close()
	for _, lie := range append([]string{""}, slices.Sorted(maps.Keys(lies))...) {
		for version := range 2 {
			const same = `"same"`
			site.set(1, answer{cut: overlap + 500, etag: same}, answer{version: version, cut: -1, etag: same, lie: lie})
			got, err := get(t, t.TempDir(), URI{Value: s.URL + "/file"}, 2)
			if err != nil || !bytes.Equal(got, versionText(0)) && !bytes.Equal(got, versionText(1)) {
				t.Errorf("%q of version %d: %d bytes, %v", lie, version, len(got), err)
			}
		}
	}
}

// TestNeverMixed: whatever a server does, and however often what it has changes, what
// comes of it is one of the versions as a whole, or nothing.
func TestNeverMixed(t *testing.T) {
	var site scripted
	s := httptest.NewServer(&site)
	defer s.Close()
	dir := t.TempDir()
	kinds := append([]string{""}, slices.Sorted(maps.Keys(lies))...)
	answers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) answer {
		return answer{
			version: rapid.IntRange(0, 1).Draw(t, "version"), cut: rapid.IntRange(0, versionSize).Draw(t, "cut"),
			etag: rapid.SampledFrom([]string{"", "", "-", `"same"`, `W/"weak"`, `"v0"`, "nonsense"}).Draw(t, "etag"),
			lie:  rapid.SampledFrom(kinds).Draw(t, "lie"),
		}
	}), 0, 3)
	rapid.Check(t, func(rt *rapid.T) {
		last := rapid.IntRange(0, 1).Draw(rt, "last")
		site.set(last, answers.Draw(rt, "answers")...)
		uri, want := URI{Value: s.URL + "/file"}, versionText(last)
		if rapid.Bool().Draw(rt, "checksum") {
			uri.Value += "#sha256=" + sum256(string(want))
		}
		got, err := get(t, dir, uri, 4)
		whole := bytes.Equal(got, versionText(0)) || bytes.Equal(got, versionText(1))
		switch {
		case err != nil && !strings.Contains(err.Error(), "its sha256 is"):
			rt.Errorf("not fetched: %v", err)
		case err != nil && !whole:
			rt.Error("a checksum fails for a mixture")
		case err == nil && (!whole || strings.Contains(uri.Value, "#") && !bytes.Equal(got, want)):
			rt.Errorf("%d bytes are none of the versions", len(got))
		}
	})
}

// TestGivesUp: who breaks off each time is not asked for ever, nor who has nothing any
// more.
func TestGivesUp(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch {
		case r.URL.Path == "/gone" && asked > 1:
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Path == "/crumbs":
			serveVersion(&cutter{w, overlap + 1}, r, 0, `"e"`)
		case r.URL.Path == "/ill":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			serveVersion(&cutter{w, 100}, r, 0, `"e"`)
		}
	}))
	defer s.Close()
	for _, test := range []struct {
		path  string
		asked int
		want  string
	}{
		{"/cut", 4, "connection ended after 100 bytes, before all was sent: try again, or look at the server's log (4 times)"},
		{"/gone", 2, `connection ended after 100 bytes, before all was sent: try again, or look at the server's log; and after 2 attempts: the server answered "404 Not Found"`},
		{"/crumbs", maxTries, "(50 times)"},
		{"/ill", 1, "503"},
	} {
		asked = 0
		_, err := get(t, t.TempDir(), URI{Value: s.URL + test.path}, 3)
		if err == nil || !strings.Contains(err.Error(), test.want) || asked != test.asked {
			t.Errorf("%s: asked %d times, got %v, want %q", test.path, asked, err, test.want)
		}
	}
}

// TestResumedIntoTheCache: a file that breaks off, and changes, is whole in the cache
// and in the sandbox; the log says that it broke off.
func TestResumedIntoTheCache(t *testing.T) {
	for _, changes := range []bool{false, true} {
		asked := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked++; asked == 1 {
				serveVersion(&cutter{w, 2 * overlap}, r, 0, `"v0"`)
			} else if changes {
				serveVersion(w, r, 1, `"v1"`)
			} else {
				serveVersion(w, r, 0, `"v0"`)
			}
		}))
		settings, want := Settings{CacheDir: t.TempDir(), CacheSize: 1 << 20}, versionText(0)
		if changes {
			want = versionText(1)
		}
		for range 2 {
			o := Order{Sandbox: t.TempDir(), URIs: []URI{{Value: s.URL + "/file", Cache: true}}, Settings: settings}
			log, err := try(t, o)
			if got := read(t, filepath.Join(o.Sandbox, "file")); err != nil || got != string(want) || asked != 2 {
				t.Errorf("changes %v: %d bytes after %d requests, %v; %s", changes, len(got), asked, err, log)
			}
			if strings.Contains(log, "Fetched") != strings.Contains(log, "Trying "+s.URL+"/file again: the connection ended after 1024 bytes") {
				t.Errorf("logged %s", log)
			}
		}
		s.Close()
	}
}

// TestConditions: only what tells versions apart for sure is a condition.
func TestConditions(t *testing.T) {
	const date, older, newer = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:48:37 GMT", "Sun, 06 Nov 1994 08:48:38 GMT"
	for _, test := range []struct{ etag, modified, ranges, want string }{
		{`"a"`, "", "", `"a"`},
		{`"a"`, newer, "bytes", `"a"`},
		{`W/"a"`, older, "", ""},
		{"a", "", "", ""},
		{"\"a\x01\"", "", "", ""},
		{"", older, "", older},
		{"", newer, "", ""},
		{"", "yesterday", "", ""},
		{`"a"`, older, "none", ""},
		{"", "", "", ""},
	} {
		h := http.Header{"Etag": {test.etag}, "Last-Modified": {test.modified}, "Accept-Ranges": {test.ranges}, "Date": {date}}
		v := versionOf(&body{header: h, from: "x", size: 7})
		if got := v.condition(); got != test.want {
			t.Errorf("%+v: got %q", test, got)
		}
	}
}

// FuzzContinues: an answer that is taken to continue a file names the very bytes that
// are missing.
func FuzzContinues(f *testing.F) {
	f.Add("bytes 10-99/100", `"a"`, int64(10), int64(90))
	f.Add("bytes 10-99/*", "", int64(10), int64(-1))
	f.Add("bytes 10-9223372036854775807/9223372036854775808", "", int64(10), int64(-1))
	f.Fuzz(func(t *testing.T, claims, etag string, at, size int64) {
		v := version{from: "x", etag: `"a"`, size: 100}
		h := http.Header{"Content-Range": {claims}, "Etag": {etag}}
		if !v.continues(&body{status: http.StatusPartialContent, header: h, from: "x", size: size}, at) {
			return
		}
		var begin, last, of int64
		n, err := fmt.Sscanf(claims, "bytes %d-%d/%d", &begin, &last, &of)
		if n != 3 || err != nil || begin != at || last != 99 || of != 100 || etag != v.etag || size >= 0 && size != 100-at {
			t.Errorf("%q, %q, %d bytes continue at %d", claims, etag, size, at)
		}
	})
}

// TestPauseEnds with who waits.
func TestPauseEnds(t *testing.T) {
	errEnough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	if err := pause(ctx, time.Hour); !errors.Is(err, errEnough) {
		t.Errorf("got %v", err)
	}
	if err := pause(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if u, err := url.Parse("http://h/x"); err != nil || redirect(&http.Request{URL: u, Header: http.Header{}}, make([]*http.Request, maxRedirects)) == nil {
		t.Errorf("follows for ever, %v", err)
	}
}
