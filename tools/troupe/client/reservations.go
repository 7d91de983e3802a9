package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"troupe/messages/cluster"
	mesosjson "troupe/messages/json"
)

// Reservations reads the standing reservations, ordered by id.
func (c *Client) Reservations(ctx context.Context) ([]*cluster.StandingReservation, error) {
	var answer struct {
		Reservations json.RawMessage `json:"reservations"`
	}
	if err := c.ask(ctx, "/reservations", &answer); err != nil {
		return nil, err
	}
	return mesosjson.UnmarshalArray[*cluster.StandingReservation](answer.Reservations)
}

// SetReservation makes or replaces a standing reservation.
func (c *Client) SetReservation(ctx context.Context, r *cluster.StandingReservation) error {
	return c.changeReservation(ctx, http.MethodPost, "/reservations", mesosjson.Marshal(r))
}

// RemoveReservation ends a standing reservation.
func (c *Client) RemoveReservation(ctx context.Context, id string) error {
	return c.changeReservation(ctx, http.MethodDelete, "/reservations/"+url.PathEscape(id), nil)
}

func (c *Client) changeReservation(ctx context.Context, method, path string, body []byte) error {
	return c.leader.with(ctx, func(leader string) error {
		var content io.Reader
		if body != nil {
			content = bytes.NewReader(body)
		}
		request, err := http.NewRequestWithContext(ctx, method, c.url(leader, "", nil)+path, content)
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
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
