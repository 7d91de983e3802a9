// Package master holds the calls of the operator API of the master
// (mesos.v1.master), their answers and its event stream. Any package may
// import it.
package master
