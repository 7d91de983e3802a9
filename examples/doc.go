// Package examples is frameworks of the size that the SDK aims at, each around
// something real; a scheduler in Python, of which the cluster has no line; and
// an allocator of one's own, policy, which takes the place of the master's. The
// README at the top lists them. Nobody imports it; its tests run them on a real
// cluster.
package examples
