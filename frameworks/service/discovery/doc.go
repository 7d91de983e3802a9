// Package discovery tells where the instances of apps are reached: over HTTP as a
// list and as a stream of events, and, by the packages below it, over DNS and as the
// configuration of an HAProxy. It reads what the service framework has published.
//
// It is a face. The framework's shell and wiring may import it.
//
//	directory := discovery.New(board)
//	defer directory.Close()
//	mux.Handle("/v2/endpoints/", directory.Handler())
package discovery
