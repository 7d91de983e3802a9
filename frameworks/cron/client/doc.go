// Package client speaks the REST API of Chronos, and what the cron framework adds
// to it. It knows that API alone: its words are its own, not the server's. Commands
// and whoever wants a client of it import it.
package client
