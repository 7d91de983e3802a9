package guard

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestClosed(t *testing.T) {
	open := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "open") })
	for path, want := range map[string]string{
		"/files/browse": "Endpoint '/files/browse' is disabled\n", "/files/browse/": "open", "/files": "open", "/": "open",
	} {
		w := httptest.NewRecorder()
		Closed([]string{"/flags", "/files/browse"}, open).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Body.String() != want || (w.Code == http.StatusForbidden) != (want != "open") {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if Closed(nil, open).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/flags", nil)); w.Body.String() != "open" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
