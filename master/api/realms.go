package api

import "troupe/messages/carrier/guard"

// The realms of a master.
const (
	ReadOnly  guard.Realm = "mesos-master-readonly"
	ReadWrite guard.Realm = "mesos-master-readwrite"
	Scheduler guard.Realm = "mesos-master-scheduler"
)

// Realms are those of a master's paths.
var Realms = guard.Table{Prefix: "/master", ReadOnly: ReadOnly, ReadWrite: ReadWrite, Named: map[string]guard.Realm{
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
}}
