package guard

import (
	"net/http"
	"slices"
)

// Closed answers the paths that nobody may ask for, as Mesos's firewall does,
// and hands everything else on to h. Paths match as they are written.
func Closed(paths []string, h http.Handler) http.Handler {
	if len(paths) == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(paths, r.URL.Path) {
			http.Error(w, "Endpoint '"+r.URL.Path+"' is disabled", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
