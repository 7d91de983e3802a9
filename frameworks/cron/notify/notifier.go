package notify

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"troupe/frameworks/cron/plan"
)

// senders is how many notifications of one channel are on their way at once, so
// that a slow one does not hold up all.
const senders = 4

// backoffMax bounds the wait between two attempts.
const backoffMax = time.Minute

// Notifier tells people. It is a prometheus.Collector of what became of that.
type Notifier struct {
	options  Options
	channels []*channel
	results  *prometheus.CounterVec
}

// channel is one way to tell people, with what waits for it.
type channel struct {
	name  string // for the log and the metrics; no secret is in it
	queue chan message
	// send tells once. An error that is a *finalError is not worth another attempt.
	send func(ctx context.Context, m message) error
	// reaches tells whether somebody would hear.
	reaches func(m message) bool
}

// finalError says that another attempt would come to nothing, too.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// New makes a Notifier, which begins with Run. Errors are about options.
func New(o Options) (*Notifier, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	n := &Notifier{options: o, results: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "troupe", Subsystem: "cron", Name: "notifications_total",
		Help: "Notifications of people, by channel and by what became of them: sent, failed, or dropped because too many waited.",
	}, []string{"channel", "result"})}
	if o.Mail != nil {
		n.add("mail", newMailer(*o.Mail).send, func(m message) bool { return m.job.About.Owner != "" })
	}
	for _, hook := range o.Webhooks {
		host := "webhook"
		if u, err := url.Parse(hook); err == nil {
			host += " " + u.Host
		}
		n.add(host, (&webhook{hook, o.Client}).send, func(message) bool { return true })
	}
	return n, nil
}

func (n *Notifier) add(name string, send func(context.Context, message) error, reaches func(message) bool) {
	n.channels = append(n.channels, &channel{name: name, queue: make(chan message, n.options.Queue), send: send, reaches: reaches})
}

// Notify tells people of what happened, if they want to know. It never waits.
func (n *Notifier) Notify(what plan.Notify) {
	if len(n.channels) == 0 || !slices.Contains(n.wanted(what.Job), what.Occasion) {
		return
	}
	m := newMessage(n.options.Cluster, what)
	for _, c := range n.channels {
		if !c.reaches(m) {
			continue
		}
		select {
		case c.queue <- m:
		default:
			n.results.WithLabelValues(c.name, "dropped").Inc()
			n.options.Logger.Warn("Too many notifications wait: one is dropped", zap.String("channel", c.name), zap.String("subject", m.subject))
		}
	}
}

// wanted is what a job's people want to know. A tag that cannot be read counts
// for nothing.
func (n *Notifier) wanted(job *plan.Job) []plan.Occasion {
	if tag, given := job.About.Tags[Tag]; given {
		if wanted, err := ParseOccasions(tag); err == nil {
			return wanted
		}
	}
	return n.options.Occasions
}

// Run sends what Notify is given until ctx is done. What waits then is not sent.
func (n *Notifier) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, c := range n.channels {
		for range senders {
			all.Go(func() {
				for {
					select {
					case m := <-c.queue:
						n.deliver(ctx, c, m)
					case <-ctx.Done():
						return
					}
				}
			})
		}
	}
	all.Wait()
}

// deliver sends one notification, again and again if need be.
func (n *Notifier) deliver(ctx context.Context, c *channel, m message) {
	err := n.attempt(ctx, c, m)
	if err == nil {
		n.results.WithLabelValues(c.name, "sent").Inc()
		return
	}
	n.results.WithLabelValues(c.name, "failed").Inc()
	n.options.Logger.Error("People could not be told", zap.String("channel", c.name), zap.String("subject", m.subject), zap.Error(err))
}

func (n *Notifier) attempt(ctx context.Context, c *channel, m message) error {
	wait := n.options.Backoff
	for attempt := 1; ; attempt++ {
		err := n.once(ctx, c, m)
		if final := (*finalError)(nil); err == nil || errors.As(err, &final) || attempt >= n.options.Attempts {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		wait = min(2*wait, backoffMax)
	}
}

func (n *Notifier) once(ctx context.Context, c *channel, m message) error {
	ctx, cancel := context.WithTimeout(ctx, n.options.Timeout)
	defer cancel()
	return c.send(ctx, m)
}

var _ prometheus.Collector = (*Notifier)(nil)

// Describe implements prometheus.Collector.
func (n *Notifier) Describe(to chan<- *prometheus.Desc) { n.results.Describe(to) }

// Collect implements prometheus.Collector.
func (n *Notifier) Collect(to chan<- prometheus.Metric) { n.results.Collect(to) }
