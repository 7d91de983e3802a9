package client

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client reads one master, and the agents it names. The zero value is not
// usable; see New. It may be used from several goroutines.
type Client struct {
	master string
	scheme string
	http   *http.Client
}

// answerTimeout bounds one request: a console that waits longer has lost its
// user.
const answerTimeout = 30 * time.Second

// maxAnswer bounds what is read of one answer: the state of a large cluster
// has some hundred megabytes.
const maxAnswer = 1 << 30

// New returns a client of the master at address, "host:port". With a TLS
// configuration it speaks HTTPS, also to agents.
func New(address string, secure *tls.Config) (*Client, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("--master=%q is not of the form host:port", address)
	}
	c := &Client{master: address, scheme: "http", http: &http.Client{Timeout: answerTimeout}}
	if secure != nil {
		c.scheme = "https"
		c.http.Transport = &http.Transport{TLSClientConfig: secure}
	}
	return c, nil
}

// Master is the address it was made with.
func (c *Client) Master() string { return c.master }

// State reads what the master knows.
func (c *Client) State(ctx context.Context) (*State, error) {
	state := new(State)
	return state, c.read(ctx, c.master, "/state", nil, state)
}

// Agents reads which agents are registered.
func (c *Client) Agents(ctx context.Context) ([]Agent, error) {
	var answer struct {
		Agents []Agent `json:"slaves"`
	}
	return answer.Agents, c.read(ctx, c.master, "/slaves", nil, &answer)
}

// Browse lists a folder of an agent's sandboxes.
func (c *Client) Browse(ctx context.Context, agent Agent, path string) ([]File, error) {
	var files []File
	return files, c.read(ctx, agent.Address(), "/files/browse", url.Values{"path": {path}}, &files)
}

// Download writes an agent's file from offset on to w, byte for byte, and
// returns where it ended.
func (c *Client) Download(ctx context.Context, w io.Writer, agent, path string, offset int64) (int64, error) {
	target := c.url(agent, "/files/download", url.Values{"path": {path}})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return offset, err
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	response, err := c.http.Do(request)
	if err != nil {
		return offset, fmt.Errorf("%s does not answer: %w", agent, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return offset, nil // nothing new
	case response.StatusCode == http.StatusPartialContent, response.StatusCode == http.StatusOK && offset == 0:
	default:
		return offset, statusError(target, response)
	}
	n, err := io.Copy(w, response.Body)
	return offset + n, err
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
		return fmt.Errorf("%s does not answer: %w", address, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return statusError(target, response)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("GET %s: %w", target, err)
	}
	return nil
}

func statusError(target string, response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return err
	}
	return &StatusError{URL: target, Code: response.StatusCode, Text: strings.TrimSpace(string(text))}
}

// StatusError is an answer other than 200.
type StatusError struct {
	URL  string
	Code int
	Text string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("GET %s: %d %s: %s", e.URL, e.Code, http.StatusText(e.Code), e.Text)
}
