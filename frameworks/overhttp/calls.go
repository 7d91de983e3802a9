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

// carry sends what waits in a lane, in order: together where the master takes it.
func (n *Connection) carry(l *lane) {
	for calls := l.take(); len(calls) > 0; calls = l.take() {
		for len(calls) > 0 {
			rest, err := n.say(l, calls)
			if err != nil {
				n.lose(err.Error())
				return
			}
			calls = rest
		}
	}
}

// say sends some of a lane's calls, one after the other if they cannot be sent
// together, and returns the others.
func (n *Connection) say(l *lane, calls []*scheduler.Call) (rest []*scheduler.Call, err error) {
	some := calls[:min(len(calls), maxBatch)]
	if len(some) > 1 && !n.client.singly.Load() {
		if said, err := n.postAll(some); said || err != nil {
			return calls[len(some):], err
		}
		if n.client.singly.Load() && n.spread(l, calls) {
			return nil, nil
		}
	}
	for _, call := range some {
		if err := n.post(call); err != nil {
			return nil, err
		}
	}
	return calls[len(some):], nil
}

// spread gives what waits in the first lane to the lanes that there are for a master
// that takes one call in a request, those in hand first. It is false if that has
// been done.
func (n *Connection) spread(l *lane, hand []*scheduler.Call) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.singly {
		return false
	}
	n.singly = true
	for _, call := range l.empty(hand) {
		n.put(n.lanes[laneOf(call)], call)
	}
	return true
}

// post sends one call and hears its answer. An error is one of the connection.
func (n *Connection) post(call *scheduler.Call) error {
	ctx, cancel := context.WithTimeout(n.context, n.client.options.Patience)
	defer cancel()
	answer, err := n.ask(ctx, call, n.streamID())
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

func (n *Connection) streamID() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stream
}

// ask sends a request.
func (n *Connection) ask(ctx context.Context, call *scheduler.Call, stream string) (*http.Response, error) {
	form := n.client.form
	body, err := form.marshal(call)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", call.GetType(), err)
	}
	headers := []string{"Content-Type", form.media(), "Accept", form.media()}
	if stream != "" {
		headers = append(headers, streamHeader, stream)
	}
	return n.request(ctx, body, headers...)
}

// request sends a body with headers, which are pairs of name and value.
func (n *Connection) request(ctx context.Context, body []byte, headers ...string) (*http.Response, error) {
	target := url.URL{Scheme: n.client.scheme, Host: n.address, Path: path}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
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
	if redirects(answer.StatusCode) && !n.closed() {
		n.ear.NotLeading(leaderIn(answer.Header.Get("Location")))
		return
	}
	n.tell(call, answer.StatusCode, said)
}

func redirects(status int) bool {
	return status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
}

// tell hears what a call came to.
func (n *Connection) tell(call *scheduler.Call, status int, said string) {
	switch {
	case n.closed():
	case status == http.StatusServiceUnavailable:
		n.ear.NotLeading("")
		n.ear.Refused(call, status, told(status, said))
	case status >= http.StatusMultipleChoices:
		n.ear.Refused(call, status, told(status, said))
	case call.GetType() == scheduler.Call_TEARDOWN:
		n.ear.Removed()
	}
}

func (n *Connection) closed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.over
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
