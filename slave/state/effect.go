package state

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/slave/state/view"
)

// Effect is what an agent does; the list below is closed. The shell performs
// effects strictly in order. The machine produces an effect that reveals what
// must be durable only after the Checkpointed that answers its Checkpoint.
type Effect interface{ effect() }

// Send sends a message, which nobody modifies any more.
type Send struct {
	To      Peer
	Message proto.Message
}

// SetTimer asks for TimerFired{Key}; setting a key again replaces it.
type SetTimer struct {
	Key   string
	After time.Duration
}

// CancelTimer takes a timer back; a key that is not set is no error.
type CancelTimer struct{ Key string }

// Link asks for PeerExited.
type Link struct{ Peer Peer }

// Unlink takes Link back.
type Unlink struct{ Peer Peer }

// Checkpoint appends to the journal; answered by Checkpointed when that is
// durable.
type Checkpoint struct {
	Key     uint64
	Records []*cluster.JournalRecord
}

// MakeSandbox makes a container's folder; answered by SandboxMade.
type MakeSandbox struct {
	Framework FrameworkID
	Executor  ExecutorID
	Container ContainerID
	// Whose it shall be; empty means the agent's own user.
	User string
}

// MakeVolumes makes the folders of volumes, and keeps one that is there and
// empty; answered by VolumesChanged.
type MakeVolumes struct {
	Operation OperationID
	Volumes   []Volume
}

// RemoveVolumes deletes all that is in volumes, whether it is there or not;
// answered by VolumesChanged.
type RemoveVolumes struct {
	Operation OperationID
	Volumes   []Volume
}

// LinkVolumes gives volumes to their users, and shows them in an executor's
// sandbox, also when it does so already; answered by VolumesLinked.
type LinkVolumes struct {
	Container ContainerID
	Launch    uint64
	Sandbox   string
	Links     []VolumeLink
}

// RetireSandbox gives a container's folder over to be collected.
type RetireSandbox struct {
	Framework FrameworkID
	Executor  ExecutorID
	Container ContainerID
}

// ForgetExit removes what was recorded of how a task of a group ended, before its
// container's folder is retired, which removes what is left of that.
type ForgetExit struct {
	Container ContainerID
	Task      TaskID
}

// RetireStandalone does so with the folder of a container that was no executor's.
type RetireStandalone struct{ Container ContainerID }

// RetireInner does so with the folder of a container that has ended before its
// executor, or before it was removed; or takes it back.
type RetireInner struct {
	// Around is the sandbox that stays, and Inner the path in it: empty for that of a
	// container that stands alone.
	Around, Inner string
	Since         time.Time
	Reclaimed     bool
}

// StartHost starts a host's process; answered by HostStarted, and by HostEnded
// when it ends. The process sends HostReady.
type StartHost struct{ Host HostID }

// KillHost ends a host's process at once; answered by HostEnded, also when
// there is none.
type KillHost struct {
	Host HostID
	// 0 if unknown.
	Pid int32
}

// WatchHost finds a host that another agent process started. Answered like
// StartHost; by HostEnded also when that process is gone, whatever has its
// number now.
type WatchHost struct {
	Host HostID
	Pid  int32
	// See HostStarted.
	Started uint64
}

// Sweep ends and removes what is left of containers whose host is gone; answered
// by Swept.
type Sweep struct {
	Host       HostID
	Containers []Remains
}

// Remains are what a host that is gone has left of a container.
type Remains struct {
	Container ContainerID
	// Empty if it is not known.
	Sandbox string
	// Of groups, which have been given and whose end nobody has told.
	Tasks []TaskID
}

// FindStrays looks for containers, whoever they are of; answered by StraysFound.
type FindStrays struct{}

// RemoveStrays ends and removes what is left of containers that nobody has.
type RemoveStrays struct{ Containers []Remains }

// Publish tells the read side.
type Publish struct{ Event view.Event }

// Level of a Note.
type Level uint8

// The levels, from the least urgent.
const (
	Debug Level = iota
	Info
	Warn
)

// Field is a named value of a Note.
type Field struct{ Name, Value string }

// Note is a line of the log.
type Note struct {
	Level  Level
	Text   string
	Fields []Field
}

// Exit ends the agent's process; it is the last effect.
type Exit struct {
	Reason string
	// Whether it is for a fault.
	Err error
}

func (Send) effect()             {}
func (SetTimer) effect()         {}
func (CancelTimer) effect()      {}
func (Link) effect()             {}
func (Unlink) effect()           {}
func (Checkpoint) effect()       {}
func (MakeSandbox) effect()      {}
func (MakeVolumes) effect()      {}
func (RemoveVolumes) effect()    {}
func (LinkVolumes) effect()      {}
func (RetireSandbox) effect()    {}
func (RetireStandalone) effect() {}
func (ForgetExit) effect()       {}
func (RetireInner) effect()      {}
func (StartHost) effect()        {}
func (KillHost) effect()         {}
func (WatchHost) effect()        {}
func (Sweep) effect()            {}
func (FindStrays) effect()       {}
func (RemoveStrays) effect()     {}
func (Publish) effect()          {}
func (Note) effect()             {}
func (Exit) effect()             {}
