// Package mesos is the vocabulary of the Mesos v1 APIs (mesos.v1 on the wire):
// what frameworks, agents, tasks and resources are. Any package may import it.
package mesos
