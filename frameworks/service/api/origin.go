package api

import (
	"fmt"
	"net/http"
	"slices"
)

// Origins says which pages of other sites may use the API. Browsers send requests
// for any page that somebody looks at, and an app is a command: without this,
// looking at a page would be enough to run one.
type Origins struct {
	allowed []string
	all     bool
	guard   http.CrossOriginProtection
}

// ParseOrigins reads origins, as in https://ops.example.com; "*" are all. The error
// names the one that is none.
func ParseOrigins(list []string) (*Origins, error) {
	o := &Origins{allowed: list, all: slices.Contains(list, "*")}
	for _, one := range list {
		if one == "*" {
			continue
		}
		if err := o.guard.AddTrustedOrigin(one); err != nil {
			return nil, fmt.Errorf("origin %q: %w", one, err)
		}
	}
	return o, nil
}

// admit refuses what a page of another site must not do, and tells browsers what it
// may.
func (o *Origins) admit(w http.ResponseWriter, r *http.Request) error {
	origin := r.Header.Get("Origin")
	if len(o.allowed) > 0 {
		w.Header().Add("Vary", "Origin")
	}
	if origin != "" && (o.all || slices.Contains(o.allowed, origin)) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "ETag, Location, Marathon-Deployment-Id, X-Marathon-Leader")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, If-Match, If-None-Match")
		}
	}
	if o.all {
		return nil
	}
	if err := o.guard.Check(r); err != nil {
		return refuse(http.StatusForbidden, "Pages of %s may not change anything here", shortened(origin))
	}
	return nil
}
