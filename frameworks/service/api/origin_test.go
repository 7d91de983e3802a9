package api_test

import (
	"testing"

	"troupe/frameworks/service/api"
)

func TestOrigins(t *testing.T) {
	some, err := api.ParseOrigins([]string{"https://ops.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := api.ParseOrigins([]string{"*"})
	if err != nil {
		t.Fatal(err)
	}
	const app = `{"id":"/a","cmd":"x"}`
	for _, c := range []struct {
		origins     *api.Origins
		origin      string
		site        string // what the browser says of it
		posted, got int
		allowed     bool
	}{
		{nil, "", "", 201, 200, false}, // no browser
		{nil, "https://evil.example.com", "cross-site", 403, 200, false},
		{nil, "https://evil.example.com", "", 403, 200, false},
		{nil, "http://here", "same-origin", 201, 200, false},
		{some, "https://ops.example.com", "cross-site", 201, 200, true},
		{some, "https://evil.example.com", "cross-site", 403, 200, false},
		{all, "https://evil.example.com", "cross-site", 201, 200, true},
	} {
		s := newStage(t, func(o *api.Options) { o.Origins = c.origins })
		var headers []string
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		if c.site != "" {
			headers = append(headers, "Sec-Fetch-Site", c.site)
		}
		s.ask("POST", "/v2/apps", app, headers...).is(c.posted)
		r := s.ask("GET", "/v2/apps", "", headers...).is(c.got)
		if got := r.header.Get("Access-Control-Allow-Origin"); (got == c.origin && got != "") != c.allowed {
			t.Errorf("%+v: Access-Control-Allow-Origin %q", c, got)
		}
		if r := s.ask("OPTIONS", "/v2/apps", "", headers...).is(204); (r.header.Get("Access-Control-Allow-Methods") != "") != c.allowed {
			t.Errorf("%+v: headers %v", c, r.header)
		}
	}
	for _, bad := range []string{"ops.example.com", "https://a/b", ""} {
		if _, err := api.ParseOrigins([]string{bad}); err == nil {
			t.Errorf("%q is taken for an origin", bad)
		}
	}
}
