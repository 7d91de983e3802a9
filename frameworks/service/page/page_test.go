package page_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"troupe/frameworks/service/page"
)

func get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// Every file is there, with its type, and everything that one names is one.
func TestFiles(t *testing.T) {
	types := map[string]string{"html": "text/html", "css": "text/css", "js": "text/javascript"}
	named := regexp.MustCompile(`(?:from "\./|src="|href=")([a-z]+\.(?:js|css))"`)
	err := fs.WalkDir(os.DirFS("ui"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		at := "/ui/" + path
		if path == "index.html" {
			at = "/ui/"
		}
		w := get(at)
		if want := types[path[strings.LastIndexByte(path, '.')+1:]]; w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Header())
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s: %s", path, w.Header())
		}
		for _, m := range named.FindAllStringSubmatch(w.Body.String(), -1) {
			if other := get("/ui/" + m[1]); other.Code != 200 {
				t.Errorf("%s names %s: %d", path, m[1], other.Code)
			}
		}
		if strings.Contains(w.Body.String(), "innerHTML") {
			t.Errorf("%s makes HTML of text", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestElsewhere(t *testing.T) {
	if w := get("/ui"); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "/ui/" {
		t.Errorf("%d %s", w.Code, w.Header())
	}
	for _, path := range []string{"/ui/none", "/ui/../page.go", "/x"} {
		if w := get(path); w.Code == http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
