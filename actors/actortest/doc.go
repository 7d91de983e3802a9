// Package actortest is for tests of actors: a Probe that records what it is
// sent, a Stepper that runs actors one message at a time in an order drawn from
// a seed, and a Network in memory that loses, delays and repeats messages and
// falls apart as told; and NewSystem, for tests that need no more than a system.
// Only tests and simulations import it.
//
// Time is virtual inside a bubble of testing/synctest: actors' timers and the
// network's delays take no real time, and Pass lets some of it go by. With a
// Stepper in the bubble as Runner and as the Network's clock, the same seed
// gives the same order of everything, except for work that actors hand to
// Context.Go while other such work of theirs is under way.
package actortest
