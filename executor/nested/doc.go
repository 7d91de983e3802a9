// Package nested holds the containers that clients of the agent's HTTP API
// launch in an executor host: below an executor's container, or standing alone.
// It launches them, waits for them, signals and removes them, and carries their
// input and output. Executor hosts import it; everything here is called in the
// host's queue.
//
// A container ends with its parent at the latest, and is over only when all
// below it are. What is known of it stays until it is removed, or its outermost
// parent is gone.
package nested
