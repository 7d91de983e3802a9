// Package legacy answers the requests that Mesos's clients knew before its v1
// API: a GET of a path, with or without ".json" behind it, whose answer is
// JSON, a script that calls a function with it (jsonp), and compressed for
// those that take it. HTTP faces import it.
package legacy
