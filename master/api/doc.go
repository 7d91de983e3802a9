// Package api is the master's read side over HTTP: the routes that Mesos's
// tools and dashboards read, answered from a View that the master's events
// feed. No request touches the master's actor; what a request shows is one
// moment's Snapshot, encoded as it is sent. Wiring imports it.
package api
