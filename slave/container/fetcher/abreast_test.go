package fetcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAbreast: as many as may be are fetched at once, and no more; where they go does
// not depend on which comes first.
func TestAbreast(t *testing.T) {
	const files = 3 * abreast
	var under, most atomic.Int64
	crowd := make(chan struct{})
	full := sync.OnceFunc(func() { close(crowd) })
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		if n == abreast {
			full()
		}
		select {
		case <-crowd:
			fmt.Fprint(w, r.URL.Path)
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	for _, cached := range []bool{false, true} {
		o := Order{Sandbox: t.TempDir(), Settings: Settings{CacheDir: t.TempDir(), CacheSize: 1 << 20}}
		want := map[string]string{}
		for i := range files {
			name := fmt.Sprint("f", i)
			o.URIs = append(o.URIs, URI{Value: s.URL + "/" + name, Cache: cached, OutputFile: "d/" + name})
			want["d/"+name] = "/" + name
		}
		if log, err := try(t, o); err != nil {
			t.Fatalf("%v; %s", err, log)
		}
		for name, text := range want {
			if got := read(t, o.Sandbox+"/"+name); got != text {
				t.Errorf("%s has %q", name, got)
			}
		}
	}
	if n := most.Load(); n != abreast {
		t.Errorf("%d at once", n)
	}
}

// TestLaterReplaces: what two archives have, the later one's is there, however much
// later the earlier one comes.
func TestLaterReplaces(t *testing.T) {
	second := make(chan struct{})
	first, other := archiveOf(t, "both", "conf/first"), archiveOf(t, "conf/both", "conf/second")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/1.tgz":
			<-second
			_, _ = w.Write(first)
		case "/2.tgz":
			_, _ = w.Write(other)
			close(second)
		}
	}))
	defer s.Close()
	o := Order{Sandbox: t.TempDir(), URIs: []URI{
		{Value: s.URL + "/1.tgz", Extract: true}, {Value: s.URL + "/2.tgz", Extract: true}, {Value: packed(t, "conf/both"), OutputFile: "both"},
	}}
	if log, err := try(t, o); err != nil {
		t.Fatalf("%v; %s", err, log)
	}
	want := "map[1.tgz:-rw-r--r-- 2.tgz:-rw-r--r-- both:-rw------- conf/both:-rwxr-xr-x conf/first:-rwxr-xr-x conf/second:-rwxr-xr-x]"
	if got := fmt.Sprint(modes(t, o.Sandbox)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestFailureEndsTheOthers: what is under way when something fails ends at once, what
// was to follow is not begun, and the sandbox is as it was.
func TestFailureEndsTheOthers(t *testing.T) {
	var late atomic.Int64
	under := make(chan struct{}, abreast)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			under <- struct{}{}
			_, _ = w.Write(make([]byte, 1<<20))
			<-r.Context().Done()
		case "/fails":
			for range abreast - 1 {
				<-under
			}
			w.WriteHeader(http.StatusNotFound)
		default:
			late.Add(1)
		}
	}))
	defer s.Close()
	endless := URI{Value: s.URL + "/endless"}
	for _, cached := range []bool{false, true} {
		o := Order{Sandbox: t.TempDir(), Settings: Settings{CacheDir: t.TempDir(), CacheSize: 1 << 30}}
		for i := range abreast - 1 {
			endless.OutputFile, endless.Cache = fmt.Sprint("e", i), cached
			endless.Value = fmt.Sprint(s.URL, "/endless?", i) // else they would share it
			o.URIs = append(o.URIs, endless)
		}
		o.URIs = append(o.URIs, URI{Value: s.URL + "/fails", Cache: cached}, URI{Value: s.URL + "/after", Cache: cached})
		_, err := try(t, o)
		if err == nil || !strings.HasPrefix(err.Error(), "fetching "+s.URL+"/fails: ") || strings.Contains(err.Error(), "endless") {
			t.Errorf("got %v", err)
		}
		if got := modes(t, o.Sandbox); len(got) > 0 {
			t.Errorf("it leaves %v", got)
		}
	}
	if n := late.Load(); n > 0 {
		t.Errorf("begins %d afterwards", n)
	}
	// Nor is anything, when one of them cannot be.
	o := Order{Sandbox: t.TempDir(), URIs: []URI{{Value: s.URL + "/after"}, {Value: "ftp://host/x"}, {Value: "s3://host/x"}}}
	_, err := try(t, o)
	if err == nil || !strings.Contains(err.Error(), "command.uris[1].value") || !strings.Contains(err.Error(), "; command.uris[2].value") || late.Load() > 0 {
		t.Errorf("got %v, and asked %d times", err, late.Load())
	}
}

