// Package core decides who is offered what: hierarchical dominant resource
// fairness over roles and frameworks, with filters, suppression and
// reservations, as the messages of troupe.cluster's allocator.proto tell it.
//
// It is a core: Step is the one way in, time and chance are inputs, and what
// it wants done comes back as effects. The allocator's actor and the simulator
// import it.
//
// A change marks the agents it touches. Soon after, one pass looks at the
// marked agents, in a random order, and gives what is free on each to the
// client with the lowest weighted dominant share that may and would have it,
// down to nothing worth offering. See ../DESIGN.md.
package core
