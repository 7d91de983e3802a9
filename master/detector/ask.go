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

	"troupe/messages/json"
	"troupe/messages/mesos"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// newAsker asks over HTTP. Connections are not kept: a standby master would
// else hold one for every agent.
func newAsker(o Options) asker {
	transport := &http.Transport{TLSClientConfig: o.TLS, DisableKeepAlives: true}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	scheme := "http"
	if o.TLS != nil {
		scheme = "https"
	}
	return func(ctx context.Context, address string) (answer, error) {
		ctx, cancel := context.WithTimeout(ctx, o.AnswerTimeout)
		defer cancel()
		target := url.URL{Scheme: scheme, Host: address, Path: "/leader"}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
		if err != nil {
			return answer{}, err
		}
		response, err := client.Do(request)
		if err != nil {
			return answer{}, reason(err)
		}
		defer response.Body.Close() // what was read is judged by itself
		switch {
		case response.StatusCode == http.StatusNotFound:
			// A master that does not know the question has no rivals.
			return answer{leading: true, leader: nameless(address)}, nil
		case response.StatusCode != http.StatusOK:
			return answer{}, fmt.Errorf("answers %s", response.Status)
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return answer{}, reason(err)
		}
		return parseAnswer(text, address)
	}
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
