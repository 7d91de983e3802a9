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
	"strconv"
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

// Browse lists a folder of an agent's sandboxes.
func (c *Client) Browse(ctx context.Context, agent Agent, path string) ([]File, error) {
	var files []File
	return files, c.read(ctx, agent.Address(), "/files/browse", url.Values{"path": {path}}, &files)
}

// Chunk is a part of a file.
type Chunk struct {
	Data   string `json:"data"`
	Offset int64  `json:"offset"`
}

// ReadFile reads at most length bytes of an agent's file from offset. Offset
// -1 reads nothing and gives the file's size.
func (c *Client) ReadFile(ctx context.Context, agent Agent, path string, offset int64, length int) (Chunk, error) {
	var chunk Chunk
	query := url.Values{"path": {path}, "offset": {strconv.FormatInt(offset, 10)}}
	if offset >= 0 {
		query.Set("length", strconv.Itoa(length))
	}
	return chunk, c.read(ctx, agent.Address(), "/files/read", query, &chunk)
}

// read gets one JSON document.
func (c *Client) read(ctx context.Context, address, path string, query url.Values, into any) error {
	target := url.URL{Scheme: c.scheme, Host: address, Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", address, err)
	}
	defer response.Body.Close()
	body := io.LimitReader(response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(body, 4096))
		if err != nil {
			return err
		}
		return &StatusError{URL: target.String(), Code: response.StatusCode, Text: strings.TrimSpace(string(text))}
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("GET %s: %w", target.String(), err)
	}
	return nil
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
