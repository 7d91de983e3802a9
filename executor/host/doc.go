// Package host is the process in which an agent's executors live: built-in
// executors as actors, executors of frameworks as child processes. A host
// dials the agent that started it, outlives it, and waits for it to come back.
// Wiring imports it, for the hidden command executor-host.
//
// # When a host ends
//
//   - told to stop (StopHost), once it holds no container;
//   - when its agent is gone and it holds nothing, not even the news of a
//     container's end: at once;
//   - when its agent is gone and stays away for the recovery timeout: it kills
//     what it holds;
//   - told to by its own process (the context of Run): it kills what it holds.
//
// When a host dies, the kernel kills the programs it started.
package host
