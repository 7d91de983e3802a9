package actors

import (
	"reflect"

	"google.golang.org/protobuf/proto"

	"troupe/actors/address"
)

// PID addresses an actor; see address.PID.
type PID = address.PID

// Actor is what a component implements. Init runs in the goroutine of whoever
// spawns, before the first message, and installs the handlers; when it panics
// the spawn fails.
type Actor interface{ Init(c *Context) }

// Finalizer is an Actor that wants to say goodbye: Finalize runs after the last
// handler and after all children have stopped, and may still send.
type Finalizer interface{ Finalize(c *Context) }

// Exited tells that a linked actor will send nothing more.
type Exited struct {
	// PID as it was given to Link.
	PID PID
	// Reason is for people: "stopped", "panic: …", "no such actor", "link lost: …".
	Reason string
}

// Reasons of Exited and of dead letters that do not come from the transport.
const (
	reasonStopped     = "stopped"
	reasonNoHandler   = "no handler"
	reasonNoActor     = "no such actor"
	reasonIncarnation = "another incarnation"
	reasonFull        = "mailbox full"
	reasonLateReply   = "reply nobody waits for"
	reasonNoSender    = "reply to a message without sender"
	reasonNil         = "nil message"
	reasonBadAddress  = "invalid address"
)

// handler is one row of an actor's table.
type handler struct {
	typ reflect.Type
	run func(c *Context, m proto.Message)
}

// Handle installs h for messages of type M, a generated message; a second
// Handle for the same M replaces the first.
func Handle[M proto.Message](c *Context, h func(c *Context, m M)) {
	row := handler{
		typ: reflect.TypeFor[M](),
		run: func(c *Context, m proto.Message) { h(c, m.(M)) },
	}
	c.last = handler{}
	for i := range c.handlers {
		if c.handlers[i].typ == row.typ {
			c.handlers[i] = row
			return
		}
	}
	c.handlers = append(c.handlers, row)
}

// HandleAny installs h for messages that have no handler of their own. Without
// it they are counted as unhandled.
func (c *Context) HandleAny(h func(c *Context, m proto.Message)) { c.ensureExtras().any = h }

// HandleExited installs h for the end of linked actors.
func (c *Context) HandleExited(h func(c *Context, e Exited)) { c.ensureExtras().exited = h }
