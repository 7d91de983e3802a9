package api

import (
	"net/http"
	"slices"
	"strings"

	"troupe/messages/carrier/legacy"
	"troupe/messages/json"
)

// unset are what nobody has configured, since this master cannot: reading gives
// the empty truth, and what would change it is answered with 501.
var unset = []struct {
	path, help string
	reads      byte // how the empty truth opens; 0: there is nothing to read
	writes     []string
}{
	{"/quota", "quotas: there are none", '{', []string{"POST", "DELETE"}},
	{"/quota/", "not served", 0, []string{"DELETE"}},
	{"/weights", "weights of roles: there are none", '[', []string{"PUT"}},
	{"/maintenance/schedule", "the schedule of maintenance: it is empty", '{', []string{"POST"}},
	{"/maintenance/status", "machines in maintenance: there are none", '{', nil},
	{"/machine/down", "not served", 0, []string{"POST"}},
	{"/machine/up", "not served", 0, []string{"POST"}},
}

func mountUnset(r Router) {
	for _, u := range unset {
		methods := u.writes
		if u.reads != 0 {
			methods = append([]string{"GET", "HEAD"}, methods...)
		}
		h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case !slices.Contains(methods, r.Method):
				refuseMethod(rw, r, methods)
			case slices.Contains(u.writes, r.Method):
				http.Error(rw, r.Method+" "+u.path+": is not served", http.StatusNotImplemented)
			default:
				legacy.Serve(rw, r, func(w *json.Writer) { writeEmpty(w, u.reads) })
			}
		})
		both(r, u.path, u.help, h)
		if u.reads != 0 {
			both(r, u.path+".json", u.help, h)
		}
	}
}

func refuseMethod(rw http.ResponseWriter, r *http.Request, expected []string) {
	rw.Header().Set("Allow", strings.Join(expected, ", "))
	http.Error(rw, "method "+r.Method+": expecting "+strings.Join(expected, ", "), http.StatusMethodNotAllowed)
}

func writeEmpty(w *json.Writer, opens byte) {
	if opens == '[' {
		w.BeginArray()
		w.EndArray()
		return
	}
	w.BeginObject()
	w.EndObject()
}
