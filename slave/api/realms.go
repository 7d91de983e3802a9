package api

import (
	"net/http"
	"strings"

	"troupe/messages/carrier/guard"
)

// The realms of an agent.
const (
	ReadOnly  guard.Realm = "mesos-agent-readonly"
	ReadWrite guard.Realm = "mesos-agent-readwrite"
	Executor  guard.Realm = "mesos-agent-executor"
)

// realms are those of paths that are not ReadOnly for who reads.
var realms = map[string]guard.Realm{
	"/health": guard.Open, "/version": guard.Open, "/help": guard.Open, "/system/stats.json": guard.Open,

	"/api/v1/executor": Executor,

	"/api/v1": ReadWrite, "/logging/toggle": ReadWrite,
	"/debug/pprof/": ReadWrite, "/debug/pprof/cmdline": ReadWrite, "/debug/pprof/profile": ReadWrite,
	"/debug/pprof/symbol": ReadWrite, "/debug/pprof/trace": ReadWrite, hostProfiles: ReadWrite,
}

// RealmOf is the realm of a request to an agent, by the path of its route. What
// is not named belongs to ReadOnly, if it reads, and else to ReadWrite.
func RealmOf(method, path string) guard.Realm {
	if rest, under := strings.CutPrefix(path, prefix+"/"); under {
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
