package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever is asked, there is an answer, and a refusal says why in JSON; nothing
// that clients send is an error of the server's.
func FuzzServe(f *testing.F) {
	w := newTown(f)
	for _, seed := range [][4]string{
		{"GET", "/v2/apps", "label=a", ""},
		{"POST", "/v2/apps", "force", `{"id":"/a","cmd":"x","instances":0}`},
		{"PUT", "/v2/apps//a", "dryRun=true", `{"version":"2015-01-01T00:00:00.000Z"}`},
		{"PUT", "/v2/apps", "partialUpdate=false", `[{"id":"a","cmd":"y"}]`},
		{"DELETE", "/v2/apps/a/tasks/b", "scale", ""},
		{"DELETE", "/v2/apps/a", "force=no", ""},
		{"POST", "/v2/tasks/delete", "wipe=true", `{"ids":["a"]}`},
		{"PUT", "/v2/groups/g", "", `{"apps":[{"id":"a","cmd":"x","instances":0}],"groups":[{"id":"h"}]}`},
		{"PUT", "/v2/groups/g", "", `{"scaleBy":1e300}`},
		{"PATCH", "/v2/groups/g", "", `{"enforceRole":true}`},
		{"GET", "/v2/groups/g/versions/x", "embed=group.apps", ""},
		{"DELETE", "/v2/deployments/x", "force=true", ""},
		{"GET", "/v2/queue/a/why", "", ""},
		{"POST", "/v2/eventSubscriptions", "callbackUrl=nonsense", ""},
		{"GET", "/metrics", "", ""},
		{"BREW", "/v2/\x00", "%", "\xff"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if to := parseRoute(path, w.existing()).to; to == eventStream || to == callbacks && strings.Contains(query, "http") {
			return // streams do not end, and what is posted to is there
		}
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}, Host: "h", RemoteAddr: "1.2.3.4:5",
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r.WithContext(t.Context()))
		if rec.Code >= 500 {
			t.Fatalf("%s %q ?%q %q: status %d: %s", method, path, query, body, rec.Code, rec.Body)
		}
		if rec.Code < 400 {
			return
		}
		var refused struct{ Message string }
		if err := json.Unmarshal(rec.Body.Bytes(), &refused); err != nil || refused.Message == "" || rec.Body.Len() > 1<<20 {
			t.Fatalf("%s %q ?%q %q: status %d, %v: %.1000s", method, path, query, body, rec.Code, err, rec.Body)
		}
	})
}
