// Package frameworktest lets the author of a scheduler test it without a
// cluster: a master with agents in name only, which offers what they have and
// reports of each task what the test wants. Tests import it.
//
// There are two of them, which know the same and can do the same:
//
//   - A Stage is for a Scheduler that does everything in its methods and through
//     its Driver (Go, After, Now). It runs in the test's goroutine, under a clock
//     that only the test moves: nothing is awaited, and ten minutes of backoff
//     take no time.
//   - A Master is an actor, for a Scheduler that has goroutines and clocks of its
//     own, or a process of its own. Its tests wait with Await and AwaitCall. In a
//     bubble of testing/synctest, and after Timely, time is virtual there, too.
package frameworktest
