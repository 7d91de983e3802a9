package api

import (
	"net/http"
	"strings"

	"troupe/messages/carrier/guard"
)

// The realms of a master.
const (
	ReadOnly  guard.Realm = "mesos-master-readonly"
	ReadWrite guard.Realm = "mesos-master-readwrite"
	Scheduler guard.Realm = "mesos-master-scheduler"
)

// realms are those of paths that are not ReadOnly for who reads.
var realms = map[string]guard.Realm{
	// What finds the leader, or says nothing but that a master is there.
	"/health": guard.Open, "/leader": guard.Open, "/redirect": guard.Open, "/version": guard.Open,
	"/help": guard.Open, "/system/stats.json": guard.Open,

	"/api/v1/scheduler": Scheduler,

	"/api/v1": ReadWrite, "/teardown": ReadWrite,
	"/reserve": ReadWrite, "/unreserve": ReadWrite, "/create-volumes": ReadWrite, "/destroy-volumes": ReadWrite,
	"/quota": ReadWrite, "/quota/": ReadWrite, "/weights": ReadWrite,
	"/reservations": ReadWrite, "/reservations/": ReadWrite,
	"/maintenance/schedule": ReadWrite, "/machine/down": ReadWrite, "/machine/up": ReadWrite,
	"/masters/add": ReadWrite, "/masters/remove": ReadWrite,
	"/logging/toggle": ReadWrite,
	"/debug/pprof/":   ReadWrite, "/debug/pprof/cmdline": ReadWrite, "/debug/pprof/profile": ReadWrite,
	"/debug/pprof/symbol": ReadWrite, "/debug/pprof/trace": ReadWrite, schedulerProfiles: ReadWrite,
}

// RealmOf is the realm of a request to a master, by the path of its route. What
// is not named belongs to ReadOnly, if it reads, and else to ReadWrite.
func RealmOf(method, path string) guard.Realm {
	if rest, under := strings.CutPrefix(path, "/master/"); under {
		path = "/" + rest
	}
	if realm, named := realms[path]; named {
		return realm
	}
	if realm, named := realms[strings.TrimSuffix(path, ".json")]; named {
		return realm
	}
	if method == http.MethodGet || method == http.MethodHead {
		return ReadOnly
	}
	return ReadWrite
}
