// Package view is what an agent shows of its state: immutable records, the
// events that replace them, and a model that collects the events. The agent's
// machine publishes events in order; whoever applies them all to a Model has
// the same picture. The package is pure; faces and shells may import it.
package view
