// Package endpoints says where the instances of an app are reached, and which of
// them are to be used: what DNS answers, load balancers and clients are told.
//
// It is a core: it calculates, out of what the service framework has published. All
// parts of discovery and whoever shows endpoints may import it.
package endpoints
