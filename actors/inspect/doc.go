// Package inspect lets operators see a process: its actors, links and lost
// messages, its metrics, its health, its log level and profiles, all served on
// the system's own port. Reading never stops an actor. Wiring imports it.
package inspect
