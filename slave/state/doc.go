// Package state is the agent's machine: who its master is, which executors
// and tasks it has, which hosts hold them, and what is said to whom. It is a
// core: Machine.Step is the one way in, time and chance are inputs, and the
// same inputs give the same effects. Only the shell in package slave and
// simulations import it.
//
// A task is accepted, then durable, then its executor's sandbox is made, a
// host is found that has room, the container is launched there, the executor
// subscribes and is given the task. What an executor says of a task is
// durable before the executor and the master hear of it.
package state
