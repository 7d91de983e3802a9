package detector

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"troupe/messages/json"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// maxMembers bounds how many masters one can have us ask.
const maxMembers = 100

// questions are put over HTTP. Connections are not kept: a standby master would
// else hold one for every agent.
type questions struct {
	client  *http.Client
	scheme  string
	timeout time.Duration
}

func newQuestions(o Options) *questions {
	q := &questions{
		client: &http.Client{
			Transport:     &http.Transport{TLSClientConfig: o.TLS, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		scheme: "http", timeout: o.AnswerTimeout,
	}
	if o.TLS != nil {
		q.scheme = "https"
	}
	return q
}

// get is status and body of an answer.
func (q *questions) get(ctx context.Context, address, path string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	target := url.URL{Scheme: q.scheme, Host: address, Path: path}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := q.client.Do(request)
	if err != nil {
		return 0, nil, reason(err)
	}
	defer response.Body.Close() // what was read is judged by itself
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, nil, reason(err)
	}
	return response.StatusCode, text, nil
}

// leader is an asker.
func (q *questions) leader(ctx context.Context, address string) (answer, error) {
	status, text, err := q.get(ctx, address, "/leader")
	switch {
	case err != nil:
		return answer{}, err
	case status == http.StatusNotFound:
		// A master that does not know the question has no rivals.
		return answer{leading: true, leader: nameless(address)}, nil
	case status != http.StatusOK:
		return answer{}, fmt.Errorf("answers %d %s", status, http.StatusText(status))
	}
	return parseAnswer(text, address)
}

// members are the masters that one keeps the registry with; none where it keeps
// it otherwise, or does not say.
func (q *questions) members(ctx context.Context, address string) []string {
	status, text, err := q.get(ctx, address, "/masters")
	if err != nil || status != http.StatusOK {
		return nil // whoever asks has been told by leader that it does not answer
	}
	return parseMembers(text)
}

// parseMembers reads {"masters": [{"address": "host:port"}]}, as far as it can.
func parseMembers(text []byte) []string {
	var said struct {
		Masters []struct {
			Address string `json:"address"`
		} `json:"masters"`
	}
	if stdjson.Unmarshal(text, &said) != nil {
		return nil
	}
	var all []string
	for _, m := range said.Masters {
		if masters.CheckAddress(m.Address) == nil && len(all) < maxMembers {
			all = append(all, m.Address)
		}
	}
	return all
}

// reason is an error of net/http without the request, which the caller names.
func reason(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("does not answer: %w", err)
}

// parseAnswer reads {"leading": true, "leader": {MasterInfo}} of a master at an
// address.
func parseAnswer(text []byte, address string) (answer, error) {
	var said struct {
		Leading bool               `json:"leading"`
		Leader  stdjson.RawMessage `json:"leader"`
	}
	if err := stdjson.Unmarshal(text, &said); err != nil {
		return answer{}, fmt.Errorf("answers what is no JSON of a leader: %w", err)
	}
	a := answer{leading: said.Leading}
	if len(said.Leader) > 0 && !bytes.Equal(said.Leader, []byte("null")) {
		a.leader = new(mesos.MasterInfo)
		if err := json.Unmarshal(said.Leader, a.leader); err != nil {
			return answer{}, fmt.Errorf("answers a malformed leader: %w", err)
		}
	}
	if a.leading && addressOf(a.leader) == "" {
		a.leader = nameless(address)
	}
	return a, nil
}
