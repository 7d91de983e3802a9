// Package api is the agent's face: what it shows over HTTP, under the paths
// and keys that Mesos's clients know, and to Prometheus. It reads pictures
// that the agent publishes, beside its actors. Only wiring imports it.
package api
