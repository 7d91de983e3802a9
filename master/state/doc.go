// Package state is the master's machine: agents, frameworks, offers and
// tasks, and every decision about them. It is pure: Step takes one input and
// returns effects, which the shell in package master performs in order.
//
// An agent:
//
//	RegisterAgent            link broke              silent, or did not return
//	─▶ (admission) ─▶ connected ⇄ disconnected ─▶ (marking) ─▶ unreachable
//	                      ▲            ReregisterAgent              │
//	   registry ─▶ recovered ───────────▶ ▲ ◀───────────────────────┘
//
// States in parentheses wait for the registrar. What an agent says while its
// own operation is in flight is ignored; it repeats itself.
//
// A framework:
//
//	SUBSCRIBE ─▶ connected ⇄ disconnected ─▶ completed
//	agents know it ─▶ recovered ─▶ connected      (failover timeout, TEARDOWN)
//
// A SUBSCRIBE that cannot be is answered with an ERROR event, which ends the
// scheduler; so is a call of a scheduler whose framework was removed, or is
// subscribed elsewhere by now. Any other call that cannot be is answered with
// an APIResult, and changes nothing. A call for a framework that is unknown or
// not connected is dropped and counted: calls of a scheduler whose link broke
// may still be under way when it subscribes again, and would then look like
// the answer to that.
//
// A call may be asked, too: then it is answered, exactly once, by an APIResult
// with a status of HTTP, and an unknown framework or a foreign one is told by
// that status alone. What the parts of a call come to is told as ever.
//
// The package may be imported by the master's shell and by simulations.
package state
