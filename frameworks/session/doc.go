// Package session is the scheduler's side of the scheduler protocol, as a
// machine: it subscribes and subscribes again, keeps account of offers and
// tasks, acknowledges updates once the author has taken them in, drops
// repetitions, reconciles after every subscription, and repeats kills until
// their task has ended.
//
// It is a core: Step is the one way in, time and chance are inputs, and the
// effects it returns are performed in order by a shell. The frameworks package
// is that shell; simulators drive the same core under a virtual clock.
package session
