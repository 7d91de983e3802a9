package fetcher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
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
	return &http.Client{CheckRedirect: redirect, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext,
		TLSHandshakeTimeout: stall, ResponseHeaderTimeout: stall, IdleConnTimeout: stall,
		DisableCompression: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 1 << 20,
	}}
}

const maxRedirects = 10

// redirect is about following a server elsewhere.
func redirect(r *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return fmt.Errorf("the server redirects to %s, and only http and https are followed", shown(r.URL.String()))
	}
	r.Header.Del("Referer") // the address that leads there may be signed
	return nil
}

// body is what a server sends.
type body struct {
	io.Reader
	status int // 200; or 206 and 416 when a part was asked for
	header http.Header
	// from is the address that was asked last, without its query.
	from string
	// size is -1 when the server does not say.
	size int64
	// ends: it can be told whether all was sent.
	ends  bool
	close func()
}

// request asks a server for a source, with more headers. The body must be closed.
func (j *job) request(ctx context.Context, s *source, more http.Header) (*body, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	maps.Copy(request.Header, more)
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
	part := more.Get("Range") != "" && (answer.StatusCode == http.StatusPartialContent || answer.StatusCode == http.StatusRequestedRangeNotSatisfiable)
	if answer.StatusCode != http.StatusOK && !part {
		done()
		return nil, &statusError{answer.StatusCode, explainStatus(answer)}
	}
	w := &watched{ctx: ctx, from: answer.Body, stall: j.order.Settings.stall()}
	w.timer = time.AfterFunc(w.stall, func() { cancel(errStalled) })
	at := *answer.Request.URL
	at.User, at.RawQuery, at.Fragment = nil, "", ""
	return &body{
		Reader: w, status: answer.StatusCode, header: answer.Header, from: at.String(), size: answer.ContentLength,
		ends:  answer.ContentLength >= 0 || answer.ProtoMajor > 1 || len(answer.TransferEncoding) > 0,
		close: func() { w.timer.Stop(); done() },
	}, nil
}

// statusError is an answer that is not the file.
type statusError struct {
	code int
	err  error
}

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

// passes tells whether it may be another one soon.
func (e *statusError) passes() bool {
	return e.code >= 500 || e.code == http.StatusTooManyRequests || e.code == http.StatusRequestTimeout
}

// watched is a body that must not stall: neither send nothing for that long, nor, in
// that time, less than a byte a second.
type watched struct {
	ctx   context.Context
	from  io.Reader
	timer *time.Timer
	stall time.Duration
	read  int64
	// What was waited, and what was read, since that was last looked at.
	waited time.Duration
	got    int64
}

var errStalled = errors.New("the server has sent nothing")

func (w *watched) Read(p []byte) (int, error) {
	begun := time.Now()
	w.timer.Reset(w.stall) // what is done with what was read does not count
	n, err := w.from.Read(p)
	w.timer.Stop()
	w.read += int64(n)
	w.got += int64(n)
	if w.waited += time.Since(begun); err == nil && w.waited >= w.stall {
		if float64(w.got) < w.stall.Seconds() {
			return n, fmt.Errorf("%w: less than a byte a second, for %v, after %d bytes; --fetcher_stall_timeout is how long that may be", errStalled, w.stall, w.read)
		}
		w.waited, w.got = 0, 0
	}
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return n, err
	case errors.Is(context.Cause(w.ctx), errStalled):
		return n, fmt.Errorf("%w for %v after %d bytes; --fetcher_stall_timeout is how long that may be", errStalled, w.stall, w.read)
	case w.ctx.Err() != nil:
		return n, context.Cause(w.ctx)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("the connection ended after %d bytes, before all was sent: try again, or look at the server's log", w.read)
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
