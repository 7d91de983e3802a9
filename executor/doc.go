// Package executor is what the author of an executor imports: the executor's
// side of the protocol in an actor, and Run, which makes a process out of a
// Handler. Executors that are functions per task need only RunTasks.
//
// Its folders hold the executors that are built in (command, pod), what they
// share (task, program, volume), how tasks are checked (check, probe), the
// process that holds them (host), and the protocol itself as a pure machine
// (session).
package executor
