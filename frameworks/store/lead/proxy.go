package lead

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"time"

	"go.uber.org/zap"
)

const (
	// retryPause is before a leader that does not accept connections is tried
	// again, unless another one leads before.
	retryPause = 250 * time.Millisecond
	// idle connections to the leader, and how long they are kept.
	idleConnections = 64
	idleTime        = 2 * time.Second
)

// errUnreached is of a request that never reached the leader, and may be made
// again.
var errUnreached = errors.New("the leader accepts no connection")

func (e *Election) newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: e.o.Connect}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errUnreached, err)
			}
			return c, nil
		},
		TLSClientConfig: e.o.TLS, TLSHandshakeTimeout: e.o.Connect, ResponseHeaderTimeout: e.o.Read,
		MaxIdleConnsPerHost: idleConnections, IdleConnTimeout: idleTime,
		DisableCompression: true, // what the leader answers is passed on as it is
	}
}

// Handler answers requests with local while this process leads, and passes them
// on to the process that does else; event streams flow as they come. While
// nobody leads a request waits, for Options.Wait at most, and is then answered
// with 503 and a JSON object that has a message. A request that another process
// has passed on is answered here or not at all.
func (e *Election) Handler(local http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), e.o.Wait)
		defer cancel()
		passedOn := len(r.Header.Values(e.o.Via)) > 0
		for {
			s := e.situation()
			switch {
			case s.self:
				local.ServeHTTP(w, r)
				return
			case s.failed != nil:
				refuse(w, http.StatusServiceUnavailable, "who leads cannot be found out: "+s.failed.Error())
				return
			case s.leader != nil && !passedOn:
				if e.pass(w, r, s.leader) {
					return
				}
			}
			if !e.await(ctx, s) {
				break
			}
		}
		switch {
		case r.Context().Err() != nil: // nobody waits for an answer
		case passedOn:
			refuse(w, http.StatusBadGateway, "the request was passed on by another process, and this one does not lead: "+
				"it is not passed on again; try again when an election has ended")
		default:
			refuse(w, http.StatusServiceUnavailable, "no process of the framework leads, or the one that does accepts no connections; try again")
		}
	})
}

// await waits until it is worth looking again, and tells whether there is time.
func (e *Election) await(ctx context.Context, s situation) bool {
	var again <-chan time.Time
	if s.leader != nil {
		timer := time.NewTimer(retryPause)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-s.changed:
	case <-again:
	case <-ctx.Done():
		return false
	}
	return true
}

// pass passes a request on, and tells whether it was answered; otherwise it may
// be made again.
func (e *Election) pass(w http.ResponseWriter, r *http.Request, to *leader) (answered bool) {
	answered = true
	proxy := &httputil.ReverseProxy{
		Transport:     e.transport,
		FlushInterval: -1,
		ErrorLog:      zap.NewStdLog(e.o.Logger),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to.url)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
			p.Out.Header.Set(e.o.Via, e.self.URL)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, errUnreached) && r.Context().Err() == nil {
				answered = false
				return
			}
			e.fail(w, r, to, err)
		},
	}
	attempt := r.WithContext(r.Context())
	if r.Body != nil && r.Body != http.NoBody {
		attempt.Body = io.NopCloser(r.Body) // it is closed when the request is answered, not before
	}
	proxy.ServeHTTP(w, attempt)
	return answered
}

// fail answers a request that the leader may have got.
func (e *Election) fail(w http.ResponseWriter, r *http.Request, to *leader, err error) {
	if r.Context().Err() != nil {
		return // nobody waits for an answer
	}
	e.o.Logger.Warn("A request was not answered by the leader", zap.String("method", r.Method), zap.String("path", r.URL.Path),
		zap.Stringer("leader", to.url), zap.Error(err))
	status := http.StatusBadGateway
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	refuse(w, status, "the leader at "+to.url.String()+" did not answer, and may have done what was asked: "+err.Error())
}

// refuse answers with a message.
func refuse(w http.ResponseWriter, status int, message string) {
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		body = nil // a map of strings is always JSON
	}
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}
