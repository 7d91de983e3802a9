// Package view is what the master shows of its state: immutable records, the
// events that replace them, and a model that collects the events. The master's
// machine publishes events in order; whoever applies them all to a Model has
// the same picture, and may read a Snapshot of it at leisure. The package is
// pure; faces and shells may import it.
package view
