package commands

import (
	"context"
	"fmt"
	"io"
	"sync"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// askedAtOnce bounds the agents that are asked at a time.
const askedAtOnce = 32

// answered is what an agent said.
type answered[T any] struct {
	Agent  string
	Answer T
	Err    error
}

// askAgents asks one agent, or all that are registered if its name is empty, and
// returns what each said, in the master's order. Agents that are disconnected are
// not asked.
func askAgents[T any](ctx context.Context, c *client.Client, agent string, ask func(ctx context.Context, address string) (T, error)) ([]answered[T], error) {
	addresses, err := addressesOf(ctx, c, agent)
	if err != nil {
		return nil, err
	}
	list := make([]answered[T], len(addresses))
	var asked sync.WaitGroup
	places := make(chan struct{}, askedAtOnce)
	for i, address := range addresses {
		places <- struct{}{}
		asked.Go(func() {
			defer func() { <-places }()
			answer, err := ask(ctx, address)
			list[i] = answered[T]{address, answer, err}
		})
	}
	asked.Wait()
	if len(list) == 1 && agent != "" {
		return list, list[0].Err
	}
	return list, nil
}

func addressesOf(ctx context.Context, c *client.Client, agent string) ([]string, error) {
	if agent != "" {
		address, err := c.AgentAddress(ctx, agent)
		return []string{address}, err
	}
	agents, err := c.Agents(ctx)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, a := range agents {
		if a.Active || a.Deactivated {
			addresses = append(addresses, a.Address())
		}
	}
	return addresses, nil
}

// tellSilent names the agents that gave no answer.
func tellSilent[T any](w io.Writer, style show.Style, list []answered[T]) error {
	for _, a := range list {
		if a.Err == nil {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s %s: %v\n", style.Red("not counted:"), a.Agent, a.Err); err != nil {
			return err
		}
	}
	return nil
}
