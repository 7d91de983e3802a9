// Package events spreads what happens to those who listen: to event streams
// (server-sent events) and to callbacks, which get every event as a POST. It knows
// how Marathon's events travel, and not what they say. Who publishes never waits:
// each listener has a bounded queue, and one that cannot keep up loses its place,
// and is told so.
//
// frameworks/service/api imports it.
package events
