package plan

import "time"

// Job is what somebody asked for. It is immutable once it is put.
type Job struct {
	Name    string
	Trigger Trigger
	Policy  Policy
	Command Command
	About   About
	// CPUs are shares of a core, Mem and Disk are in MiB.
	CPUs, Mem, Disk float64
	Environment     []Pair        `json:",omitempty"`
	Fetch           []Fetch       `json:",omitempty"`
	Constraints     [][3]string   `json:",omitempty"` // attribute, operator, value
	Container       *Container    `json:",omitempty"`
	MaxCompletion   time.Duration `json:",omitempty"` // a run that takes longer is killed, and has failed; 0 is no limit
}

// Trigger says when a job runs: by its schedule, or when all of its parents have
// succeeded since it last ran. It has one of the two.
type Trigger struct {
	Schedule string   `json:",omitempty"`
	Zone     string   `json:",omitempty"` // of the tz database; keeps the wall of the schedule
	Parents  []string `json:",omitempty"` // sorted, each once
}

// Overlap is what happens when a job is due while a run of it has not ended.
type Overlap string

// What may happen. The empty Overlap is Skip.
const (
	Skip         Overlap = "skip"          // the due time passes
	Allow        Overlap = "allow"         // both run
	KillExisting Overlap = "kill-existing" // the new run begins when the killed one has ended
)

// Policy is how runs of a job are treated.
type Policy struct {
	Overlap Overlap `json:",omitempty"`
	// Epsilon is how late a run may begin; a later one is left out. 0: a run is
	// made up for however late, once for all that was missed.
	Epsilon time.Duration `json:",omitempty"`
	Retries int           `json:",omitempty"` // of each run
	// RetryDelay is between the end of an attempt and the next; 0 is Options'.
	RetryDelay     time.Duration `json:",omitempty"`
	SoftError      bool          `json:",omitempty"` // dependents go on as if a failed run had succeeded
	Disabled       bool          `json:",omitempty"`
	HighPriority   bool          `json:",omitempty"`
	Async          bool          `json:",omitempty"` // a run whose command succeeded ends by Finish
	DataProcessing bool          `json:",omitempty"` // runs count elements by Progress
}

// Command is what a run executes.
type Command struct {
	Text          string   `json:",omitempty"`
	Arguments     []string `json:",omitempty"`
	Exec          bool     `json:",omitempty"` // no shell: Arguments are argv
	User          string   `json:",omitempty"`
	Executor      string   `json:",omitempty"`
	ExecutorFlags string   `json:",omitempty"`
	TaskInfoData  string   `json:",omitempty"`
}

// About is for people.
type About struct {
	Owner, OwnerName, Description string            `json:",omitempty"`
	Tags                          map[string]string `json:",omitempty"`
}

// Pair is a variable of the environment, or a parameter.
type Pair struct{ Name, Value string }

// Fetch is a file that is brought into the sandbox.
type Fetch struct {
	URI                        string
	Executable, Cache, Extract bool   `json:",omitempty"`
	OutputFile                 string `json:",omitempty"`
	// Older: it was asked for by the older form, which names a URI alone, and is
	// shown so.
	Older bool `json:",omitempty"`
}

// Container is where a run executes.
type Container struct {
	Type, Image, Network, NetworkName string   `json:",omitempty"`
	Volumes                           []Volume `json:",omitempty"`
	Parameters                        []Pair   `json:",omitempty"`
	ForcePull                         bool     `json:",omitempty"`
	// Joins are networks that the container joins, beside or instead of Network.
	Joins []Join `json:",omitempty"`
}

// Join is a network that a container joins, and which of its ports are reached
// from the host's there.
type Join struct {
	Name, Protocol string   `json:",omitempty"` // Protocol is IPv4 or IPv6, or empty
	Labels         []Pair   `json:",omitempty"`
	Ports          []Mapped `json:",omitempty"`
}

// Mapped is a port of the container that is reached by one of the host's.
type Mapped struct {
	HostPort, ContainerPort int    `json:",omitempty"`
	Protocol                string `json:",omitempty"` // tcp or udp; empty is tcp
}

// Volume is a folder of the host, or an external one, in the container.
type Volume struct {
	HostPath, ContainerPath, Mode string `json:",omitempty"`
	ExternalName, ExternalDriver  string `json:",omitempty"`
	ExternalOptions               []Pair `json:",omitempty"`
}
