// Package overhttp speaks with a master for a scheduler over HTTP: a subscription
// is a request whose answer is a stream of records, one for each event, and every
// other call is a request of its own that names the subscription. It decides
// nothing about either; the SDK's shell imports it.
package overhttp
