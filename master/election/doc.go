// Package election is how masters agree on the one that leads: what a contest
// of masters, a term of leadership and a detector of leaders promise. Alone is
// the contest of a master that has no rivals; packages below hold those that
// vote. The wiring imports it; what clients need of a Detector they declare
// themselves.
//
//	            Lead            elected           term lost
//	standing by ────▶ candidate ───────▶ leading ───────────▶ the process ends
//
// A process leads at most once. What it would have to forget to stand by again
// (machine, allocator, actors that speak for it) is forgotten most surely by a
// new process, which its supervisor starts.
package election
