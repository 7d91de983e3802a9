// Package cluster holds the messages between the parts of a cluster that no
// Mesos client sees: master, agent, executor host, allocator and registry, one
// .proto file for what each receives. Any package may import it.
package cluster
