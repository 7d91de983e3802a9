package placement

import (
	"time"

	"troupe/frameworks/match"
)

// Settings are the framework's, and the same for all its apps.
type Settings struct {
	// Role of apps that name none.
	Role string
	// Principal that reservations and volumes name; "" is none.
	Principal string
	// EnvPrefix comes before the names of variables about ports.
	EnvPrefix string
	// Region is the master's. Apps without a constraint on the region stay in it;
	// "" lets them go anywhere.
	Region string
	// BridgeNetwork is what containers of type MESOS attach to for a bridge; "" is
	// DefaultBridge.
	BridgeNetwork string
	// Executor of apps that name none; "" and "//cmd" are the built-in one.
	Executor string
	// Draining is how long before a maintenance nothing is placed on its agents.
	Draining time.Duration
	// KeepGPUs leaves agents that offer GPUs to apps that want some.
	KeepGPUs bool
}

// DefaultBridge is the network that a bridge is by default.
const DefaultBridge = "mesos-bridge"

// Attempt is to place one instance.
type Attempt struct {
	// ID of the instance, which its reservations are labelled with. Task is the
	// id of the task, new for each attempt.
	ID, Task string
	// Held is what was reserved for the instance before; nil for nothing.
	Held *Reservation
	// Spread counts the app's instances for Recipe.Constraints; nil where there
	// are none. An instance that is placed is counted there.
	Spread *match.Spread
	Now    time.Time
	// Chance decides which of the free ports are taken.
	Chance uint64
}

// Reservation is what an instance with persistent volumes has on an agent, so
// that it can be launched there again. The core makes it durable before the
// operations that make it so.
type Reservation struct {
	Agent   string
	Volumes []HeldVolume
}

// HeldVolume is a persistent volume of an instance.
type HeldVolume struct {
	Path string // in the container
	ID   string // of the persistence: unique on the agent
}
