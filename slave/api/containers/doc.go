// Package containers is the part of the agent's operator API that is about
// containers: it launches them, waits for them, signals and removes them, and
// carries their input and output. Per request there is one actor that visits the
// host that has the container; the agent finds it. Wiring mounts it.
package containers
