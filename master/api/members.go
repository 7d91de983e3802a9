package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"troupe/messages/carrier/legacy"
	"troupe/messages/json"
)

// Member is one of the masters that keep the registry among themselves.
type Member struct {
	ID      string
	Address string // host:port
	Leads   bool
}

// Membership is who the masters are, and how that is changed. Its functions may
// be called from any goroutine, and may block for some seconds.
type Membership struct {
	// List is in any order; they are shown by address.
	List func() ([]Member, error)
	// Add and Remove change who belongs to them, on the leading master.
	Add, Remove func(address string) error
	// Elsewhere answers a change that another master has to make, or says false:
	// this one leads.
	Elsewhere func(http.ResponseWriter, *http.Request) bool
}

// MountMembership mounts /masters, which lists them, and /masters/add and
// /masters/remove, which take a POST with ?address=host:port.
func MountMembership(r Router, m Membership) {
	r.Route("/masters", "who the masters are", http.HandlerFunc(m.list))
	r.Route("/masters/add", "POST ?address=host:port: let a master belong to the masters", m.change(m.Add))
	r.Route("/masters/remove", "POST ?address=host:port: take a master out of the masters", m.change(m.Remove))
}

func (m Membership) list(rw http.ResponseWriter, r *http.Request) {
	if !legacy.Allowed(rw, r) {
		return
	}
	members, err := m.List()
	if err != nil {
		http.Error(rw, err.Error(), http.StatusServiceUnavailable)
		return
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Address, b.Address) })
	legacy.Serve(rw, r, func(w *json.Writer) { writeMembers(w, members) })
}

func writeMembers(w *json.Writer, members []Member) {
	w.BeginObject()
	w.Key("masters")
	w.BeginArray()
	for _, member := range members {
		w.BeginObject()
		w.Field("id", member.ID)
		w.Field("address", member.Address)
		w.Field("leading", member.Leads)
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
}

func (m Membership) change(change func(address string) error) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			rw.Header().Set("Allow", "POST")
			http.Error(rw, "method "+r.Method+": expecting POST", http.StatusMethodNotAllowed)
			return
		}
		if m.Elsewhere(rw, r) {
			return
		}
		address := r.URL.Query().Get("address")
		if address == "" {
			http.Error(rw, "address is absent: expecting ?address=host:port", http.StatusBadRequest)
			return
		}
		if !utf8.ValidString(address) {
			http.Error(rw, "address: "+strconv.Quote(shortened(address))+": is not UTF-8", http.StatusBadRequest)
			return
		}
		if err := change(address); err != nil {
			http.Error(rw, err.Error(), http.StatusConflict)
			return
		}
		rw.WriteHeader(http.StatusOK)
	})
}
