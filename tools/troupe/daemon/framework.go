package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/store"
	"troupe/frameworks/store/lead"
	"troupe/master/detector"
	"troupe/master/election/ensemble"
)

// FrameworkOptions are the settings that the daemons of frameworks share.
type FrameworkOptions struct {
	Network Network
	Logging Logging
	// Framework is who subscribes, and where. Its Store is not used; Detector,
	// Logger and WebUI are made here.
	Framework frameworks.Options
	// Owner is what the state is marked with, so that no other framework takes it
	// for its own.
	Owner string
	// State is the path of a file, used when there is no ZooKeeper.
	State string
	// ZooKeeper is where the processes of the framework elect a leader, and keep the
	// state.
	ZooKeeper ZooKeeper
	// Via is the header of requests that one process has passed on to the leader.
	Via string
	// Collectors of the framework's figures.
	Collectors []prometheus.Collector
}

// Leading is a framework in the process that leads.
type Leading interface {
	http.Handler
	// Run works until ctx is done, which is nil, or it cannot go on.
	Run(ctx context.Context) error
}

// Loading is a Leading that cannot answer requests truly before it runs.
type Loading interface {
	// Loaded is closed when it can.
	Loaded() <-chan struct{}
}

// loadPatience is how long a request waits for that.
const loadPatience = 5 * time.Second

// Lead is what a process that leads works with.
type Lead struct {
	System    *actors.System
	Store     store.Store
	Framework frameworks.Options
	// URL is where this process is reached.
	URL string
	// Leader is the URL of who leads, empty when nobody is known to, and whether
	// it is this process.
	Leader func() (url string, self bool)
	// Abdicate ends the process soon, so that another one leads; nil for one that
	// is alone.
	Abdicate func()
}

// errAbdicated ends a process whose leadership somebody has taken away.
var errAbdicated = errors.New("leadership abdicated on request")

// abdicateAfter lets the request be answered.
const abdicateAfter = 500 * time.Millisecond

// framework is a process of a framework.
type framework struct {
	*Daemon
	options  FrameworkOptions
	open     func(ctx context.Context, l Lead) (Leading, error)
	election *lead.Election // nil: it is alone

	mu      sync.Mutex
	leading Leading // nil until it leads
}

// StartFramework starts a process of a framework. One that is alone leads when
// this returns; one of several stands by, and passes requests on, until it is
// elected. open makes what leads of the state.
func StartFramework(ctx context.Context, o FrameworkOptions, open func(ctx context.Context, l Lead) (Leading, error)) (*Daemon, error) {
	d, err := start(o.Network, o.Logging, o.Collectors...)
	if err != nil {
		return nil, err
	}
	f := &framework{Daemon: d, options: o, open: open}
	if err := f.find(); err != nil {
		return d.abandon(err)
	}
	d.System.Route("/ping", "answers pong", http.HandlerFunc(pong))
	if o.ZooKeeper.Place != nil {
		err = f.stand()
	} else {
		err = f.alone(ctx)
	}
	if err != nil {
		return d.abandon(err)
	}
	d.System.Ready()
	return d, nil
}

// pong tells that the process is there, whether it leads or not.
func pong(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte("pong")) // the client may be gone
}

// find begins to look for the master.
func (f *framework) find() error {
	o := &f.options.Framework
	o.Logger = f.options.Logging.Logger
	if o.WebUI == "" {
		o.WebUI = f.URL()
	}
	if o.Detector != nil {
		return nil
	}
	found, err := detector.Open(o.Master, detector.Options{TLS: f.options.Network.TLS, Logger: o.Logger})
	if err != nil {
		return fmt.Errorf("--master: %w", err)
	}
	o.Detector = found
	f.release = append(f.release, found.Close)
	return nil
}

// face serves all that has no route, and at /metrics what clients of Marathon and
// Chronos expect there.
func (f *framework) face(help string, h http.Handler) {
	f.figures = h
	f.System.RouteRest(help, h)
}

// alone leads at once.
func (f *framework) alone(ctx context.Context) error {
	path := f.options.State
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	s, err := store.OpenFile(path, f.options.Owner)
	if err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	f.release = append(f.release, s.Close)
	l := Lead{Store: s, Leader: func() (string, bool) { return f.URL(), true }}
	if err := f.take(ctx, l); err != nil {
		return err
	}
	f.face("the framework", http.HandlerFunc(f.serve))
	f.work(func(ctx context.Context) error { return f.leading.Run(ctx) })
	return nil
}

// take opens what leads.
func (f *framework) take(ctx context.Context, l Lead) error {
	l.System, l.Framework, l.URL = f.System, f.options.Framework, f.URL()
	leading, err := f.open(ctx, l)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leading = leading
	return nil
}

func (f *framework) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	leading := f.leading
	f.mu.Unlock()
	if leading == nil {
		unavailable(w, "This process does not lead")
		return
	}
	if l, loads := leading.(Loading); loads && !awaited(r.Context(), l.Loaded()) {
		unavailable(w, "The framework is reading its state")
		return
	}
	leading.ServeHTTP(w, r)
}

// awaited tells whether something is done, or soon is.
func awaited(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, loadPatience)
	defer cancel()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// work runs something until the daemon closes; its end ends the daemon.
func (f *framework) work(run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := run(ctx)
		if err == nil && ctx.Err() == nil {
			err = errors.New("the framework has ended")
		}
		if err != nil {
			f.fail(err)
		}
	}()
	f.early = append(f.early, func() error {
		cancel()
		<-ended
		return nil
	})
}

// stand lets an election decide, in the background.
func (f *framework) stand() error {
	z := f.options.ZooKeeper
	log := f.options.Logging.Logger
	if elsewhere(z.Place.Servers) && loopback(f.Address()) {
		log.Warn("Others are told an address that is of this machine alone: see --ip and --advertise_ip", zap.String("address", f.Address()))
	}
	e, err := lead.NewElection(lead.Options{
		Place: *z.Place, SessionTimeout: z.SessionTimeout, URL: f.URL(), Via: f.options.Via, TLS: f.options.Network.TLS, Logger: log,
	})
	if err != nil {
		return err
	}
	f.election = e
	f.early = append(f.early, func() error { e.Close(); return nil })
	f.face("the framework, here or where it leads", e.Handler(http.HandlerFunc(f.serve)))
	f.work(f.contest)
	return nil
}

// contest stands for election, and leads until the term is lost.
func (f *framework) contest(ctx context.Context) error {
	term, err := f.election.Lead(ctx)
	if err != nil {
		return notCancelled(ctx, err)
	}
	f.options.Logging.Logger.Info("Elected")
	s, err := store.OpenZooKeeper(ctx, term, f.options.Owner)
	if err != nil {
		return notCancelled(ctx, err)
	}
	return errors.Join(f.reign(ctx, term, s), s.Close())
}

func (f *framework) reign(ctx context.Context, term *ensemble.Term, s store.Store) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() {
		select {
		case <-term.Lost():
			end(fmt.Errorf("leadership lost: %w", term.Err()))
		case <-ctx.Done():
		}
	}()
	l := Lead{Store: s, Leader: f.election.Leader, Abdicate: func() {
		time.AfterFunc(abdicateAfter, func() { end(errAbdicated) })
	}}
	if err := f.take(ctx, l); err != nil {
		return notCancelled(ctx, err)
	}
	f.election.Ready()
	if err := f.leading.Run(ctx); err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// notCancelled leaves out what is only the daemon's end.
func notCancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
