package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"troupe/frameworks/service/api/events"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/carrier"
)

// Core is what decides, as the shell of the framework runs it.
type Core interface {
	// Do has the core take in a request and waits for its answer, which comes when
	// what was done is durable. The input is made with the number that its answer
	// will have. An error is that there is no answer: ctx is done, or the
	// framework is ending; the Err of the answer is not looked at.
	Do(ctx context.Context, input func(request uint64) state.Input) (state.Answer, error)
}

// Board has what was last published. What it gives is changed by nobody.
type Board interface {
	Root() *app.Group
	// History are the last roots, oldest first; the last one is Root.
	History() []*app.Group
	// App is nil where there is none.
	App(id app.Path) *state.AppView
	// Apps are sorted by path; those that are Gone are among them.
	Apps() []*state.AppView
	// Deployments are all that are not done, oldest first.
	Deployments() []*state.DeploymentView
}

// Leadership tells who leads.
type Leadership interface {
	// Leader is the host:port of who leads, "" while nobody does.
	Leader() string
	// Abdicate ends the leadership of this process, soon: the request that asks for
	// it is still answered.
	Abdicate() error
}

// Number is one of the framework's own metrics.
type Number struct {
	Name    string // as in mesos.offers.declined
	Counter bool   // it only grows; else it is a gauge
	Value   float64
}

// DefaultPatience is how long a request waits for the core: less than clients
// wait for an answer.
const DefaultPatience = 9 * time.Second

// Options are what the API is made of. Core and Board must be there.
type Options struct {
	Core  Core
	Board Board
	// Leadership is nil for one that is alone and leads; nobody can end that.
	Leadership Leadership
	// Apps are what the operator decided about apps.
	Apps wire.Options
	// Info is what /v2/info tells; nil: a name alone.
	Info func() wire.Info
	// Events is where the shell's events go with Server.Publish; nil: a bus that
	// keeps no callbacks.
	Events *events.Bus
	// Numbers are metrics of the shell's; nil: none.
	Numbers func() ([]Number, error)
	// Logging reads and sets the level of the log, as zap's AtomicLevel does; nil:
	// there is no such resource.
	Logging http.Handler
	// Page is what is served below /ui/; nil: nothing is.
	Page http.Handler
	// Origins are the other sites whose pages may use the API; nil: only our own
	// page may change things.
	Origins *Origins
	// Intake bounds what is read; nil: the defaults.
	Intake *carrier.Intake
	// Patience is how long a request waits for the core; 0 is DefaultPatience.
	Patience time.Duration
	// Now is the time; nil: the clock's.
	Now func() time.Time
}

func (o Options) filled() Options {
	if o.Info == nil {
		o.Info = func() wire.Info { return wire.Info{Name: "marathon"} }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Events == nil {
		o.Events = events.New(events.Options{Now: o.Now})
	}
	if o.Numbers == nil {
		o.Numbers = func() ([]Number, error) { return nil, nil }
	}
	if o.Intake == nil {
		o.Intake = &carrier.Intake{}
	}
	if o.Origins == nil {
		o.Origins = &Origins{}
	}
	o.Patience = cmp.Or(o.Patience, DefaultPatience)
	return o
}
