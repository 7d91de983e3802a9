// Package scheduler serves the scheduler API over HTTP: POST /api/v1/scheduler.
// For every SUBSCRIBE there is a gateway, an actor that sends the master the
// calls and gets its events, as any scheduler does; the master cannot tell them
// apart. Nothing of the protocol is decided here: what a call is answered with
// is what the master answers the gateway. Wiring imports it.
package scheduler
