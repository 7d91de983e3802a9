// Package executor holds what an executor and its agent say to each other
// (mesos.v1.executor): Call and Event. Any package may import it.
package executor
