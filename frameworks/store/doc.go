// Package store keeps the state of a framework: values under keys, which the
// framework reads once, when it starts, and holds in memory from then on. What
// changes is written as batches, each of them whole or not at all, and durable
// when Apply returns, so that a framework can write before it answers, or acts.
//
// There are three stores of one behaviour. Memory is for tests and for what may
// be lost; File is one file, and the default; ZooKeeper is for frameworks of
// several processes, of which one leads (see frameworks/store/lead). No value
// and no batch is too large for them; the whole has to fit into memory.
//
// A store has an owner, the name of the framework, and gives its content to no
// other. What is damaged, foreign or of a later version is refused with an error
// that says what to do, and never begun anew. At most one process can write: a
// file is locked, and what is in ZooKeeper is written by the leader alone.
//
// Wiring imports it. The shells of frameworks declare the part of Store that
// they need; its methods name no types of this package.
package store
