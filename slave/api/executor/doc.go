// Package executor is Mesos's executor API over HTTP, POST /api/v1/executor: a
// Call in a request is sent to the agent's actor as it is, and the agent's
// Events go out as records of a stream. Per subscription there is one actor,
// which the agent cannot tell from a native executor. Wiring mounts it.
package executor
