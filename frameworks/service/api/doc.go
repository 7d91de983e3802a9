// Package api is the REST API of the service framework, which is Marathon's v2
// API: its paths, envelopes, status codes and event stream, and beside them some
// resources of our own. It decides nothing: it reads requests with
// frameworks/service/wire into inputs of frameworks/service/state, and writes what
// was published. Wiring imports it.
package api
