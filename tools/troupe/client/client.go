package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"troupe/master/detector"
	"troupe/messages/carrier/files"
	mesosjson "troupe/messages/json"
	"troupe/messages/masters"
	mesosmaster "troupe/messages/mesos/master"
)

// Client reads the leading master, and the agents it names. The zero value is
// not usable; see New. It may be used from several goroutines.
type Client struct {
	where  string
	scheme string
	http   *http.Client
	leader leader
}

// answerTimeout bounds one request: a console that waits longer has lost its
// user.
const answerTimeout = 30 * time.Second

// maxAnswer bounds what is read of one answer: the state of a large cluster
// has some hundred megabytes.
const maxAnswer = 1 << 30

// New returns a client of the masters at where, in any form that package
// masters reads. With a TLS configuration it speaks HTTPS, also to agents.
func New(where string, secure *tls.Config) (*Client, error) {
	l, err := newLeader(where, secure)
	if err != nil {
		return nil, fmt.Errorf("--master=%q: %w", masters.Redact(where), err)
	}
	c := &Client{where: masters.Redact(where), scheme: "http", http: &http.Client{Timeout: answerTimeout}, leader: l}
	if secure != nil {
		c.scheme = "https"
		c.http.Transport = &http.Transport{TLSClientConfig: secure}
	}
	return c, nil
}

// ProveToBe makes c prove to be a principal wherever it asks, also where it is
// sent on to. It must not be called once c has been used.
func (c *Client) ProveToBe(principal, secret string) {
	c.http.Transport = proving{cmp.Or[http.RoundTripper](c.http.Transport, http.DefaultTransport), principal, secret}
}

// proving adds a proof to every request.
type proving struct {
	http.RoundTripper
	principal, secret string
}

// RoundTrip implements http.RoundTripper.
func (p proving) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth(p.principal, p.secret)
	return p.RoundTripper.RoundTrip(r)
}

// Close ends the search for leaders.
func (c *Client) Close() error { return c.leader.Close() }

// Where is what it was made with, without a password.
func (c *Client) Where() string { return c.where }

// Leader is the address, host:port, of the master to ask. A single one is
// taken for the leader: it sends on who asks it if it is not.
func (c *Client) Leader(ctx context.Context) (string, error) { return c.leader.find(ctx) }

// Seek asks who leads, and is the address that actors know it by.
func (c *Client) Seek(ctx context.Context) (string, error) { return c.leader.seek(ctx) }

// Doubt tells that the leader at an address says that it does not lead, but one
// at hint, which may be empty.
func (c *Client) Doubt(address, hint string) { c.leader.seeker.Doubt(address, hint) }

// Masters asks all masters that can be found what they are.
func (c *Client) Masters(ctx context.Context) ([]detector.Standing, error) {
	return c.leader.seeker.Masters(ctx)
}

// State reads what the master knows.
func (c *Client) State(ctx context.Context) (*State, error) {
	state := new(State)
	return state, c.ask(ctx, "/state", state)
}

// Agents reads which agents are registered.
func (c *Client) Agents(ctx context.Context) ([]Agent, error) {
	var answer struct {
		Agents []Agent `json:"slaves"`
	}
	return answer.Agents, c.ask(ctx, "/slaves", &answer)
}

// ask reads from the leader. One that does not answer is looked for once more.
func (c *Client) ask(ctx context.Context, path string, into any) error {
	return c.leader.with(ctx, func(address string) error { return c.read(ctx, address, path, nil, into) })
}

// Call makes a call of the operator API of the leader that has no answer but
// that it is done.
func (c *Client) Call(ctx context.Context, call *mesosmaster.Call) error {
	body := mesosjson.Marshal(call)
	return c.leader.with(ctx, func(address string) error {
		target := c.url(address, "/api/v1", nil)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json")
		response, err := c.http.Do(request)
		if err != nil {
			return unanswered(address, err)
		}
		defer response.Body.Close() // nothing is read of it
		if response.StatusCode/100 != 2 {
			return statusError(request, response)
		}
		return nil
	})
}

