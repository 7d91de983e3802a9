// Package rollout calculates how the service framework gets from one root of
// groups to another: the steps of a deployment, and for one app how many
// instances to start and to end next so that enough of them are well at any
// moment.
//
// It is a core: functions of values alone. Everything of the service framework
// may import it.
package rollout
