package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"troupe/actors"
	"troupe/actors/inspect"
	"troupe/messages/carrier/guard"
	"troupe/messages/carrier/legacy"
)

// closeTimeout bounds an orderly end.
const closeTimeout = 10 * time.Second

// Network says where a daemon listens and what others are told.
type Network struct {
	Listen        string // host:port; port 0 is any free one
	AdvertiseIP   string // empty: as in Listen
	AdvertisePort int    // 0: the port that it listens on
	Hostname      string // for frameworks and people
	TLS           *tls.Config
	Guard         *guard.Guard // of HTTP; nil lets everybody in
	Secrets       []string     // files that nobody else should be able to read
	Closed        []string     // paths that are answered by 403
}

// Logging is where a daemon logs to, and how its level is changed.
type Logging struct {
	Logger *zap.Logger
	Level  zap.AtomicLevel
	// File is where the log is kept, if it is; clients may read it.
	File string
}

// Daemon is a process of a cluster that runs, be it alone in its operating
// system process or beside others.
type Daemon struct {
	System *actors.System
	log    *inspect.LogLevel
	scheme string
	// figures, if not nil, answers at /metrics whoever does not ask for the text of
	// Prometheus. It is set before the system is Ready.
	figures http.Handler
	failed  chan error
	// early is done while the system still works, last first.
	early []func() error
	// release is done after the system has stopped, last first.
	release []func() error
}

// start makes the system of a daemon, whose /metrics has the collectors' figures.
// Whoever mounts the other routes says when it is Ready.
func start(n Network, l Logging, c ...prometheus.Collector) (*Daemon, error) {
	d := &Daemon{scheme: "http", failed: make(chan error, 1), log: inspect.NewLogLevel(l.Level)}
	if n.TLS != nil {
		d.scheme = "https"
	}
	o := actors.Options{
		Listen: n.Listen, Advertise: n.advertise(), Logger: l.Logger, TLS: n.TLS, Unready: true,
		OnPanic: func(p actors.Panic) { d.fail(fmt.Errorf("actor %q panicked: %v", p.PID.Name, p.Value)) },
	}
	o.Guard = n.guarded()
	for _, path := range n.Secrets {
		warnOfOthers(l.Logger, path)
	}
	var err error
	if d.System, err = actors.New(o); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("--port: %s is in use by another process: %w", n.Listen, err)
		}
		return nil, err
	}
	if err := inspect.Mount(d.System, inspect.Options{Log: d.log, Collectors: c, Deliver: legacy.Deliver, Instead: d.instead}); err != nil {
		return d.abandon(err)
	}
	return d, nil
}

// instead is what answers a request for /metrics that Prometheus did not send.
func (d *Daemon) instead(r *http.Request) http.Handler {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if d.figures == nil || strings.Contains(accept, "text/plain") || strings.Contains(accept, "openmetrics") {
		return nil
	}
	return d.figures
}

// guarded is what stands before every handler; nil when nothing does.
func (n Network) guarded() func(pattern string, h http.Handler) http.Handler {
	if n.Guard == nil && len(n.Closed) == 0 {
		return nil
	}
	return func(pattern string, h http.Handler) http.Handler {
		if n.Guard != nil {
			h = n.Guard.Handler(pattern, h)
		}
		return guard.Closed(n.Closed, h)
	}
}

// warnOfOthers tells of a file of secrets that everybody on the machine may
// read.
func warnOfOthers(log *zap.Logger, path string) {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o007 != 0 {
		log.Warn("A file of secrets is accessible to everybody on this machine", zap.String("file", path), zap.Stringer("mode", info.Mode()))
	}
}

func (n Network) advertise() string {
	host, port, err := net.SplitHostPort(n.Listen)
	if err != nil {
		return n.AdvertiseIP
	}
	if n.AdvertiseIP != "" {
		host = n.AdvertiseIP
	}
	if n.AdvertisePort != 0 {
		port = strconv.Itoa(n.AdvertisePort)
	}
	if port == "0" {
		return host
	}
	return net.JoinHostPort(host, port)
}

// Address is the host:port that others know.
func (d *Daemon) Address() string { return d.System.Address() }

// URL is where its pages are.
func (d *Daemon) URL() string { return d.scheme + "://" + d.Address() }

// fail ends the daemon; the first reason counts.
func (d *Daemon) fail(err error) {
	select {
	case d.failed <- err:
	default: // it ends already
	}
}

// Failed gives why the daemon cannot go on, when it cannot.
func (d *Daemon) Failed() <-chan error { return d.failed }

// Run waits until ctx is done or the daemon fails, and closes it.
func (d *Daemon) Run(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-d.failed:
	}
	return errors.Join(err, d.Close())
}

// Close ends the daemon in order, within ten seconds.
func (d *Daemon) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := errors.Join(reversed(d.early), d.System.Close(ctx), reversed(d.release))
	d.early, d.release = nil, nil
	return err
}

func reversed(work []func() error) error {
	var err error
	for i := len(work) - 1; i >= 0; i-- {
		err = errors.Join(err, work[i]())
	}
	return err
}

// abandon closes a daemon that did not get to run.
func (d *Daemon) abandon(err error) (*Daemon, error) {
	return nil, errors.Join(err, d.Close())
}

// background calls f when done is closed, unless the daemon ends before.
func (d *Daemon) background(done <-chan struct{}, f func()) {
	ended, exited := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(exited)
		select {
		case <-done:
			f()
		case <-ended:
		}
	}()
	d.release = append(d.release, func() error {
		close(ended)
		<-exited
		return nil
	})
}

// joinClose closes what was opened for nothing.
func joinClose(err error, closes ...func() error) error {
	for _, c := range closes {
		err = errors.Join(err, c())
	}
	return err
}
