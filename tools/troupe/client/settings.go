package client

import (
	"context"
	"encoding/json"
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
	var text json.RawMessage
	if err := c.ask(ctx, "/maintenance/schedule", &text); err != nil {
		return nil, err
	}
	s := new(maintenance.Schedule)
	return s, mesosjson.Unmarshal(text, s)
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
