package cron

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"troupe/frameworks/cron/launch"
	"troupe/messages/mesos"
)

// mostAgents bounds the agents whose addresses are remembered.
const mostAgents = 100_000

// see remembers where an offer's agent is reached. It needs the lock.
func (c *Cron) see(o *mesos.Offer) {
	a := o.GetUrl().GetAddress()
	host := a.GetIp()
	if host == "" {
		host = a.GetHostname()
	}
	id := o.GetAgentId().GetValue()
	if _, known := c.addresses[id]; host == "" || !known && len(c.addresses) >= mostAgents {
		return
	}
	c.addresses[id] = net.JoinHostPort(host, strconv.Itoa(int(a.GetPort())))
}

// Framework is the framework's id, empty before its first subscription, and
// whether the master is connected.
func (c *Cron) Framework() (id string, connected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.framework, c.connected
}

// Waiting says in words why a launched task has no place yet, most important
// first; none when it does not wait.
func (c *Cron) Waiting(task string) []string {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	w, waits := c.queue.Why(now, task)
	if !waits {
		return nil
	}
	words := []string{"queued for " + now.Sub(w.Since).Round(time.Second).String()}
	if !c.connected {
		words = append(words, "the master is out of reach")
	}
	return append(words, w.Reasons...)
}

// Queue has what waits for an offer, in the order of turns, so much at most.
func (c *Cron) Queue(most int) []launch.Waiting {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.All(time.Now(), most)
}

// Log is the URL of a stream, "stdout" or "stderr", of a task that an agent has
// or had; empty when it is not known where. The agent may be empty while the task
// runs.
func (c *Cron) Log(task, agent, stream string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if agent == "" {
		agent = c.places[task]
	}
	address := c.addresses[agent]
	if address == "" || c.framework == "" {
		return ""
	}
	u := url.URL{Scheme: "http", Host: address, Path: "/files/download"}
	if c.options.HTTPS {
		u.Scheme = "https"
	}
	path := fmt.Sprintf("/frameworks/%s/executors/%s/runs/latest/%s", c.framework, task, stream)
	u.RawQuery = url.Values{"path": {path}}.Encode()
	return u.String()
}

// Tail is the end of such a stream, so many bytes at most. The error is for
// people.
func (c *Cron) Tail(ctx context.Context, task, agent, stream string, bytes int64) ([]byte, error) {
	c.mu.Lock()
	if agent == "" {
		agent = c.places[task]
	}
	framework := c.framework
	c.mu.Unlock()
	if agent == "" || c.options.Tail == nil {
		return nil, errors.New("it is not known where the task runs or ran")
	}
	return c.options.Tail(ctx, Stream{Framework: framework, Agent: agent, Task: task, Name: stream}, bytes)
}

// Master is host:port of the master that is connected, "" without one.
func (c *Cron) Master() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.master
}
