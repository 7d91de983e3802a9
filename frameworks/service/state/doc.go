// Package state decides what the service framework does: which instances run
// where, how deployments go on, what becomes of instances that fail, are ill or
// cut off, and why something does not run.
//
// It is a core: Step is the one way in, time and chance are inputs, effects are
// performed in order. What reveals a change comes after it is durable. The shell
// and the faces of the service framework import it, and nobody else.
package state
