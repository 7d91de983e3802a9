package api

import "troupe/messages/carrier/guard"

// The realms of an agent.
const (
	ReadOnly  guard.Realm = "mesos-agent-readonly"
	ReadWrite guard.Realm = "mesos-agent-readwrite"
	Executor  guard.Realm = "mesos-agent-executor"
)

// Realms are those of an agent's paths.
var Realms = guard.Table{Prefix: prefix, ReadOnly: ReadOnly, ReadWrite: ReadWrite, Named: map[string]guard.Realm{
	"/health": guard.Open, "/version": guard.Open, "/help": guard.Open, "/system/stats.json": guard.Open,

	"/api/v1/executor": Executor,

	"/api/v1": ReadWrite, "/logging/toggle": ReadWrite,
	"/debug/pprof/": ReadWrite, "/debug/pprof/cmdline": ReadWrite, "/debug/pprof/profile": ReadWrite,
	"/debug/pprof/symbol": ReadWrite, "/debug/pprof/trace": ReadWrite, hostProfiles: ReadWrite,
}}
