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

	"troupe/messages/cluster"
	mesosjson "troupe/messages/json"
	"troupe/messages/mesos/maintenance"
)

// Role is a role, as /roles shows it.
type Role struct {
	Name       string    `json:"name"`
	Weight     float64   `json:"weight"`
	Quota      Quota     `json:"quota"`
	Allocated  Resources `json:"allocated"`
	Offered    Resources `json:"offered"`
	Reserved   Resources `json:"reserved"`
	Frameworks []string  `json:"frameworks"`
}

// Quota is what a role is guaranteed, limited to, and consumes.
type Quota struct {
	Guarantee Resources `json:"guarantee"`
	Limit     Resources `json:"limit"`
	Consumed  Resources `json:"consumed"`
}

// Weight is one that was set.
type Weight struct {
	Role   string  `json:"role"`
	Weight float64 `json:"weight"`
}

// Roles reads the roles that are known.
func (c *Client) Roles(ctx context.Context) ([]Role, error) {
	var answer struct {
		Roles []Role `json:"roles"`
	}
	err := c.ask(ctx, "/roles", &answer)
	return answer.Roles, err
}

// Weights reads the weights that were set.
func (c *Client) Weights(ctx context.Context) ([]Weight, error) {
	var list []Weight
	err := c.ask(ctx, "/weights", &list)
	return list, err
}

// Schedule reads the schedule of maintenance.
func (c *Client) Schedule(ctx context.Context) (*maintenance.Schedule, error) {
	s, _, err := c.versionedSchedule(ctx)
	return s, err
}

// mostRepeats is how often ChangeSchedule begins again.
const mostRepeats = 20

// ChangeSchedule makes of the schedule of maintenance what change makes of it.
// When others changed it meanwhile it begins again, so that change may be called
// several times, and nothing of theirs is lost.
func (c *Client) ChangeSchedule(ctx context.Context, change func(*maintenance.Schedule) error) (err error) {
	for range mostRepeats {
		s, version, err := c.versionedSchedule(ctx)
		if err != nil {
			return err
		}
		if err := change(s); err != nil {
			return err
		}
		err = c.replaceSchedule(ctx, s, version)
		var status *StatusError
		if !errors.As(err, &status) || status.Code != http.StatusPreconditionFailed {
			return err
		}
	}
	return fmt.Errorf("the schedule of maintenance changes all the time: it was another after each of %d readings", mostRepeats)
}

const schedulePath = "/maintenance/schedule"

// versionedSchedule reads the schedule, and how its version is written.
func (c *Client) versionedSchedule(ctx context.Context) (s *maintenance.Schedule, version string, err error) {
	s = new(maintenance.Schedule)
	err = c.leader.with(ctx, func(leader string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(leader, schedulePath, nil), nil)
		if err != nil {
			return err
		}
		response, err := c.http.Do(request)
		if err != nil {
			return unanswered(leader, err)
		}
		defer response.Body.Close() // it was read, or is of no use
		if response.StatusCode != http.StatusOK {
			return statusError(request, response)
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return unanswered(leader, err)
		}
		version = response.Header.Get("ETag")
		return mesosjson.Unmarshal(text, s)
	})
	return s, version, err
}

// replaceSchedule replaces the schedule of that version.
func (c *Client) replaceSchedule(ctx context.Context, s *maintenance.Schedule, version string) error {
	return c.leader.with(ctx, func(leader string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(leader, schedulePath, nil), bytes.NewReader(mesosjson.Marshal(s)))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		if version != "" { // the leader may be older
			request.Header.Set("If-Match", version)
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

// Maintenance reads which machines are in maintenance, or about to be.
func (c *Client) Maintenance(ctx context.Context) (*maintenance.ClusterStatus, error) {
	var text json.RawMessage
	if err := c.ask(ctx, "/maintenance/status", &text); err != nil {
		return nil, err
	}
	s := new(maintenance.ClusterStatus)
	return s, mesosjson.Unmarshal(text, s)
}

// Explain asks why a framework is offered nothing, or no more.
func (c *Client) Explain(ctx context.Context, framework string) (*cluster.OffersExplained, error) {
	var text json.RawMessage
	if err := c.leader.with(ctx, func(address string) error {
		return c.read(ctx, address, "/allocator/explain", url.Values{"framework": {framework}}, &text)
	}); err != nil {
		return nil, err
	}
	x := new(cluster.OffersExplained)
	return x, mesosjson.Unmarshal(text, x)
}
