package client

import (
	"context"
	"net/url"
	"strings"
)

// Container is a container of an agent, with what it uses.
type Container struct {
	ID          string     `json:"container_id"`
	Task        string     `json:"task_id"` // empty if it is not for one task alone
	Executor    string     `json:"executor_id"`
	FrameworkID string     `json:"framework_id"`
	Framework   string     `json:"framework_name"`
	Role        string     `json:"role"`
	Statistics  Statistics `json:"statistics"`
}

// Statistics are what is known of a container's use; nil of a field is unknown.
type Statistics struct {
	Timestamp     float64  `json:"timestamp"`
	User          *float64 `json:"cpus_user_time_secs"`
	System        *float64 `json:"cpus_system_time_secs"`
	CPUs          *float64 `json:"cpus_soft_limit"`
	CPUsLimit     *float64 `json:"cpus_limit"`
	Periods       *float64 `json:"cpus_nr_periods"`
	Throttled     *float64 `json:"cpus_nr_throttled"`
	ThrottledTime *float64 `json:"cpus_throttled_time_secs"`
	// In bytes.
	MemTotal  *float64 `json:"mem_total_bytes"`
	MemRSS    *float64 `json:"mem_rss_bytes"`
	MemLimit  *float64 `json:"mem_limit_bytes"`
	DiskUsed  *float64 `json:"disk_used_bytes"`
	DiskLimit *float64 `json:"disk_limit_bytes"`
	Processes *float64 `json:"processes"`
	Threads   *float64 `json:"threads"`
}

// Mem is all memory that counts, or what is known of it.
func (s Statistics) Mem() *float64 {
	if s.MemTotal != nil {
		return s.MemTotal
	}
	return s.MemRSS
}

// Containers reads what the containers of the agent at an address use.
func (c *Client) Containers(ctx context.Context, agent string) ([]Container, error) {
	var list []Container
	return list, c.read(ctx, agent, "/containers", url.Values{"show_nested": {"true"}}, &list)
}

// RoleSlack is what a role's containers had, used and left at an agent.
type RoleSlack struct {
	Role    string        `json:"role"`
	Windows []SlackWindow `json:"windows"`
}

// SlackWindow is so of a time until now.
type SlackWindow struct {
	Window string  `json:"window"` // 1m, 10m, 1h, 1d
	Covers float64 `json:"covers_secs"`
	CPUs   Left    `json:"cpus"`
	Mem    Left    `json:"mem"` // in MB
}

// Left is so of a resource; see the agent's /slack.
type Left struct {
	Allocated float64 `json:"mean_allocated"`
	Used      float64 `json:"mean_used"`
	P95       float64 `json:"p95_used"`
	Peak      float64 `json:"peak_used"`
	Slack     float64 `json:"slack"`
}

// Add sums up what agents tell.
func (l *Left) Add(m Left) {
	l.Allocated += m.Allocated
	l.Used += m.Used
	l.P95 += m.P95
	l.Peak += m.Peak
	l.Slack += m.Slack
}

// Slack reads what roles left at the agent at an address.
func (c *Client) Slack(ctx context.Context, agent string) ([]RoleSlack, error) {
	var answer struct {
		Roles []RoleSlack `json:"roles"`
	}
	return answer.Roles, c.read(ctx, agent, "/slack", nil, &answer)
}

// AgentAddress is the address of an agent by what people write: host:port, or an
// id, or the end of one, which the master is asked for.
func (c *Client) AgentAddress(ctx context.Context, agent string) (string, error) {
	if strings.Contains(agent, ":") {
		return agent, nil
	}
	agents, err := c.Agents(ctx)
	if err != nil {
		return "", err
	}
	found, err := (&State{Agents: agents}).Agent(agent)
	return found.Address(), err
}
