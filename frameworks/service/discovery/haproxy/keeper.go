package haproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
)

// Directory has the services.
type Directory interface {
	Services() []*endpoints.Service
	// Watch has the path of every app told that changed. The function does not wait,
	// nor call the directory.
	Watch(changed func(id app.Path, there bool)) (stop func())
}

// Options of a Keeper.
type Options struct {
	// Config is the path of the configuration that is written.
	Config string
	// Program is haproxy, which is kept running, unless there is a Reload.
	Program string
	// Reload is a line for /bin/sh that is run after each change of the
	// configuration, instead of keeping a process.
	Reload string
	// Leave has the process run on when Run ends; the next Keeper with this Config
	// finds it. So it does, in any case, when ours is killed.
	Leave bool
	// Groups are those of HAPROXY_GROUP that are served; empty is DefaultGroup, "*"
	// all.
	Groups   []string
	Settings Settings
	// Pause between two reloads; 0 is DefaultPause.
	Pause  time.Duration
	Logger *zap.Logger // nil: none
}

// Defaults of Options.
const (
	DefaultGroup = "external"
	DefaultPause = time.Second
	// DefaultProgram is found in PATH.
	DefaultProgram = "haproxy"
)

// Status of a Keeper.
type Status struct {
	Reloads  uint64 // also starts
	Steps    uint64 // commands that a running process was told
	Problems []Problem
	Failure  error // why the last change could not be made; nil if it was
}

// Keeper has an HAProxy serve what a directory has. It is safe for use from any
// goroutine; Run is called once.
type Keeper struct {
	directory Directory
	options   Options
	log       *zap.Logger
	socket    socket
	news      chan struct{} // of capacity 1
	// The following are Run's alone.
	process *process        // that we started; nil for one that was found
	running *running        // nil: not known
	held    map[string]bool // addresses that the process listens at; nil: not known
	text    string          // of the configuration that was written last
	written time.Time
	built   cache
	last    time.Time // of the last reload, or try of one
	failed  int       // tries since one worked

	mu     sync.Mutex
	status Status

	usage usage
	count connections
}

// New makes a Keeper. The error names the option that is wrong.
func New(d Directory, o Options) (*Keeper, error) {
	if o.Config == "" {
		return nil, errors.New("haproxy: no path of a configuration")
	}
	path, err := filepath.Abs(o.Config)
	if err != nil {
		return nil, fmt.Errorf("haproxy: configuration %q: %w", o.Config, err)
	}
	o.Config = path
	if err := o.Settings.check(); err != nil {
		return nil, fmt.Errorf("haproxy: %w", err)
	}
	if len(o.Groups) == 0 {
		o.Groups = []string{DefaultGroup}
	}
	if o.Pause == 0 {
		o.Pause = DefaultPause
	}
	if o.Program == "" {
		o.Program = DefaultProgram
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return &Keeper{
		directory: d, options: o, log: o.Logger, socket: socket(path + ".sock"),
		news: make(chan struct{}, 1),
	}, nil
}

func (s Settings) check() error {
	for _, a := range []struct{ name, value string }{{"HTTP", s.HTTP}, {"HTTPS", s.HTTPS}} {
		if a.value == "" {
			continue
		}
		host, port, err := net.SplitHostPort(a.value)
		if err != nil || port == "" || strings.ContainsAny(port, " \t\n") || !isAddress(host) {
			return fmt.Errorf("address for %s %q is not one, such as *:80", a.name, a.value)
		}
	}
	switch {
	case !isAddress(s.Bind):
		return fmt.Errorf("address to bind %q is not one", s.Bind)
	case s.HTTPS != "" && s.Certificates == "":
		return fmt.Errorf("HTTPS at %s needs certificates", s.HTTPS)
	case strings.ContainsAny(s.Certificates, " \t\n\"'\\#$"):
		return fmt.Errorf("path of certificates %q has a sign that means something in a configuration", s.Certificates)
	case s.MaxConnections < 0:
		return fmt.Errorf("%d connections are less than none", s.MaxConnections)
	}
	return nil
}

func isAddress(host string) bool { return host == "" || host == "*" || net.ParseIP(host) != nil }

// Status is how things are.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

// writeAgain is after how long a configuration is written again in which just
// servers changed: it is what the next process begins with, nothing more.
const writeAgain = time.Second

// lookAgain is how often servers that could not be deleted are looked at, and
// whether the process still runs.
const lookAgain = time.Second

// Run serves until ctx is done, and then returns nil. Whatever goes wrong on the
// way is logged, is in Status, and tried again.
func (k *Keeper) Run(ctx context.Context) error {
	stop := k.directory.Watch(func(app.Path, bool) {
		select {
		case k.news <- struct{}{}:
		default:
		}
	})
	defer stop()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		if problems, err := k.apply(ctx); ctx.Err() == nil {
			k.note(problems, err)
		}
		select {
		case <-ctx.Done():
			return k.end()
		case <-k.news:
		case <-tick.C:
		case <-k.process.ended():
		case <-k.due():
		}
	}
}

