// Package master is the master as actors: Master performs what its machine in
// master/state decides, Registrar makes changes of the registry durable, and
// an Observer watches each agent. Wiring imports it; nothing else does.
package master
