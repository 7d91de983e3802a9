package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// longestEvent bounds one line of an event stream, in bytes.
const longestEvent = 64 << 20

// Event is one of an event stream. Data is JSON.
type Event struct {
	Type string
	Data json.RawMessage
}

// Stream is an event stream; one goroutine reads it.
type Stream struct {
	body  io.Closer
	lines *bufio.Scanner
}

// Events listens to some types of events, or to all. Plans come without apps. The
// stream ends with ctx.
func (c *Client) Events(ctx context.Context, types ...string) (*Stream, error) {
	q := url.Values{"plan-format": {"light"}}
	if len(types) > 0 {
		q["event_type"] = types
	}
	r := Request{Method: http.MethodGet, Path: "/v2/events", Query: q, Header: http.Header{"Accept": {"text/event-stream"}}}
	res, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return nil, fmt.Errorf("GET /v2/events: read the answer: %w", err)
		}
		return nil, refusal(r, &Response{res.StatusCode, res.Header, body})
	}
	s := &Stream{body: res.Body, lines: bufio.NewScanner(res.Body)}
	s.lines.Buffer(make([]byte, 0, 64<<10), longestEvent)
	return s, nil
}

// Next waits for the next event. The error is io.EOF when the server ended the
// stream.
func (s *Stream) Next() (Event, error) {
	var e Event
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			e.Type = value
		case "data":
			e.Data = append(e.Data, value...)
		case "":
			if e.Type != "" {
				return e, nil
			}
		}
	}
	if err := s.lines.Err(); err != nil {
		return e, fmt.Errorf("event stream: %w", err)
	}
	return e, io.EOF
}

// Close ends the stream.
func (s *Stream) Close() error { return s.body.Close() }
