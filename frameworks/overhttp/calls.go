package overhttp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"troupe/messages/mesos/scheduler"
)

// streamHeader names a subscription.
const streamHeader = "Mesos-Stream-Id"

// carry sends what waits in a lane, one after the other.
func (n *Connection) carry(l *lane) {
	for calls := l.take(); len(calls) > 0; calls = l.take() {
		for _, call := range calls {
			if err := n.post(call); err != nil {
				n.lose(err.Error())
				return
			}
		}
	}
}

// post sends one call and hears its answer. An error is one of the connection.
func (n *Connection) post(call *scheduler.Call) error {
	n.mu.Lock()
	stream := n.stream
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(n.context, n.client.options.Patience)
	defer cancel()
	answer, err := n.ask(ctx, call, stream)
	if err != nil {
		return err
	}
	defer answer.Body.Close() // what was read is judged by itself
	said, err := io.ReadAll(io.LimitReader(answer.Body, maxSaid))
	if err != nil {
		return fmt.Errorf("answer to %s: %w", call.GetType(), reason(err))
	}
	n.judge(call, answer, string(said))
	return nil
}

// ask sends a request.
func (n *Connection) ask(ctx context.Context, call *scheduler.Call, stream string) (*http.Response, error) {
	form := n.client.form
	body, err := form.marshal(call)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", call.GetType(), err)
	}
	target := url.URL{Scheme: n.client.scheme, Host: n.address, Path: path}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", form.media())
	r.Header.Set("Accept", form.media())
	if stream != "" {
		r.Header.Set(streamHeader, stream)
	}
	if n.client.authorization != "" {
		r.Header.Set("Authorization", n.client.authorization)
	}
	answer, err := n.client.http.Do(r)
	if err != nil {
		return nil, reason(err)
	}
	return answer, nil
}

// judge hears an answer that is no stream.
func (n *Connection) judge(call *scheduler.Call, answer *http.Response, said string) {
	n.mu.Lock()
	over := n.over
	n.mu.Unlock()
	if over {
		return
	}
	switch status := answer.StatusCode; {
	case status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect:
		n.ear.NotLeading(leaderIn(answer.Header.Get("Location")))
	case status == http.StatusServiceUnavailable:
		n.ear.NotLeading("")
		n.ear.Refused(call, status, told(status, said))
	case status >= http.StatusMultipleChoices:
		n.ear.Refused(call, status, told(status, said))
	case call.GetType() == scheduler.Call_TEARDOWN:
		n.ear.Removed()
	}
}

// told is what a master says of a refusal, or what its status means.
func told(status int, said string) string {
	return cmp.Or(strings.TrimSpace(said), http.StatusText(status))
}

// leaderIn is the host:port that a Location names, which may have no scheme; ""
// if it names none.
func leaderIn(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Port() == "" {
		return ""
	}
	return u.Host
}

// reason is an error of net/http without the request.
func reason(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err
}
