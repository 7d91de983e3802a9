package slave

import (
	"context"
	"errors"
	"time"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state"
	"troupe/slave/state/view"
)

// Names of the actors.
const (
	Name    = "agent"
	keepers = "host/" // and the host's H1
)

// Capabilities is what agents of this version can do; wiring puts it into the
// machine's configuration. Limits tells that tasks can be held to limits of CPUs and
// memory above their requests.
func Capabilities(limits bool) []mesos.AgentInfo_Capability_Type {
	list := []mesos.AgentInfo_Capability_Type{
		mesos.AgentInfo_Capability_MULTI_ROLE, mesos.AgentInfo_Capability_HIERARCHICAL_ROLE,
		mesos.AgentInfo_Capability_AGENT_DRAINING, mesos.AgentInfo_Capability_RESERVATION_REFINEMENT,
		mesos.AgentInfo_Capability_RESIZE_VOLUME, mesos.AgentInfo_Capability_AGENT_OPERATION_FEEDBACK,
	}
	if limits {
		list = append(list, mesos.AgentInfo_Capability_TASK_RESOURCE_LIMITS)
	}
	return list
}

// Journal keeps what the agent must know again when it starts. Its callbacks
// come in the order of the calls, from any goroutine, and do not block.
type Journal interface {
	// Append makes records durable, all or none.
	Append(records []*cluster.JournalRecord, done func(error))
	// Rewrite replaces everything that was appended before by records that say
	// the same, or, when it fails, nothing.
	Rewrite(records []*cluster.JournalRecord, done func(error))
	// OnStall has f told when records cannot be made durable for want of room on
	// the disk, which keeps Append's answers waiting, and, by nil, when they can.
	OnStall(f func(error))
	// Grown tells that a Rewrite would pay off.
	Grown() bool
}

// Sandboxes makes the folders of containers, and collects them later. Its
// methods may be called from any goroutine.
type Sandboxes interface {
	// Run is where a container's folder is; it only calculates.
	Run(agent, framework, executor, container string) string
	// Standalone is where the folder of a container is that is no executor's.
	Standalone(container string) string
	// Make makes it, for a user or, if that is empty, for the agent's own.
	Make(agent, framework, executor, container, user string) (string, error)
	// Retire gives a folder over to be collected.
	Retire(path string, since time.Time)
	// RetireInner gives over the folder of a container within another, by its path in
	// that's, which stays.
	RetireInner(around, inner string, since time.Time)
	// Reclaim takes a folder back.
	Reclaim(path string)
	// RetireAll gives over every folder that live does not know.
	RetireAll(live func(path string) bool) error
	// ForgetExit removes what was recorded of how a task of a group ended.
	ForgetExit(container, task string)
	// Collect removes what is due. It may take long.
	Collect(ctx context.Context, now time.Time) error
}

// Volumes keeps the data of persistent volumes. Its methods may block, and are
// called from any goroutine, not two for one volume at once but Link.
type Volumes interface {
	// Path is where a volume's folder is; it only calculates.
	Path(v state.Volume) string
	// Make makes the folders of new volumes durable, all or none.
	Make(list []state.Volume) error
	// Remove deletes all that is in volumes; one that is gone is no error.
	Remove(list []state.Volume) error
	// Link gives volumes to their users, and shows those in a sandbox that have a
	// place there, also when they are there already.
	Link(sandbox string, links []state.VolumeLink) error
}

// Processes starts executor hosts and looks after them. Its methods may block,
// and are called from any goroutine.
type Processes interface {
	// StartHost starts a host that will dial agent. It is not to end with the
	// agent's process.
	StartHost(agent actors.PID, id string) (HostProcess, error)
	// WatchHost finds a host that another agent process started, by what its
	// HostProcess said then: it fails when that process is gone.
	WatchHost(pid int, started uint64) (HostProcess, error)
	// Sweep ends every process of containers whose host is gone, removes what was
	// made for them, and says how their programs had ended where that was recorded,
	// as wait(2) has it. An error names what could not be ended or removed.
	Sweep(ctx context.Context, list []state.Remains) (map[state.Program]int32, error)
	// Strays lists all containers of this machine that an agent with the same
	// settings has made, by which agent process and host ever. What an error names is
	// not among them.
	Strays(ctx context.Context) ([]state.ContainerID, error)
}

// HostProcess is an executor host's process.
type HostProcess interface {
	Pid() int
	// Started is when, in clock ticks since the machine started.
	Started() uint64
	// Done is closed when the process has ended.
	Done() <-chan struct{}
	// Message says how it ended, valid once Done is closed.
	Message() string
	// Kill ends it at once.
	Kill() error
}

// Publisher takes the read side's events, in order. It must not block.
type Publisher interface {
	Publish(event view.Event)
}

// Options make an agent. A zero duration means its default.
type Options struct {
	// What the machine is told; Sandbox and Seed are filled in.
	Config state.Config
	// Where the master is, if that never changes; see also Service.SetMaster. The
	// zero PID means that there is none yet.
	Master actors.PID
	// Detector, if not nil, finds the master.
	Detector Detector
	// What the journal held.
	Records []*cluster.JournalRecord
	// The machine was started anew since the journal was written.
	Rebooted bool
	// How many parts of the journal could not be read.
	Damaged   int
	Journal   Journal
	Sandboxes Sandboxes
	Volumes   Volumes
	Processes Processes
	// Nil: nobody reads.
	Publisher Publisher
	Lending   Lending
	// Between two collections of sandboxes; 1 min.
	DiskWatchInterval time.Duration
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Journal == nil:
		return o, errors.New("start agent: Options.Journal is not set")
	case o.Sandboxes == nil:
		return o, errors.New("start agent: Options.Sandboxes is not set")
	case o.Volumes == nil:
		return o, errors.New("start agent: Options.Volumes is not set")
	case o.Processes == nil:
		return o, errors.New("start agent: Options.Processes is not set")
	case o.Config.Info == nil:
		return o, errors.New("start agent: Options.Config.Info is not set")
	}
	if l := o.Lending; (l.Estimator != nil || l.Controller != nil || l.History != nil) && l.Meter == nil {
		return o, errors.New("start agent: Options.Lending.Meter is not set")
	}
	if o.Lending.Interval <= 0 {
		o.Lending.Interval = estimateInterval
	}
	if o.Publisher == nil {
		o.Publisher = nobody{}
	}
	if o.DiskWatchInterval <= 0 {
		o.DiskWatchInterval = time.Minute
	}
	return o, nil
}

type nobody struct{}

func (nobody) Publish(view.Event) {}
