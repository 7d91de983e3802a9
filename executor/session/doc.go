// Package session is the executor's side of the executor protocol, as a
// machine: it subscribes at the agent and, after the agent was away,
// subscribes again with what was not acknowledged; it keeps every update until
// its acknowledgement, and gives up when no agent comes back in time.
//
// It is a core like frameworks/session: Step is the one way in, time and
// chance are inputs, effects are performed in order. The executor package is
// its shell.
package session
