// Package examples is three frameworks of the size that the SDK aims at: hello
// (one task), batch (a file of commands, with retries) and mapreduce (an
// executor of its own); and a scheduler in Python, of which the cluster has no
// line. Beside them, policy is an allocator of one's own, which takes the place
// of the master's. Nobody imports it; its tests run them on a real cluster.
package examples
