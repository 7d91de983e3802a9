// Package scheduler holds what a scheduler and the master say to each other
// (mesos.v1.scheduler): Call and Event. Any package may import it.
package scheduler
