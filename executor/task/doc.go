// Package task is the life of a task under a built-in executor: Machine
// decides, Crew performs for all the tasks of one container. The executors
// command and pod are made of it.
package task
