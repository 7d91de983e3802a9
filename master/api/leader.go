package api

import (
	"net/http"

	"troupe/messages/json"
	"troupe/messages/mesos"
)

// MountLeader mounts /leader, by which those who know some master find the one
// that leads: {"leading": true, "leader": {MasterInfo}}. leader says who leads,
// nil while nobody is known to, and whether it is this master. It is called for
// every request and must not block.
func MountLeader(r Router, leader func() (info *mesos.MasterInfo, self bool)) {
	h := func(rw http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodGet && q.Method != http.MethodHead {
			rw.Header().Set("Allow", "GET, HEAD")
			http.Error(rw, "method "+q.Method+": expecting GET", http.StatusMethodNotAllowed)
			return
		}
		info, self := leader()
		rw.Header().Set("Content-Type", "application/json")
		w := json.NewWriter(rw)
		w.BeginObject()
		w.Field("leading", self)
		if info != nil {
			w.Key("leader")
			w.Message(info)
		}
		w.EndObject()
		if err := w.Flush(); err != nil {
			panic(http.ErrAbortHandler) // the client is gone, or must see that it lacks the end
		}
	}
	for _, path := range []string{"/leader", "/master/leader"} {
		r.Route(path, "who leads the cluster, as far as this master knows", http.HandlerFunc(h))
	}
}
