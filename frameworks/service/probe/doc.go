// Package probe asks instances whether they are well, and whether they are ready:
// over HTTP, HTTPS and TCP, from where the framework is. It keeps the pace of many
// thousand checks with one goroutine and one timer; only checks that are under way
// have goroutines and sockets, and their number is bounded.
//
// The shell of the service framework imports it.
package probe
