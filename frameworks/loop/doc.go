// Package loop runs a machine whose decisions are pure: one that takes an input
// and the time, and returns effects. The loop feeds it inputs one at a time,
// performs its effects strictly in order, writes what it wants to be durable
// off to the side and in order, wakes it up, and lets others ask it questions.
// Whoever writes a framework as such a machine needs no lock, no goroutine and
// no clock of their own.
//
//	inputs ──Put, Ask──▶ queue ──▶ Step ──▶ effects ──▶ Perform
//	           ▲                                          │ Persist, SetTimer, Answer, Fail
//	           └──────────────────────────────────────────┘
//
// Shells of frameworks import it, ours and others'.
package loop
