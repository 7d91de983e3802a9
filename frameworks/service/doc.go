// Package service runs the service framework on a cluster: a scheduler over the
// public SDK that has state.Machine decide, and performs what it decides. All that
// touches the world is given to it: the store, what performs checks, who reads.
//
// Wiring imports it, as troupe service and troupe local do.
package service
