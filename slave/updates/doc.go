// Package updates delivers the status updates of an agent's tasks to the
// master: in order per task, each repeated until it is acknowledged, the next
// only after that. It is a core: Streams.Step is the one way in, and nothing
// here knows of clocks, files or actors. Only slave/state imports it.
//
// A stream begins with its first update and ends with the acknowledgement of
// a terminal one. What is added must be durable already. Acknowledgements
// need not be: one that is forgotten costs a repetition, which the master and
// its frameworks tolerate.
package updates
