// Package agent holds the calls of the operator API of an agent
// (mesos.v1.agent) and their answers. Any package may import it.
package agent
