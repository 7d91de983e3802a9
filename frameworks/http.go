package frameworks

import (
	"cmp"
	"crypto/tls"
	"sync"

	"troupe/actors/address"
	"troupe/frameworks/overhttp"
	"troupe/messages/mesos/scheduler"
)

// HTTP takes the master's scheduler API in the place of actors: through what passes
// HTTP alone, to masters that speak nothing else, or where a scheduler is to be seen
// on the wire. The zero HTTP speaks protobuf, in the clear, as nobody.
//
// Everything else of the SDK is the same over either. Just a scheduler's figures are
// shown at its own /metrics only, if it listens; with actors the master shows them.
type HTTP struct {
	// Secret proves that the framework is Options.Principal. Empty proves nothing.
	Secret string
	// Token is a bearer's, in the place of Secret.
	Token string
	// JSON takes the place of protobuf, which costs less.
	JSON bool
	// TLS makes it HTTPS; nil takes System.TLS, and is HTTP if that is nil, too.
	TLS *tls.Config
}

// carrier makes the Carrier.
func (h *HTTP) carrier(o Options, g Ground, in Inbox) *remote {
	return &remote{ground: g, inbox: in, client: overhttp.New(overhttp.Options{
		TLS: cmp.Or(h.TLS, o.System.TLS), JSON: h.JSON, Principal: o.Principal, Secret: h.Secret, Token: h.Token,
	})}
}

// remote is the Carrier over HTTP: one connection at a time.
type remote struct {
	ground Ground
	inbox  Inbox
	client *overhttp.Client
	// present is nil between a Lost or an Unlink and the next Link.
	present *line
	lines   sync.WaitGroup
}

// line is one connection; it hears what comes over it.
type line struct {
	*overhttp.Connection
	remote *remote
	master string
}

// Link implements Carrier.
func (r *remote) Link(master string) {
	switch {
	case r.present == nil:
	case r.present.master == master:
		return
	default:
		r.hangUp()
	}
	pid, err := address.Parse(master)
	if err != nil {
		panic("frameworks: " + err.Error()) // the shell has made it of one
	}
	l := &line{remote: r, master: master}
	l.Connection = r.client.Connect(pid.Address, l)
	r.present = l
}

// Unlink implements Carrier.
func (r *remote) Unlink(master string) {
	if r.present != nil && r.present.master == master {
		r.hangUp()
	}
}

func (r *remote) hangUp() {
	l := r.present
	r.present = nil
	l.Close()
	r.lines.Go(l.Wait)
}

// Send implements Carrier.
func (r *remote) Send(master string, c *scheduler.Call) {
	if r.present != nil && r.present.master == master {
		r.present.Send(c)
	}
}

// close hangs up and waits until nothing is under way.
func (r *remote) close() {
	if r.present != nil {
		r.hangUp()
	}
	r.lines.Wait()
	r.client.Close()
}

// hear queues something for the inbox, unless the line is no more.
func (l *line) hear(f func(in Inbox)) bool {
	return l.remote.ground.Do(func() {
		if l.remote.present == l {
			f(l.remote.inbox)
		}
	})
}

// Event implements overhttp.Ear.
func (l *line) Event(e *scheduler.Event, done func()) {
	queued := l.remote.ground.Do(func() {
		done()
		if l.remote.present == l {
			l.remote.inbox.Received(l.master, "", e)
		}
	})
	if !queued {
		done()
	}
}

// Refused implements overhttp.Ear.
func (l *line) Refused(c *scheduler.Call, status int, said string) {
	l.hear(func(in Inbox) { in.Refused(l.master, c, status, said) })
}

// Removed implements overhttp.Ear.
func (l *line) Removed() {
	l.hear(func(in Inbox) { in.Removed(l.master) })
}

// NotLeading implements overhttp.Ear.
func (l *line) NotLeading(hint string) {
	l.hear(func(in Inbox) { in.NotLeading(l.master, hint) })
}

// Lost implements overhttp.Ear.
func (l *line) Lost(reason string) {
	l.hear(func(in Inbox) {
		l.remote.present = nil
		l.remote.lines.Go(l.Wait)
		in.Lost(l.master, reason)
	})
}
