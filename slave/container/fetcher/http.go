package fetcher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// client fetches without asking for compression, as what is fetched is to be what
// the server has.
func client(stall time.Duration) *http.Client {
	dial := &net.Dialer{Timeout: min(stall, 30*time.Second), KeepAlive: 15 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext,
		TLSHandshakeTimeout: stall, ResponseHeaderTimeout: stall, IdleConnTimeout: stall,
		DisableCompression: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 1 << 20,
	}}
}

// body is what a server sends.
type body struct {
	io.Reader
	// size is -1 when the server does not say.
	size  int64
	close func()
}

var errStalled = errors.New("the server has sent nothing")

// request asks a server for a source. The body must be closed.
func (j *job) request(ctx context.Context, s *source) (*body, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	request.Header.Set("User-Agent", "troupe-fetcher")
	answer, err := j.client.Do(request)
	if err != nil {
		err = explainNetwork(ctx, err)
		cancel(nil)
		return nil, err
	}
	done := func() {
		cancel(nil)
		answer.Body.Close() // ends the connection if something is left in it
	}
	if answer.StatusCode != http.StatusOK {
		done()
		return nil, explainStatus(answer)
	}
	w := &watched{ctx: ctx, from: answer.Body, stall: j.order.Settings.stall()}
	w.timer = time.AfterFunc(w.stall, func() { cancel(errStalled) })
	return &body{Reader: w, size: answer.ContentLength, close: func() { w.timer.Stop(); done() }}, nil
}

// watched is a body that must not stall.
type watched struct {
	ctx   context.Context
	from  io.Reader
	timer *time.Timer
	stall time.Duration
	read  int64
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.stall) // what is done with what was read does not count
	n, err := w.from.Read(p)
	w.timer.Stop()
	w.read += int64(n)
	total := w.read
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return n, err
	case errors.Is(context.Cause(w.ctx), errStalled):
		return n, fmt.Errorf("%w for %v after %d bytes; --fetcher_stall_timeout is how long that may be", errStalled, w.stall, total)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("the connection ended after %d bytes, before all was sent: try again, or look at the server's log", total)
	}
	return n, explainNetwork(w.ctx, err)
}

func explainStatus(answer *http.Response) error {
	hint := ""
	switch answer.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		hint = ": there is nothing at this address"
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = ": it wants credentials, which can be given as http://user:password@host/…, or signed addresses"
	}
	at := ""
	if r := answer.Request; r != nil && r.Response != nil { // was redirected
		at = " (redirected to " + shown(r.URL.String()) + ")"
	}
	return fmt.Errorf("the server answered %q%s%s", answer.Status, at, hint)
}

// explainNetwork says in words why a server could not be reached.
func explainNetwork(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // which does not repeat the address
	}
	var (
		unknown   *net.DNSError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		expired   x509.CertificateInvalidError
		plain     tls.RecordHeaderError
		timeout   net.Error
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the host %q is not known to this agent's machine: %w", unknown.Name, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens there: %w", err)
	case errors.As(err, &authority):
		return fmt.Errorf("the server's certificate is of an authority that this agent's machine does not trust: %w", err)
	case errors.As(err, &name), errors.As(err, &expired):
		return fmt.Errorf("the server's certificate is not good for it: %w", err)
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("the server does not speak TLS: use http:// if it is not meant to: %w", err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("the server does not answer: %w", err)
	}
	return err
}
