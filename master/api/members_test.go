package api_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"troupe/master/api"
)

type muxRouter struct{ *http.ServeMux }

func (m muxRouter) Route(pattern, _ string, h http.Handler) { m.Handle(pattern, h) }

func TestMembership(t *testing.T) {
	var done []string
	leads, broken := true, error(nil)
	mux := muxRouter{http.NewServeMux()}
	api.MountMembership(mux, api.Membership{
		List: func() ([]api.Member, error) {
			return []api.Member{{ID: "b", Address: "h2:1", Leads: true}, {ID: "a", Address: "h1:1"}}, broken
		},
		Add:    func(address string) error { done = append(done, "add "+address); return broken },
		Remove: func(address string) error { done = append(done, "remove "+address); return broken },
		Elsewhere: func(w http.ResponseWriter, _ *http.Request) bool {
			if !leads {
				w.WriteHeader(http.StatusTemporaryRedirect)
			}
			return !leads
		},
	})
	for _, test := range []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "/masters", 200, `{"masters":[{"id":"a","address":"h1:1","leading":false},{"id":"b","address":"h2:1","leading":true}]}`},
		{"POST", "/masters", 405, "expecting GET"},
		{"GET", "/masters?jsonp=f", 200, `f({"masters":[{"id":"a",`},
		{"GET", "/masters?jsonp=alert(1)", 400, "jsonp"},
		{"POST", "/masters/add?address=%ff", 400, "is not UTF-8"},
		{"GET", "/masters/add?address=h3:1", 405, "expecting POST"},
		{"POST", "/masters/add", 400, "address is absent"},
		{"POST", "/masters/add?address=h3:1", 200, ""},
		{"POST", "/masters/remove?address=h1:1", 200, ""},
		{"break", "", 0, ""},
		{"GET", "/masters", 503, "broken"},
		{"POST", "/masters/add?address=h4:1", 409, "broken"},
		{"stand by", "", 0, ""},
		{"POST", "/masters/add?address=h5:1", 307, ""},
	} {
		switch test.method {
		case "break":
			broken = errors.New("broken")
			continue
		case "stand by":
			leads = false
			continue
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(test.method, test.target, nil))
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s %s: %d %s", test.method, test.target, w.Code, w.Body)
		}
	}
	if got := strings.Join(done, ", "); got != "add h3:1, remove h1:1, add h4:1" {
		t.Errorf("done: %s", got)
	}
}
