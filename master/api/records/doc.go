// Package records tells what the master knows in the words of the operator
// API, mesos.v1.master.Response and Event. It writes the read side's records
// straight to JSON or protobuf, with no message between. The master's faces
// import it.
package records
