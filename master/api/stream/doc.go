// Package stream is the operator API's event stream: what changes in the
// cluster, told to many at once. Events are numbered and kept in a bounded log;
// each is encoded once for every form that somebody reads, and the bytes are
// shared. A subscriber is a place in the log: one that falls behind what is kept
// is cut off, and one that comes back may go on where it was. The master's face
// mounts it.
package stream
