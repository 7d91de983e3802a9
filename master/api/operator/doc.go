// Package operator answers the calls of mesos.v1.master, POST /api/v1: reads
// from snapshots of what the master shows, changes by asking the master's
// actor. The master's face mounts it.
package operator