// TestAllFailuresAreTold, in the order of the URIs, but not of what was only ended.
func TestAllFailuresAreTold(t *testing.T) {
	errs := []error{nil, errors.New("one"), nil, errors.New("three")}
	var all atomic.Int64
	ready := make(chan struct{})
	sources := make([]source, len(errs))
	for i := range sources {
		sources[i].shown = fmt.Sprint(i)
	}
	err := each(t.Context(), sources, func(ctx context.Context, i int, _ *source) error {
		if all.Add(1) == int64(len(errs)) {
			close(ready)
		}
		<-ready
		if errs[i] == nil {
			<-ctx.Done()
			return fmt.Errorf("ended: %w", context.Cause(ctx))
		}
		return errs[i]
	})
	if err == nil || err.Error() != "fetching 1: one; fetching 3: three" || !errors.Is(err, errs[3]) {
		t.Errorf("got %v", err)
	}
	errEnough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := each(ctx, sources, func(ctx context.Context, _ int, _ *source) error {
		cancel(errEnough)
		<-ctx.Done()
		return ctx.Err()
	}); !errors.Is(err, errEnough) || strings.Contains(err.Error(), "fetching") {
		t.Errorf("got %v", err)
	}
	many := make([]error, maxFailures+3)
	for i := range many {
		many[i] = fmt.Errorf("e%d", i)
	}
	if err := failures(many); !strings.HasPrefix(err.Error(), "e0; e1; ") || !strings.HasSuffix(err.Error(), "; e7; and 3 more") {
		t.Errorf("got %v", err)
	}
}

// TestClashes: what two URIs would write is refused, with both named, before anything
// is fetched.
func TestClashes(t *testing.T) {
	for _, test := range []struct {
		name string
		uris []URI
		want []string // in the error; none if there is none
	}{
		{"two of a name", []URI{{Value: "http://a/x"}, {Value: "http://b/y"}, {Value: "http://user:pass@c/x?q"}}, []string{`command.uris[2].output_file: "x"`, "command.uris[0], which is http://a/x:"}},
		{"the same twice", []URI{{Value: "http://a/x"}, {Value: "http://a/x"}}, []string{"command.uris[1]", "command.uris[0]"}},
		{"by output_file", []URI{{Value: "/d/x"}, {Value: "/d/y", OutputFile: "./a/../x"}}, []string{"command.uris[1]", "which is /d/x"}},
		{"a folder first", []URI{{Value: "/d/x", OutputFile: "a/b/c"}, {Value: "/d/a"}}, []string{`command.uris[1].output_file: "a"`, "a folder and a file", "which is /d/x"}},
		{"a folder later", []URI{{Value: "/d/a"}, {Value: "/d/x", OutputFile: "a/b/c"}}, []string{`command.uris[1].output_file: "a/b/c"`, "a folder and a file", "which is /d/a"}},
		{"what a file is unpacked to", []URI{{Value: "/d/x.gz", Extract: true}, {Value: "/d/x"}}, []string{"command.uris[1]", "which is /d/x.gz"}},
		{"not unpacked", []URI{{Value: "/d/x.gz"}, {Value: "/d/x"}}, nil},
		{"other folders", []URI{{Value: "/d/x"}, {Value: "/e/x", OutputFile: "e/x"}, {Value: "/f/x", OutputFile: "e/y"}}, nil},
		{"two clashes", []URI{{Value: "/d/x"}, {Value: "/e/x"}, {Value: "/f/x"}}, []string{"command.uris[1]", "; command.uris[2]"}},
		{"for what is on its way", []URI{{Value: "/d/x", OutputFile: staging + "/0/file"}}, []string{"command.uris[0].value", "taken while things are fetched"}},
		{"its folder", []URI{{Value: "http://a/" + staging}}, []string{"taken while things are fetched"}},
	} {
		_, err := parseAll(test.uris, Settings{})
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: got %v", test.name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) || bytes.Contains([]byte(err.Error()), []byte("pass@")) {
				t.Errorf("%s: got %v, want %q", test.name, err, want)
			}
		}
	}
}
