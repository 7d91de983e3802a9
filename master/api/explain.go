package api

import (
	"context"
	"net/http"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier/legacy"
	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

// MountExplain mounts /allocator/explain, which says in words why a framework
// is offered nothing, or no more. ask asks the allocator, and waits for its
// reply until the context is done.
func MountExplain(r Router, ask func(context.Context, proto.Message) (proto.Message, error)) {
	h := func(rw http.ResponseWriter, q *http.Request) {
		if !legacy.Allowed(rw, q) {
			return
		}
		id := q.URL.Query().Get("framework")
		if id == "" {
			http.Error(rw, "framework is missing: /allocator/explain?framework=ID", http.StatusBadRequest)
			return
		}
		if !utf8.ValidString(id) {
			http.Error(rw, "framework: "+strconv.Quote(shortened(id))+": is not UTF-8", http.StatusBadRequest)
			return
		}
		reply, err := ask(q.Context(), &cluster.ExplainOffers{FrameworkId: &mesos.FrameworkID{Value: &id}})
		if err != nil {
			http.Error(rw, "the allocator does not answer: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		explained, ok := reply.(*cluster.OffersExplained)
		switch {
		case !ok:
			http.Error(rw, "the allocator cannot explain itself", http.StatusNotImplemented)
		case !explained.GetKnown():
			http.Error(rw, "framework "+shortened(id)+": is not known to the allocator", http.StatusNotFound)
		default:
			legacy.Serve(rw, q, func(w *json.Writer) { w.Message(explained) })
		}
	}
	both(r, "/allocator/explain", "why ?framework=ID is offered nothing, or no more", http.HandlerFunc(h))
}
