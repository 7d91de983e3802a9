package master

import (
	"context"
	"errors"
	"time"

	"troupe/actors"
	"troupe/master/registry"
	"troupe/master/state"
	"troupe/master/state/view"
	"troupe/messages/cluster"
)

// Names of the actors.
const (
	Name          = "master"
	RegistrarName = "registrar"
	AllocatorName = "allocator"
	observers     = "observer/" // and the agent's S3
)

// Store keeps the registry. Its methods are called by one goroutine at a time,
// and may block. An error of Write ends this master's leadership.
type Store interface {
	// Load returns every record.
	Load(ctx context.Context) ([]*cluster.RegistryRecord, error)
	// Write makes changes durable before it returns: all of them, or none.
	Write(ctx context.Context, changes []registry.Change) error
	// Size of what is stored, in bytes. Called from any goroutine.
	Size() int64
}

// Publisher takes the read side's events, in order. It must not block.
type Publisher interface {
	Publish(event view.Event)
}

// Options make a master. A zero duration means its default.
type Options struct {
	// What the machine is told; its Allocator is filled in when empty.
	Config state.Config
	Store  Store
	// Nil: nobody reads.
	Publisher Publisher
	// Nil: agents of all hosts are offered.
	Whitelist Whitelist
	// Between two pings of an agent; 15 s.
	PingTimeout time.Duration
	// Unanswered pings in a row that make an agent unreachable; 5.
	MaxPingTimeouts int
	// What may wait for the master; by default 4 million messages and 256 MiB: a
	// scheduler that is offered a whole cluster answers all of it at once.
	Mailbox actors.Limits
	// For the registry to be read at the start, 1 min, and for one write, 20 s.
	RegistryFetchTimeout, RegistryStoreTimeout time.Duration
}

func (o Options) withDefaults(sys *actors.System) (Options, error) {
	if o.Store == nil {
		return o, errors.New("start master: Options.Store is not set")
	}
	if o.Config.MasterID == "" {
		return o, errors.New("start master: Options.Config.MasterID is empty")
	}
	if o.Config.Allocator == "" {
		o.Config.Allocator = state.Peer(sys.PID(AllocatorName).String())
	}
	if o.Whitelist != nil {
		o.Config.Whitelist = o.Whitelist.Hosts()
	}
	if o.Publisher == nil {
		o.Publisher = nobody{}
	}
	if o.Mailbox.MailboxMessages <= 0 {
		o.Mailbox.MailboxMessages = 4 << 20
	}
	if o.Mailbox.MailboxBytes <= 0 {
		o.Mailbox.MailboxBytes = 256 << 20
	}
	if o.PingTimeout <= 0 {
		o.PingTimeout = 15 * time.Second
	}
	if o.MaxPingTimeouts <= 0 {
		o.MaxPingTimeouts = 5
	}
	if o.RegistryFetchTimeout <= 0 {
		o.RegistryFetchTimeout = time.Minute
	}
	if o.RegistryStoreTimeout <= 0 {
		o.RegistryStoreTimeout = 20 * time.Second
	}
	if o.Config.TotalPingTimeout <= 0 {
		o.Config.TotalPingTimeout = o.PingTimeout * time.Duration(o.MaxPingTimeouts)
	}
	return o, nil
}

type nobody struct{}

func (nobody) Publish(view.Event) {}
