package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/resources"
)

// Peer is an actor's printed address.
type Peer string

// Input is what may happen to an agent; the list below is closed.
type Input interface{ input() }

// Started comes once, before anything else.
type Started struct {
	// What the journal held.
	Records []*cluster.JournalRecord
	// The machine was started anew since the journal was written: no container
	// has outlived that.
	Rebooted bool
	// How many parts of the journal could not be read, and were left out.
	Damaged int
}

// MasterDetected names the leading master, without its incarnation; empty
// when there is none.
type MasterDetected struct{ Master Peer }

// Received is a message as it came. The machine takes it for immutable, and
// keeps parts of it.
type Received struct {
	From Peer
	// Of the connection the message came on; empty without authentication.
	Principal string
	Message   proto.Message
}

// PeerExited tells that the link to a peer is gone, after all its messages.
type PeerExited struct{ Peer Peer }

// TimerFired tells that the time of a SetTimer is over.
type TimerFired struct{ Key string }

// Checkpointed answers the Checkpoint with the same Key. Answers come in the
// order of the effects.
type Checkpointed struct {
	Key uint64
	// Not nil: the journal failed, and with it the agent.
	Err error
}

// JournalStalled tells that what the journal was asked for waits for room on the
// disk. The answers come when there is some.
type JournalStalled struct {
	// Nil: there is room again.
	Err error
}

// SandboxMade answers MakeSandbox.
type SandboxMade struct {
	Container ContainerID
	// Names the folder.
	Err error
}

// VolumesChanged answers MakeVolumes and RemoveVolumes.
type VolumesChanged struct {
	Operation OperationID
	// Names the folder.
	Err error
}

// VolumesLinked answers LinkVolumes.
type VolumesLinked struct {
	Container ContainerID
	Launch    uint64
	// Names the path in the sandbox.
	Err error
}

// HostStarted answers StartHost and WatchHost: the host's process runs, and is
// the one that was meant.
type HostStarted struct {
	Host HostID
	Pid  int32
	// In clock ticks since the machine started.
	Started uint64
}

// HostEnded tells that a host's process is gone, or could not be started or
// found.
type HostEnded struct {
	Host HostID
	// Why, for people; may be empty.
	Message string
}

// Swept answers Sweep.
type Swept struct {
	Host HostID
	// How programs had ended before, as wait(2) has it; of those of which that was
	// recorded.
	Exits map[Program]int32
}

// Program is a container's own or, if Task is not empty, that of a task of a group
// in it.
type Program struct {
	Container ContainerID
	Task      TaskID
}

// StraysFound answers FindStrays: the containers that are there, each once,
// without those that are within others.
type StraysFound struct{ Containers []ContainerID }

// Estimated tells what the agent lends of what is allocated, but not used.
type Estimated struct{ Resources resources.Resources }

// Preempted says that a container must end, as it was lent what others need.
type Preempted struct {
	Container ContainerID
	// For people.
	Why string
}

// ShutdownOrdered ends everything the agent runs, and then the agent.
type ShutdownOrdered struct{ Reason string }

func (Started) input()         {}
func (MasterDetected) input()  {}
func (Received) input()        {}
func (PeerExited) input()      {}
func (TimerFired) input()      {}
func (Checkpointed) input()    {}
func (JournalStalled) input()  {}
func (SandboxMade) input()     {}
func (VolumesChanged) input()  {}
func (VolumesLinked) input()   {}
func (HostStarted) input()     {}
func (HostEnded) input()       {}
func (Swept) input()           {}
func (StraysFound) input()     {}
func (Estimated) input()       {}
func (Preempted) input()       {}
func (ShutdownOrdered) input() {}
