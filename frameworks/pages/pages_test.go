package pages

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestHandler(t *testing.T) {
	own := fstest.MapFS{
		"index.html": {Data: []byte("<title>page</title>")}, "own.js": {Data: []byte("// own")}, "folder/x.js": {Data: []byte("// x")},
	}
	rest := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, c := range []struct {
		prefix, method, path string
		status               int
		has                  string
	}{
		{"/", "GET", "/", 200, "<title>page"},
		{"/", "GET", "/own.js", 200, "own"},
		{"/", "GET", "/style.css", 200, ":root"},
		{"/", "HEAD", "/dom.js", 200, ""},
		{"/", "POST", "/", 418, ""},
		{"/", "GET", "/folder", 418, ""},
		{"/", "GET", "/folder/", 418, ""},
		{"/", "GET", "/none", 418, ""},
		{"/", "GET", "/../pages.go", 418, ""},
		{"/", "GET", "/v1/x", 418, ""},
		{"/ui/", "GET", "/ui", 301, ""},
		{"/ui/", "GET", "/ui/", 200, "<title>page"},
		{"/ui/", "GET", "/ui/style.css", 200, ":root"},
		{"/ui/", "GET", "/style.css", 418, ""},
	} {
		w := httptest.NewRecorder()
		Handler(c.prefix, own, rest).ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s %s below %s: %d %.100s", c.method, c.path, c.prefix, w.Code, w.Body)
		}
		if guarded := w.Header().Get("Content-Security-Policy") == policy; guarded != (c.status == 200) {
			t.Errorf("%s: %v", c.path, w.Header())
		}
	}
	w := httptest.NewRecorder()
	Handler("/", own, nil).ServeHTTP(w, httptest.NewRequest("GET", "/none", nil))
	if w.Code != 404 {
		t.Errorf("nobody answers the rest: %d", w.Code)
	}
}

// Nothing that came from somewhere else may be read as HTML.
func TestSharedFilesMakeNoHTML(t *testing.T) {
	err := fs.WalkDir(embedded, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(embedded, path)
		if strings.Contains(string(text), "innerHTML") {
			t.Errorf("%s makes HTML of text", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
