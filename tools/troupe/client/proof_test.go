package client

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A proof goes with every request, also where a master sends who asks on to the
// one that leads.
func TestProofGoesEverywhere(t *testing.T) {
	asked := map[string]int{}
	check := func(name string, then http.HandlerFunc) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			principal, secret, _ := r.BasicAuth()
			if principal != "ops" || secret != "se:same" {
				t.Errorf("%s is asked by %q with %q", name, principal, secret)
			}
			asked[name]++
			then(w, r)
		}))
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	leader := check("the leader", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"slaves":[]}`)) })
	standby := check("the other", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "//"+strings.Replace(leader, "127.0.0.1", "localhost", 1)+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	c, err := New(standby, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.ProveToBe("ops", "se:same")
	if _, err := c.Agents(t.Context()); err != nil {
		t.Fatal(err)
	}
	if asked["the leader"] != 1 || asked["the other"] != 1 {
		t.Errorf("asked: %v", asked)
	}
}
