package legacy

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"troupe/messages/json"
)

func hello(w *json.Writer) {
	w.BeginObject()
	w.Field("hello", "world")
	w.EndObject()
}

func serve(r *http.Request, write func(*json.Writer)) *httptest.ResponseRecorder {
	rw := httptest.NewRecorder()
	Serve(rw, r, write)
	return rw
}

func TestServe(t *testing.T) {
	for _, test := range []struct {
		method, query string
		code          int
		kind, body    string
	}{
		{"GET", "", 200, "application/json", `{"hello":"world"}`},
		{"HEAD", "", 200, "application/json", `{"hello":"world"}`}, // the server leaves the body out
		{"GET", "?jsonp=f", 200, "text/javascript", `f({"hello":"world"});`},
		{"GET", "?jsonp=angular.callbacks._0", 200, "text/javascript", `angular.callbacks._0({"hello":"world"});`},
		{"GET", "?jsonp=" + url.QueryEscape("alert(1);f"), 400, "text/plain; charset=utf-8", "jsonp=\"alert(1);f\" is no name of a function\n"},
		{"GET", "?jsonp=" + strings.Repeat("a", 129), 400, "text/plain; charset=utf-8", "jsonp=\"" + strings.Repeat("a", 129) + "\" is no name of a function\n"},
		{"POST", "", 405, "text/plain; charset=utf-8", "method POST: expecting GET\n"},
		{"DELETE", "?jsonp=f", 405, "text/plain; charset=utf-8", "method DELETE: expecting GET\n"},
	} {
		got := serve(httptest.NewRequest(test.method, "/state"+test.query, nil), hello)
		if got.Code != test.code || got.Header().Get("Content-Type") != test.kind || got.Body.String() != test.body {
			t.Errorf("%s %s: %d %q %q", test.method, test.query, got.Code, got.Header(), got.Body)
		}
	}
}

func TestCompressedForThoseThatTakeIt(t *testing.T) {
	long := `"` + strings.Repeat("a", 1024) + `"`
	for _, test := range []struct {
		accept []string
		want   bool
	}{
		{nil, false},
		{[]string{"gzip"}, true},
		{[]string{"deflate, GZIP;q=0.5"}, true},
		{[]string{"deflate", "gzip"}, true},
		{[]string{"gzip;q=0"}, false},
		{[]string{"gzip; q=0.0, *"}, false},
		{[]string{"*"}, true},
		{[]string{"*;q=0"}, false},
		{[]string{"identity"}, false},
		{[]string{"gzip;q=many"}, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/state?jsonp=f", nil)
		r.Header["Accept-Encoding"] = test.accept
		got := serve(r, func(w *json.Writer) { w.String(long[1 : len(long)-1]) })
		body := io.Reader(got.Body)
		if small := got.Header().Get("Content-Encoding") == "gzip"; small != test.want {
			t.Errorf("%q: compressed is %v", test.accept, small)
		} else if small {
			var err error
			if body, err = gzip.NewReader(got.Body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(body)
		if err != nil || string(text) != "f("+long+");" || got.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %q, %v, %v", test.accept, text, err, got.Header())
		}
	}
}

// What is short is not compressed for anybody.
func TestShortAnswersStayPlain(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/state", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	got := serve(r, hello)
	if got.Header().Get("Content-Encoding") != "" || got.Body.String() != `{"hello":"world"}` {
		t.Errorf("%v, %s", got.Header(), got.Body)
	}
}

// gone is a client whose connection breaks after some bytes.
type gone struct {
	http.ResponseWriter
	left int
}

func (g *gone) Write(p []byte) (int, error) {
	if g.left -= len(p); g.left < 0 {
		return 0, errors.New("gone")
	}
	return len(p), nil
}

func TestABrokenAnswerIsNotTakenForWhole(t *testing.T) {
	for _, left := range []int{0, 5, 60 << 10} {
		for _, query := range []string{"", "?jsonp=f"} {
			aborted := func() (what any) {
				defer func() { what = recover() }()
				Serve(&gone{httptest.NewRecorder(), left}, httptest.NewRequest(http.MethodGet, "/state"+query, nil), func(w *json.Writer) {
					w.BeginArray()
					for range 10000 {
						w.String("eight by")
					}
					w.EndArray()
				})
				return nil
			}()
			if aborted != http.ErrAbortHandler {
				t.Errorf("after %d bytes: %v", left, aborted)
			}
		}
	}
}

func TestAliases(t *testing.T) {
	for path, want := range map[string][]string{
		"/state":             {"/state", "/state.json"},
		"/system/stats.json": {"/system/stats.json"},
	} {
		if got := Aliases(path); !slices.Equal(got, want) {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// FuzzServe: whatever a client asks for, the answer is one document or a
// refusal, and a script calls nothing but one function.
func FuzzServe(f *testing.F) {
	for _, s := range []string{"f", "a.b[0]", "alert(1)", "f\n", "</script>", ""} {
		f.Add(s, "gzip;q=1")
	}
	f.Fuzz(func(t *testing.T, jsonp, accept string) {
		r := httptest.NewRequest(http.MethodGet, "/state?jsonp="+url.QueryEscape(jsonp), nil)
		r.Header["Accept-Encoding"] = []string{accept}
		got := serve(r, hello)
		if got.Header().Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(unpacked)
			if err != nil {
				t.Fatal(err)
			}
			got.Body.Reset()
			got.Body.Write(text)
		}
		call, _, _ := strings.Cut(got.Body.String(), "(")
		if got.Code == http.StatusOK && jsonp != "" && (call != jsonp || strings.ContainsAny(call, " \n<>;'\"=")) {
			t.Errorf("%q: %s", jsonp, got.Body)
		}
	})
}