// AddMaster lets the master at an address, host:port, belong to the masters that
// keep the registry among themselves; RemoveMaster takes it out of them.
func (c *Client) AddMaster(ctx context.Context, address string) error {
	return c.changeMasters(ctx, "add", address)
}

// RemoveMaster is the opposite of AddMaster.
func (c *Client) RemoveMaster(ctx context.Context, address string) error {
	return c.changeMasters(ctx, "remove", address)
}

func (c *Client) changeMasters(ctx context.Context, change, address string) error {
	return c.leader.with(ctx, func(leader string) error {
		target := c.url(leader, "/masters/"+change, url.Values{"address": {address}})
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, nil)
		if err != nil {
			return err
		}
		response, err := c.http.Do(request)
		if err != nil {
			return unanswered(leader, err)
		}
		defer response.Body.Close() // nothing is read of it
		if response.StatusCode != http.StatusOK {
			return statusError(request, response)
		}
		return nil
	})
}

// Browse lists a folder of an agent's sandboxes.
func (c *Client) Browse(ctx context.Context, agent Agent, path string) ([]File, error) {
	var files []File
	return files, c.read(ctx, agent.Address(), "/files/browse", url.Values{"path": {path}}, &files)
}

// Position is a place in a file.
type Position struct {
	Offset int64
	// File tells files apart; empty if the agent does not.
	File string
}

// ErrReplaced tells that a file is another than before: it was rotated.
var ErrReplaced = errors.New("the file is another than before")

// Download writes an agent's file from a position on to w, byte for byte, and
// returns where it ended. Of another file than the position's nothing is written:
// ErrReplaced.
func (c *Client) Download(ctx context.Context, w io.Writer, agent, path string, from Position) (Position, error) {
	target := c.url(agent, "/files/download", url.Values{"path": {path}})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return from, err
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from.Offset))
	response, err := c.http.Do(request)
	if err != nil {
		return from, unanswered(agent, err)
	}
	defer response.Body.Close()
	is := response.Header.Get(files.FileHeader)
	switch {
	case from.File != "" && is != "" && is != from.File:
		return from, ErrReplaced
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return Position{from.Offset, is}, nil // nothing new
	case response.StatusCode == http.StatusPartialContent, response.StatusCode == http.StatusOK && from.Offset == 0:
	default:
		return from, statusError(request, response)
	}
	n, err := io.Copy(w, response.Body)
	return Position{from.Offset + n, is}, err
}

func (c *Client) url(address, path string, query url.Values) string {
	target := url.URL{Scheme: c.scheme, Host: address, Path: path, RawQuery: query.Encode()}
	return target.String()
}

// Read gets a JSON document of a daemon.
func (c *Client) Read(ctx context.Context, address, path string, into any) error {
	return c.read(ctx, address, path, nil, into)
}

// read gets one JSON document.
func (c *Client) read(ctx context.Context, address, path string, query url.Values, into any) error {
	target := c.url(address, path, query)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return unanswered(address, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return statusError(request, response)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("GET %s: %w", target, err)
	}
	return nil
}

// SilentError tells that nobody answers at an address.
type SilentError struct {
	Address string
	Err     error
}

func (e *SilentError) Error() string { return fmt.Sprintf("%s does not answer: %v", e.Address, e.Err) }

// Unwrap is the reason.
func (e *SilentError) Unwrap() error { return e.Err }

// unanswered leaves out what net/http says of the request.
func unanswered(address string, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &SilentError{address, err}
}

func statusError(request *http.Request, response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return err
	}
	return &StatusError{
		Method: request.Method, URL: request.URL.String(), Code: response.StatusCode, Text: strings.TrimSpace(string(text)),
	}
}

// StatusError is an answer that is no success.
type StatusError struct {
	Method, URL string
	Code        int
	Text        string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: %d %s: %s", e.Method, e.URL, e.Code, http.StatusText(e.Code), e.Text)
}
