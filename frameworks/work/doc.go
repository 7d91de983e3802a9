// Package work decides how a set of tasks gets done: which offer a task is
// launched on, when a failed one is launched again, when there is nothing to
// launch and the framework had better not be offered anything.
//
// It is a core: Step is the one way in, time is an input, effects are performed
// in order. frameworks.Tasks is its shell.
package work
