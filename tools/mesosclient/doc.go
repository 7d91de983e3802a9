// Package mesosclient is a client of the HTTP APIs that is written from the
// protocol alone: it shares nothing with the servers but the generated types of
// messages/mesos, so that a mistake of theirs cannot be its own. It is strict
// where clients elsewhere are lenient, and lets its caller break every rule. The
// tests of tools/conformance use it; the program does not.
package mesosclient
