package daemon

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"troupe/frameworks/cron"
	"troupe/frameworks/cron/api"
	"troupe/frameworks/cron/board"
	"troupe/frameworks/cron/notify"
	"troupe/frameworks/cron/page"
	"troupe/frameworks/cron/plan"
	"troupe/frameworks/sandbox"
	"troupe/messages/masters"
)

// CronOptions are the settings of the cron framework's daemon.
type CronOptions struct {
	FrameworkOptions
	Plan   plan.Options
	Notify notify.Options
	// Unreachable is how long a task may be out of the cluster's sight before it
	// counts as lost.
	Unreachable time.Duration
	// Program is the version, for people.
	Program string
}

const (
	// cronOwner is what the state is marked with.
	cronOwner = "cron"
	// cronVia marks requests that were passed on to the leader.
	cronVia = "X-Troupe-Cron-Via"
)

// StartCron starts the cron framework; see StartFramework.
func StartCron(ctx context.Context, o CronOptions) (*Daemon, error) {
	o.Owner, o.Via = cronOwner, cronVia
	o.Notify.Logger = o.Logging.Logger.Named("notify")
	notifier, err := notify.New(o.Notify)
	if err != nil {
		return nil, err
	}
	figures := cron.NewMetrics()
	o.Collectors = append(o.Collectors, figures, notifier)
	return StartFramework(ctx, o.FrameworkOptions, func(ctx context.Context, l Lead) (Leading, error) {
		jobs := new(board.Board)
		logs := o.logs()
		c, err := cron.New(ctx, cron.Options{
			Framework: l.Framework, Store: l.Store, Plan: o.Plan, Publish: jobs.Publish, Notify: notifier.Notify,
			Unreachable: o.Unreachable, Metrics: figures, HTTPS: logs.HTTPS,
			Tail: func(ctx context.Context, s cron.Stream, bytes int64) ([]byte, error) {
				return logs.Tail(ctx, sandbox.Task{Framework: s.Framework, Agent: s.Agent, ID: s.Task}, s.Name, bytes)
			},
		})
		if err != nil {
			return nil, err
		}
		logs.Master = c.Master
		led := &ledCron{cron: c, lead: l, notifier: notifier, loaded: make(chan struct{})}
		led.face = api.New(api.Options{
			Planner: c, Board: jobs, Cluster: c, Info: func() api.Info { return led.info(o) }, Leader: l.Leader, Logging: o.Logging.Level,
		})
		led.Handler = led.face.Handler(page.Handler(http.HandlerFunc(api.NotFound)))
		return led, nil
	})
}

// logs reads what tasks have written.
func (o CronOptions) logs() *sandbox.Reader {
	s := sandbox.Options{HTTPS: o.Network.TLS != nil}
	if s.HTTPS {
		s.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: o.Network.TLS}, Timeout: closeTimeout}
	}
	return sandbox.New(s)
}

// ledCron is the cron framework in the process that leads.
type ledCron struct {
	http.Handler
	cron     *cron.Cron
	lead     Lead
	notifier *notify.Notifier
	face     *api.Server
	loaded   chan struct{} // closed when all that was stored is shown
}

// Loaded implements Loading.
func (l *ledCron) Loaded() <-chan struct{} { return l.loaded }

// settle waits for the first answer, which the plan gives when all that it has loaded
// is published: what it is asked for is nothing, since no job has this name.
func (l *ledCron) settle(ctx context.Context) {
	err := l.cron.Do(ctx, func(number uint64) plan.Input { return plan.KillRuns{Request: number} })
	if refusal := (*plan.Error)(nil); err == nil || errors.As(err, &refusal) {
		close(l.loaded)
	}
}

// Run implements Leading.
func (l *ledCron) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() { l.notifier.Run(ctx) })
	telling.Go(func() { l.settle(ctx) })
	err := l.cron.Run(ctx, l.lead.System)
	l.face.Close()
	cancel()
	telling.Wait()
	return err
}

// info is what the framework tells of itself.
func (l *ledCron) info(o CronOptions) api.Info {
	id, connected := l.cron.Framework()
	f := l.lead.Framework
	return api.Info{
		Name: f.Name, Version: o.Program, FrameworkID: id, Master: l.cron.Master(), Hostname: o.Network.Hostname,
		Role: f.Roles[0], User: f.User, Store: masters.Redact(o.State), HA: o.ZooKeeper.Place != nil, Connected: connected,
	}
}
