package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// mostBody bounds an answer, in bytes.
const mostBody = 256 << 20

// Client asks one framework. Its fields are set before it is used; then it may be
// used by any goroutine.
type Client struct {
	Base string // as in http://localhost:8080, without a slash at the end
	HTTP *http.Client
	// User and Password are sent with each request, if User is not "".
	User, Password string
}

// New returns a client of the framework at a URL.
func New(base string) *Client {
	return &Client{Base: strings.TrimRight(base, "/"), HTTP: &http.Client{}}
}

// Response is what was answered.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Request is what is asked for.
type Request struct {
	Method, Path string
	Query        url.Values
	Header       http.Header
	// Body is encoded as JSON; json.RawMessage goes as it is. Nil is none.
	Body any
}

// Error is an answer that is not 2xx.
type Error struct {
	Method, Path string
	Status       int
	Message      string
	// Details has what is wrong with each field; Text what is wrong with a body
	// that could not be read.
	Details []Detail
	Text    string
	// Deployments are in the way (409).
	Deployments []string
}

// Detail is all that is wrong with one field.
type Detail struct {
	Path   string   `json:"path"`
	Errors []string `json:"errors"`
}

// Error tells all of it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: status %d: %s", e.Method, e.Path, e.Status, e.Message)
	if e.Text != "" {
		fmt.Fprintf(&b, ": %s", e.Text)
	}
	for _, d := range e.Details {
		fmt.Fprintf(&b, "\n  %s: %s", d.Path, strings.Join(d.Errors, "; "))
	}
	if len(e.Deployments) > 0 {
		fmt.Fprintf(&b, "\n  deployments %s", strings.Join(e.Deployments, ", "))
	}
	return b.String()
}

// Is tells whether err is an answer of a status.
func Is(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// Send sends a request and reads the answer, whatever its status is. The error is
// that of the connection.
func (c *Client) Send(ctx context.Context, r Request) (*Response, error) {
	res, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBody+1))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, fmt.Errorf("%s %s: read the answer: %w", r.Method, r.Path, err)
	}
	if len(body) > mostBody {
		return nil, fmt.Errorf("%s %s: the answer is longer than %d bytes", r.Method, r.Path, mostBody)
	}
	return &Response{res.StatusCode, res.Header, body}, nil
}

// open sends a request; the caller closes the body of the answer.
func (c *Client) open(ctx context.Context, r Request) (*http.Response, error) {
	to := c.Base + (&url.URL{Path: r.Path}).EscapedPath()
	if len(r.Query) > 0 {
		to += "?" + r.Query.Encode()
	}
	var body io.Reader = http.NoBody
	if r.Body != nil {
		data, err := json.Marshal(r.Body)
		if raw, isRaw := r.Body.(json.RawMessage); isRaw {
			data, err = raw, nil // which may be no JSON, if that is what is to be sent
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: encode the body: %w", r.Method, r.Path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, to, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	req.Header.Set("Accept", "application/json")
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	if c.User != "" {
		req.SetBasicAuth(c.User, c.Password)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	return res, nil
}

// Do sends a request and decodes the answer into to, unless that is nil. An answer
// that is not 2xx is an *Error.
func (c *Client) Do(ctx context.Context, r Request, to any) (*Response, error) {
	res, err := c.Send(ctx, r)
	if err != nil {
		return nil, err
	}
	if res.Status < 200 || res.Status > 299 {
		return res, refusal(r, res)
	}
	if to == nil {
		return res, nil
	}
	if err := json.Unmarshal(res.Body, to); err != nil {
		return res, fmt.Errorf("%s %s: decode the answer: %w", r.Method, r.Path, err)
	}
	return res, nil
}

// refusal reads what an answer says is wrong; one in another form is its message.
func refusal(r Request, res *Response) *Error {
	e := &Error{Method: r.Method, Path: r.Path, Status: res.Status}
	var body struct {
		Message     string          `json:"message"`
		Details     json.RawMessage `json:"details"`
		Deployments []Ref           `json:"deployments"`
	}
	if json.Unmarshal(res.Body, &body) != nil || body.Message == "" {
		e.Message = strings.TrimSpace(string(res.Body[:min(len(res.Body), 500)]))
		return e
	}
	e.Message = body.Message
	if len(body.Details) > 0 && json.Unmarshal(body.Details, &e.Details) != nil && json.Unmarshal(body.Details, &e.Text) != nil {
		e.Text = string(body.Details)
	}
	for _, d := range body.Deployments {
		e.Deployments = append(e.Deployments, d.ID)
	}
	return e
}
