package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

func agentsCommand(io Streams) *cobra.Command {
	c := readerCommand(io, &cobra.Command{
		Use: "agents", GroupID: groupUse, Args: noSuchCommand,
		Short: "List the agents and what is used of them; drain them, or take them out",
	}, listAgents)
	c.AddCommand(drainCommand(io), deactivateCommand(io), reactivateCommand(io), goneCommand(io))
	return c
}

func listAgents(ctx context.Context, r *reader, _ []string) error {
	state, err := r.state(ctx)
	if err != nil {
		return err
	}
	if r.json {
		return show.JSON(r.out, state.Agents)
	}
	style := r.style()
	table := show.NewTable("ID", "HOST", "STATE", "CPUS", "MEM", "DISK", "SINCE")
	for _, a := range state.Agents {
		table.Add(a.ID, a.Address(), agentStanding(style, a), share(a, "cpus"), share(a, "mem"), share(a, "disk"), show.Age(time.Now(), a.Registered))
	}
	return table.Write(r.out, "No agents are registered.")
}

func agentStanding(style show.Style, a client.Agent) string {
	switch text := a.Standing(); text {
	case "active":
		return style.Green(text)
	case "disconnected":
		return style.Red(text)
	default:
		return style.Yellow(text)
	}
}

// share is used/total of a resource; what is offered is marked.
func share(a client.Agent, name string) string {
	text := show.Number(a.Used.Scalar(name)) + "/" + show.Number(a.Resources.Scalar(name))
	if offered := a.Offered.Scalar(name); offered > 0 {
		text += fmt.Sprintf(" (+%s offered)", show.Number(offered))
	}
	return text
}
