// Package check decides, for one task, when its check and its health check
// run, and what of their results is told. It is a core: Step is the one way
// in, time is an input, effects are performed in order. Package probe asks,
// and package task, which imports both, is the shell.
//
// A check reports what it learns without judging it, and only what is new. A
// health check judges: every failure is told, of successes the first and the
// first after a failure; as many failures in a row as it allows end the task.
// Failures within the grace period, which runs from the task's start and ends
// with the first success, count for nothing and are not told.
package check
