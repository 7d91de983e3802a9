// Package daemon assembles the processes of a cluster from their parts: each
// has Options, a Start that returns once it serves, and ends in order. Flags,
// signals and output are those of package commands, which imports it.
package daemon
