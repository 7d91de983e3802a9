package frameworks

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/messages/cluster"
	"troupe/messages/masters"
	"troupe/messages/mesos/scheduler"
)

// native is the scheduler's actor: the ground of its shell, and the carrier that
// speaks with the master's actor, unless Options.HTTP brings another.
type native struct {
	system  *actors.System
	context *actors.Context
	shell   *shell
	options Options
	remote  *remote // nil without Options.HTTP
	// master is who was spoken with last, at is its printed address.
	master actors.PID
	at     string
}

// Init subscribes. It is called by the system.
func (n *native) Init(c *actors.Context) {
	n.context = c
	n.shell.ground, n.shell.carrier = n, n
	if h := n.options.HTTP; h != nil {
		n.remote = h.carrier(n.options, n, n.shell)
		n.shell.carrier = n.remote
	}
	receive := func(c *actors.Context, m proto.Message) { n.shell.Received(c.Sender().String(), c.Principal(), m) }
	actors.Handle(c, func(c *actors.Context, e *scheduler.Event) { receive(c, e) })
	actors.Handle(c, n.notLeading)
	c.HandleAny(receive)
	c.HandleExited(func(_ *actors.Context, e actors.Exited) { n.shell.Lost(e.PID.String(), e.Reason) })
	n.shell.begin()
}

// Finalize hangs up.
func (n *native) Finalize(*actors.Context) {
	if n.remote != nil {
		n.remote.close()
	}
}

// notLeading turns away from a master that does not lead.
func (n *native) notLeading(c *actors.Context, m *cluster.NotLeading) {
	hint := ""
	if m.GetLeader() != nil {
		if at, err := masters.Address(m.GetLeader()); err == nil {
			hint = at
		}
	}
	n.shell.NotLeading(c.Sender().String(), hint)
}

// Now implements Ground.
func (n *native) Now() time.Time { return time.Now() }

// Do implements Ground.
func (n *native) Do(f func()) bool {
	return n.system.Do(n.context.Self(), func(*actors.Context) { f() })
}

// Go implements Ground.
func (n *native) Go(work func(ctx context.Context) (then func())) { n.context.Go(work) }

// After implements Ground.
func (n *native) After(wait time.Duration, f func()) Timer { return n.context.After(wait, f) }

// Link implements Carrier.
func (n *native) Link(master string) { n.with(master, n.context.Link) }

// Unlink implements Carrier.
func (n *native) Unlink(master string) { n.with(master, n.context.Unlink) }

// Send implements Carrier.
func (n *native) Send(master string, c *scheduler.Call) {
	n.with(master, func(pid actors.PID) { n.context.Send(pid, c) })
}

// with does something with a master's actor, whose address the shell has made of
// one.
func (n *native) with(master string, do func(actors.PID)) {
	if master != n.at {
		pid, err := address.Parse(master)
		if err != nil {
			panic("frameworks: " + err.Error())
		}
		n.master, n.at = pid, master
	}
	do(n.master)
}
