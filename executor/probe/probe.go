// Package probe asks a task how it is, as package check wants it: by a command
// beside it, by HTTP, or by a TCP connection. Package task imports it.
package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"troupe/executor/check"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

// Prober asks for one check of one task. It is for one question at a time.
type Prober struct {
	launcher program.Launcher
	task     program.Spec
	last     program.Process // the command before; nil if there was none
	client   *http.Client    // nil until it is needed
}

// New makes a prober. Commands run as task says: in its folder, as its user,
// with its environment.
func New(l program.Launcher, task program.Spec) *Prober { return &Prober{launcher: l, task: task} }

// Probe asks, and returns when there is an answer, when time is up, or when ctx
// is done.
func (p *Prober) Probe(ctx context.Context, q check.Probe) check.Result {
	if q.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.Timeout)
		defer cancel()
	}
	var r check.Result
	switch q.Type {
	case mesos.CheckInfo_COMMAND:
		r = p.command(ctx, q.Command)
	case mesos.CheckInfo_HTTP:
		r = p.get(ctx, q.URL)
	case mesos.CheckInfo_TCP:
		r = connect(ctx, q.Address)
	default:
		r.Err = fmt.Errorf("a check of type %s is not known", q.Type)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && r.Err != nil {
		r.Err = fmt.Errorf("no answer within %s", shown(q.Timeout))
	}
	return r
}

// shown leaves out what nobody measures.
func shown(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// connect distinguishes the refusal, which is an answer, from none.
func connect(ctx context.Context, address string) check.Result {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	switch {
	case err == nil:
		c.Close() // nothing was written
		return check.Result{Connected: true}
	case ctx.Err() != nil:
		return check.Result{Err: err}
	}
	return check.Result{}
}
