package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Follow calls each for what happens from now on, or after the event with the id
// after, until it returns an error, ctx is done, or the stream ends, which is
// io.EOF. By narrows what is told: job, tag. Opened is called, unless it is nil, as
// soon as nothing is missed any more.
func (c *Client) Follow(ctx context.Context, after string, by url.Values, opened func(), each func(Event) error) error {
	header := http.Header{"Accept": {"text/event-stream"}}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	response, err := c.send(ctx, http.MethodGet, c.at("events")+query(by), nil, header)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	if _, err := lines.ReadString('\n'); err != nil { // a comment that greets
		return err
	}
	if opened != nil {
		opened()
	}
	for {
		e, err := readEvent(lines)
		if err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// readEvent reads up to the end of the next event.
func readEvent(lines *bufio.Reader) (Event, error) {
	var e Event
	var data string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "id":
			e.ID = value
		case "data":
			data += value
		}
		if strings.TrimRight(line, "\r\n") != "" || data == "" {
			continue
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return e, fmt.Errorf("event %.100q: %w", data, err)
		}
		return e, nil
	}
}