// due tells when a reload that waits for its turn gets it; nil when none waits.
func (k *Keeper) due() <-chan time.Time {
	if wait := k.wait(); wait > 0 {
		return time.After(wait)
	}
	return nil
}

// wait is for how long nothing is started or reloaded, twice as long after each
// failure.
func (k *Keeper) wait() time.Duration {
	const most = 6 // doublings
	return k.options.Pause<<min(k.failed, most) - time.Since(k.last)
}

// note keeps what became of a change for Status.
func (k *Keeper) note(problems []Problem, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil && (k.status.Failure == nil || k.status.Failure.Error() != err.Error()) {
		k.log.Error("HAProxy does not do what it should; trying again", zap.Error(err))
	}
	k.status.Problems, k.status.Failure = problems, err
}

// apply has the process do what the directory has now, or as much of it as can be
// done before the next reload.
func (k *Keeper) apply(ctx context.Context) ([]Problem, error) {
	services := k.directory.Services()
	c := k.built.build(services, k.options.Groups, k.options.Settings)
	k.usage.forget(services)
	if ctx.Err() != nil {
		return c.Problems, nil
	}
	if k.options.Reload != "" {
		return c.Problems, k.tellOther(ctx, c)
	}
	alive, err := k.alive(ctx)
	if err != nil {
		return c.Problems, err
	}
	c = withoutTaken(c, k.held)
	enough := false
	if alive && k.running != nil {
		if enough, err = k.tell(ctx, c); err != nil {
			k.log.Warn("HAProxy does not take a command; it is reloaded", zap.Error(err))
			k.lose(unknown)
		}
	}
	switch {
	case enough && time.Since(k.written) < writeAgain:
		return c.Problems, nil
	case enough:
		return c.Problems, k.write(ctx, c, false)
	case k.wait() > 0:
		return c.Problems, k.lastFailure()
	case alive:
		return c.Problems, k.tried(k.reload(ctx, c), c)
	}
	return c.Problems, k.tried(k.start(ctx, c), c)
}

// lose is called when it is not known any more what the process does.
func (k *Keeper) lose(to sight) {
	k.running = nil
	k.usage.lose(to)
}

func (k *Keeper) lastFailure() error {
	if k.failed == 0 {
		return nil
	}
	return k.Status().Failure
}

// tried takes note of a start or reload.
func (k *Keeper) tried(err error, c Config) error {
	k.last = time.Now()
	if err != nil {
		k.failed++
		return err
	}
	k.failed, k.running, k.held = 0, newRunning(c, &k.usage), c.addresses()
	k.counted(func(s *Status) { s.Reloads++ })
	return nil
}

// tell tells the running process of servers; enough is false when it needs a reload
// beside that.
func (k *Keeper) tell(ctx context.Context, c Config) (enough bool, err error) {
	steps, enough := k.running.steps(c)
	if err := k.tellOld(ctx, steps); err != nil {
		return false, err
	}
	for _, s := range steps {
		answer, err := k.socket.worker(ctx, s.command)
		if err != nil {
			return false, err
		}
		switch ok := answer == s.answers[0]; {
		case ok:
			s.done()
			k.counted(func(st *Status) { st.Steps++ })
		case !s.may:
			return false, fmt.Errorf("haproxy: %q: %s", s.command, answer)
		}
	}
	return enough, nil
}

// tellOld has old workers, which get requests for some seconds still, begin nothing
// new with what leaves. What they cannot do they do not know of.
func (k *Keeper) tellOld(ctx context.Context, steps []step) error {
	if !slices.ContainsFunc(steps, func(s step) bool { return s.drains }) {
		return nil
	}
	p, err := k.socket.processes(ctx)
	if err != nil {
		return err
	}
	for _, pid := range p.old {
		for _, s := range steps {
			if !s.drains {
				continue
			}
			if answer, err := k.socket.ask(ctx, fmt.Sprintf("@!%d %s", pid, s.command)); err != nil || answer != answerNone {
				k.log.Debug("An old worker was told in vain", zap.Int("pid", pid), zap.String("command", s.command), zap.String("answer", answer), zap.Error(err))
			}
		}
	}
	return nil
}

func (k *Keeper) counted(f func(*Status)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(&k.status)
}
