// Package files serves a daemon's files over HTTP, as Mesos's clients expect:
// sandboxes and logs, at /files/browse, /files/read, /files/download and
// /files/debug, and for the calls LIST_FILES and READ_FILE. Nothing outside
// what was attached can be reached, neither with ".." nor over symbolic links.
// HTTP faces and wiring import it.
package files
