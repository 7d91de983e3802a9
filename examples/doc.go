// Package examples is three frameworks of the size that the SDK aims at: hello
// (one task), batch (a file of commands, with retries) and mapreduce (an
// executor of its own); and a scheduler in Python, of which the cluster has no
// line. Nobody imports it; its tests run them on a real cluster.
package examples
