package remote

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Bounds of the HTTP server. There is none on the time of an answer, for some
// are streams.
const (
	webHeaderTime  = 10 * time.Second
	webIdleTime    = 2 * time.Minute
	webHeaderBytes = 64 << 10
	// webGrace is how long requests under way may go on when the transport
	// closes, before their contexts end.
	webGrace = 500 * time.Millisecond
)

// web serves HTTP on the connections that turn out to be it.
type web struct {
	server *http.Server
	conns  chan net.Conn
	addr   net.Addr
	log    *zap.Logger
	cancel context.CancelFunc // of all requests
	once   sync.Once
	closed chan struct{}
}

func newWeb(t *Transport) *web {
	w := &web{conns: make(chan net.Conn), addr: t.cfg.Listener.Addr(), log: t.log, closed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.server = &http.Server{
		Handler:           t.cfg.HTTP,
		ReadHeaderTimeout: webHeaderTime,
		IdleTimeout:       webIdleTime,
		MaxHeaderBytes:    webHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          zap.NewStdLog(t.log),
	}
	return w
}

// run serves until shutdown.
func (w *web) run() {
	if err := w.server.Serve(w); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		w.log.Error("HTTP server ended", zap.Error(err))
	}
}

// serve hands a connection over.
func (w *web) serve(conn net.Conn) error {
	select {
	case w.conns <- conn:
		return nil
	case <-w.closed:
		return net.ErrClosed
	}
}

// Accept, Close and Addr make w a net.Listener for its server.
func (w *web) Accept() (net.Conn, error) {
	select {
	case conn := <-w.conns:
		return conn, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (w *web) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// Addr is the address of the transport's own listener.
func (w *web) Addr() net.Addr { return w.addr }

// shutdown ends the server: requests under way get webGrace, then their
// contexts end, then their connections, at the latest with ctx.
func (w *web) shutdown(ctx context.Context) error {
	timer := time.AfterFunc(webGrace, w.cancel)
	defer timer.Stop()
	defer w.cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		return errors.Join(err, w.server.Close())
	}
	return nil
}

// begunConn is a connection whose first bytes were read already.
type begunConn struct {
	net.Conn
	first []byte
}

// Read gives the first bytes again before the others.
func (c *begunConn) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
