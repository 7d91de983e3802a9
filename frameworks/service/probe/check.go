package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Protocols of checks.
const (
	HTTP  = "HTTP"
	HTTPS = "HTTPS" // whatever the certificate
	TCP   = "TCP"
)

// mostBody bounds what is kept of an answer.
const mostBody = 64 << 10

// mostHeader bounds the header of an answer.
const mostHeader = 64 << 10

// Check says what to ask whom, and how often.
type Check struct {
	Protocol string
	// Host is a name or an address; one of IPv6 has no brackets.
	Host string
	Port int
	// Path of HTTP, with a query if there is one; "" is "/".
	Path string
	// Interval between two checks, and Timeout of each; both are above 0.
	Interval, Timeout time.Duration
	// Codes of HTTP that pass; nil is 200 to 399, since who redirects is well.
	Codes []int
	// IgnoreInformational: an answer of 100 to 199 says nothing, and is not
	// reported.
	IgnoreInformational bool
	// Once: it ends when it has passed, as one for readiness does.
	Once bool
	// Keep the answer for the result.
	Keep bool
	// Report gets each result; it must not block.
	Report func(Result)
}

// Result of a check that was performed.
type Result struct {
	Passed bool
	// Cause is why it did not pass, in words.
	Cause string
	// Response is nil unless it is kept and there was one.
	Response *Response
}

// Response to a check over HTTP. Of the body there are 64 KiB at most.
type Response struct {
	Status      int
	ContentType string
	Body        string
}

// newClient makes a client that opens a connection for every check, since it is
// part of what is checked that one can be opened.
func newClient(d *net.Dialer) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: d.DialContext, DisableKeepAlives: true, DisableCompression: true,
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as documented: the instance, not its certificate, is checked
			MaxResponseHeaderBytes: mostHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask performs a check; counts is false where its outcome says nothing.
func (p *Prober) ask(ctx context.Context, c *Check) (r Result, counts bool) {
	if c.Protocol == TCP {
		return p.connect(ctx, c), true
	}
	return p.get(ctx, c)
}

func (c *Check) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

func (p *Prober) connect(ctx context.Context, c *Check) Result {
	conn, err := p.dialer.DialContext(ctx, "tcp", c.address())
	if err != nil {
		return failed(c, err)
	}
	if err := conn.Close(); err != nil {
		return failed(c, err)
	}
	return Result{Passed: true}
}

func (p *Prober) get(ctx context.Context, c *Check) (r Result, counts bool) {
	target, err := c.url()
	if err != nil {
		return failed(c, err), true
	}
	var informational atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			informational.Store(true)
			return nil
		},
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return failed(c, err), true
	}
	request.Header.Set("User-Agent", "troupe-service")
	answer, err := p.client.Do(request)
	if err != nil {
		return failed(c, err), !informational.Load() || !c.IgnoreInformational
	}
	r = c.judge(answer)
	if err := answer.Body.Close(); err != nil && r.Passed {
		r = failed(c, err)
	}
	return r, answer.StatusCode >= http.StatusOK || !c.IgnoreInformational
}

// url of the check. A path may be anything that people write.
func (c *Check) url() (string, error) {
	scheme := strings.ToLower(c.Protocol)
	if c.Protocol != HTTP && c.Protocol != HTTPS {
		return "", fmt.Errorf("protocol %q is none of HTTP, HTTPS and TCP", c.Protocol)
	}
	path, query, _ := strings.Cut(c.Path, "?")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		plain = path // taken literally
	}
	u := url.URL{Scheme: scheme, Host: c.address(), Path: plain, RawPath: path, RawQuery: query}
	return u.String(), nil
}

func (c *Check) judge(answer *http.Response) Result {
	r := Result{Passed: c.passes(answer.StatusCode)}
	if !r.Passed {
		r.Cause = fmt.Sprintf("%s %s answered %d %s", c.Protocol, c.Path, answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	if c.Keep && answer.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(io.LimitReader(answer.Body, mostBody))
		if err != nil {
			return failed(c, fmt.Errorf("read the answer: %w", err))
		}
		r.Response = &Response{
			Status: answer.StatusCode, ContentType: answer.Header.Get("Content-Type"),
			Body: strings.ToValidUTF8(string(body), "\uFFFD"),
		}
	}
	return r
}

func (c *Check) passes(status int) bool {
	if c.Codes != nil {
		return slices.Contains(c.Codes, status)
	}
	return status >= http.StatusOK && status < http.StatusBadRequest
}

// failed says in words why.
func failed(c *Check, err error) Result {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err // the rest is said below
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Result{Cause: fmt.Sprintf("%s %s%s: no answer within %s", c.Protocol, c.address(), c.Path, c.Timeout)}
	}
	return Result{Cause: fmt.Sprintf("%s %s%s: %v", c.Protocol, c.address(), c.Path, err)}
}
