package ensemble

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"
)

const (
	// complaintInterval is between two log lines about one trouble.
	complaintInterval = 10 * time.Second
	// sessionPause is between two sessions, about.
	sessionPause = 500 * time.Millisecond
	// retryPause is before a call is sent again, about.
	retryPause = 50 * time.Millisecond
)

var errSessionOver = errors.New("this session of ZooKeeper is over")

// Session is one session of ZooKeeper, from when it is established. Its methods
// may be called from any goroutine.
type Session struct {
	o    Options
	conn *zk.Conn
	id   int64
	// began is what heard counts from.
	began time.Time
	// In nanoseconds; granted is 0 before the first answer.
	heard, granted atomic.Int64

	up, lost     chan struct{}
	upOnce, once sync.Once
	err          error // set before lost is closed
	closed       chan struct{}

	broken   atomic.Bool
	lastFail atomic.Pointer[error] // of dialing
}

// dial establishes a session, trying until ctx is done.
func dial(ctx context.Context, o Options) (*Session, error) {
	s := &Session{o: o, began: time.Now(), up: make(chan struct{}), lost: make(chan struct{}), closed: make(chan struct{})}
	all := append([]string(nil), o.Place.Servers...)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	conn, _, err := zk.Connect(all, o.SessionTimeout, zk.WithHostProvider(new(servers)), zk.WithDialer(s.dialServer),
		zk.WithLogger(libraryLog{o.Logger}), zk.WithLogInfo(false), zk.WithEventCallback(s.event), zk.WithMaxBufferSize(maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("connect to ZooKeeper: %w", err)
	}
	s.conn = conn
	if err := s.awaitUp(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to ZooKeeper at %s: %w", strings.Join(o.Place.Servers, ","), err)
	}
	s.id = conn.SessionID()
	if granted := time.Duration(s.granted.Load()); granted != o.SessionTimeout {
		o.Logger.Info("ZooKeeper grants another session timeout than was asked for", zap.Duration("granted", granted), zap.Duration("asked", o.SessionTimeout))
	}
	go s.watch()
	if o.Place.User != "" {
		credentials := []byte(o.Place.User + ":" + o.Place.Password)
		_, err := ask(ctx, s, func() (struct{}, error) { return struct{}{}, conn.AddAuth("digest", credentials) })
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("authenticate with ZooKeeper as %q: %w", o.Place.User, err)
		}
	}
	return s, nil
}

// awaitUp waits, and says now and then that it still does.
func (s *Session) awaitUp(ctx context.Context) error {
	complain := time.NewTimer(time.Second)
	defer complain.Stop()
	for {
		select {
		case <-s.up:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-complain.C:
			complain.Reset(complaintInterval)
			fields := []zap.Field{zap.Strings("servers", s.o.Place.Servers), zap.Duration("for", time.Since(s.began).Round(time.Second))}
			if last := s.lastFail.Load(); last != nil {
				fields = append(fields, zap.Error(*last))
			}
			s.o.Logger.Warn("ZooKeeper cannot be reached; trying on", fields...)
		}
	}
}

// dialServer is how the library connects. Where the session is over it does
// not, lest what waits to be sent is sent in another.
func (s *Session) dialServer(network, address string, timeout time.Duration) (net.Conn, error) {
	if isClosed(s.lost) {
		return nil, errSessionOver
	}
	c, err := net.DialTimeout(network, address, min(timeout, s.o.SessionTimeout/3))
	if err != nil {
		s.lastFail.Store(&err)
		return nil, err
	}
	return &heard{Conn: c, session: s}, nil
}

// event is called by the library, which waits for it.
func (s *Session) event(e zk.Event) {
	if e.Type != zk.EventSession {
		return
	}
	switch e.State {
	case zk.StateHasSession:
		s.noteHeard()
		s.upOnce.Do(func() { close(s.up) })
		if s.broken.CompareAndSwap(true, false) {
			s.o.Logger.Info("Connected to ZooKeeper again, in the same session", zap.String("server", e.Server))
		}
	case zk.StateDisconnected:
		if isClosed(s.up) && !isClosed(s.lost) && s.broken.CompareAndSwap(false, true) {
			s.o.Logger.Warn("The connection to ZooKeeper broke; connecting again", zap.String("server", e.Server))
		}
	case zk.StateExpired:
		s.lose(errors.New("ZooKeeper has ended the session: it heard nothing for longer than the session timeout"))
	}
}

func (s *Session) noteHeard() { s.heard.Store(int64(time.Since(s.began))) }

// timeout is for how long ZooKeeper keeps the session when it hears nothing: what
// was asked for, unless the server grants less. When it grants more, nobody
// follows sooner, but this master gives up as it was told.
func (s *Session) timeout() time.Duration {
	if granted := time.Duration(s.granted.Load()); granted > 0 {
		return min(granted, s.o.SessionTimeout)
	}
	return s.o.SessionTimeout
}

// watch ends the session once ZooKeeper must have ended it.
func (s *Session) watch() {
	defer close(s.closed)
	defer s.conn.Close()
	timer := time.NewTimer(s.timeout())
	defer timer.Stop()
	for {
		select {
		case <-s.lost:
			return
		case <-timer.C:
		}
		silent := time.Since(s.began) - time.Duration(s.heard.Load())
		timeout := s.timeout()
		if silent >= timeout {
			s.lose(fmt.Errorf("nothing was heard of ZooKeeper for %s, and the session lasts %s: it may have ended",
				silent.Round(time.Millisecond), timeout))
			return
		}
		timer.Reset(timeout - silent)
	}
}

// lose ends the session; the first reason counts.
func (s *Session) lose(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.lost)
	})
}

// Close ends the session: what it created that is ephemeral is gone then, if
// ZooKeeper can be told.
func (s *Session) Close() {
	s.lose(errSessionOver)
	<-s.closed
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// libraryLog takes the library's lines.
type libraryLog struct{ log *zap.Logger }

func (l libraryLog) Printf(format string, a ...any) {
	l.log.Debug("ZooKeeper client", zap.String("says", fmt.Sprintf(format, a...)))
}
