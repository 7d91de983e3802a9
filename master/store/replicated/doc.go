// Package replicated keeps the registry on all masters at once: a log that a
// majority of them has written is applied, in the same order, to a copy of the
// registry on each. Whoever leads in the sense of Raft is the leading master.
// The package is a device: it decides nothing about the cluster, and sends its
// requests through a Wire that the master's shell provides. Wiring opens a
// Node; the master's shell may carry its messages.
//
// On disk, in the folder that Open is given:
//
//	log.db                    Raft's log, term and vote (bbolt), each value with its CRC-32C
//	snapshots/TERM-INDEX-MS/  a snapshot: meta.json, and state.bin, whose CRC-64 meta.json has
//
// DESIGN.md says why a write is acknowledged by the leader of its own term only.
package replicated
