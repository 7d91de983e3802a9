// Package cgroups is what the isolators below it have in common: where control
// groups are, version 1 (also beside a version 2 without controllers, "hybrid")
// or version 2, the folders of containers in them, and how what is in such a
// folder is read, written, killed and removed. Imported by those isolators, by
// launchers, and by wiring.
//
// Files are read and written here and not by github.com/containerd/cgroups: that
// opens every controller to read one, and builds a large message each time. The
// statistics of 500 containers, as of each second, take half the time and a
// twentieth of the memory this way (BenchmarkUsageOf500). It serves where that
// does not count: to load device filters on version 2, and to check the figures
// of this package in tests.
package cgroups
