// Package cgroups is what the isolators below it have in common: where control
// groups are, version 1 (also beside a version 2 without controllers, "hybrid")
// or version 2, the folders of containers in them, and how what is in such a
// folder is read, written, killed and removed. Imported by those isolators, by
// launchers, and by wiring.
//
// Files are read and written here and not by github.com/containerd/cgroups: that
// opens every controller to read one, and builds a large message each time, which
// is 40 times the cost for the statistics of 500 containers each second. It
// serves where cost does not count: device filters of version 2, and events.
package cgroups
