package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"troupe/executor/check"
)

const (
	// As many redirects are followed.
	maxRedirects = 50
	// An answer's header may have so many bytes.
	maxHeader = 256 << 10
	// Of an answer's body so much must come in time; nobody reads the rest.
	maxBody = 1 << 20
)

// newClient makes one that asks anew each time: whether the task takes
// connections is part of the question. No proxy is asked, and no certificate
// verified.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			return nil
		},
	}
}

// get is the status code of the last answer.
func (p *Prober) get(ctx context.Context, at string) (r check.Result) {
	if p.client == nil {
		p.client = newClient()
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return check.Result{Err: fmt.Errorf("asking %q: %w", at, cause(err))}
	}
	answer, err := p.client.Do(q)
	if err != nil {
		return check.Result{Err: fmt.Errorf("asking %s: %w", at, cause(err))}
	}
	defer func() {
		if err := answer.Body.Close(); err != nil && r.Err == nil {
			r = check.Result{Err: fmt.Errorf("asking %s: %w", at, err)}
		}
	}()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, maxBody)); err != nil {
		return check.Result{Err: fmt.Errorf("the answer of %s broke off: %w", at, err)}
	}
	return check.Result{Code: answer.StatusCode}
}

// cause leaves out what net/http says around it.
func cause(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
