package replicated

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"troupe/messages/mesos"
)

// Options make a Node.
type Options struct {
	// Folder holds the log and the snapshots; it is made if need be.
	Folder string
	// Masters are the addresses, host:port, of all masters of the cluster, of
	// which Address is this one's own.
	Masters []string
	Address string
	// Info is what others are told of this master when it leads. Its id is new
	// at each start.
	Info *mesos.MasterInfo
	Wire Wire
	// ElectionTimeout is how long the masters do without a leader's sign before
	// they elect another, and up to twice as long; 600 ms. A leader that hears
	// of no majority for three quarters of it steps down.
	ElectionTimeout time.Duration
	// SnapshotAfter is how many entries are written before the next snapshot;
	// 8192. Half as many stay behind it, for masters that were away for a moment.
	SnapshotAfter uint64
	// SnapshotBytes is how many bytes of entries are written before the next
	// snapshot, if that comes sooner; 64 MiB. No more than half of it stays behind.
	SnapshotBytes int64
	// MaxLogBytes bounds the log's file, so that it fails as on a full disk; 0 is
	// no bound.
	MaxLogBytes int
	// Logger is nil for silence.
	Logger *zap.Logger
}

// MinElectionTimeout is the shortest that works: heartbeats come every tenth of
// it.
const MinElectionTimeout = 50 * time.Millisecond

func (o Options) withDefaults() (Options, error) {
	if o.ElectionTimeout == 0 {
		o.ElectionTimeout = 600 * time.Millisecond
	}
	if o.SnapshotAfter == 0 {
		o.SnapshotAfter = 8192
	}
	if o.SnapshotBytes == 0 {
		o.SnapshotBytes = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	switch {
	case o.Wire == nil:
		return o, errors.New("Options.Wire is not set")
	case o.Folder == "":
		return o, errors.New("Options.Folder is empty")
	case o.Info.GetId() == "":
		return o, errors.New("Options.Info.Id is empty")
	case o.SnapshotBytes < 0:
		return o, fmt.Errorf("snapshots after %d bytes: must not be negative", o.SnapshotBytes)
	case o.ElectionTimeout < MinElectionTimeout:
		return o, fmt.Errorf("an election timeout of %s is below %s", o.ElectionTimeout, MinElectionTimeout)
	}
	o.Masters = slices.Sorted(slices.Values(o.Masters))
	return o, CheckMasters(o.Masters, o.Address)
}

// CheckMasters tells what is wrong with a list of masters, as one of them is
// started with it.
func CheckMasters(masters []string, self string) error {
	seen := make(map[string]bool)
	for _, m := range masters {
		host, port, err := net.SplitHostPort(m)
		switch {
		case err != nil:
			return fmt.Errorf("%q is not of the form host:port: %w", m, err)
		case host == "" || port == "" || port == "0":
			return fmt.Errorf("%q lacks a host or a port", m)
		case seen[m]:
			return fmt.Errorf("%q is there twice", m)
		}
		seen[m] = true
	}
	switch n := len(masters); {
	case n == 0 || n > maxMembers:
		return fmt.Errorf("%d masters; 1 to %d", n, maxMembers)
	case !seen[self]:
		return fmt.Errorf("this master is known as %s, which is not one of %s: set --ip, --port, --advertise_ip or --advertise_port, or the list",
			self, strings.Join(masters, ","))
	}
	return nil
}
