// Package client reads masters and agents over HTTP for troupe's commands: the
// same endpoints and keys that any Mesos client reads. Only the commands in
// tools/troupe import it.
package client
