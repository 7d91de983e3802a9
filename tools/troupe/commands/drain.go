package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"troupe/messages/mesos"
	mesosmaster "troupe/messages/mesos/master"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/flags"
)

// agentCommandOf is a command that makes one call of the operator API for each
// agent that it is given.
func agentCommandOf(io Streams, c *cobra.Command, call func(*mesos.AgentID) *mesosmaster.Call) *cobra.Command {
	r := &reader{out: io.Out}
	r.addFlags(c)
	name := c.Name()
	c.Args = atMost(0, "AGENT")
	c.RunE = func(c *cobra.Command, args []string) error { return r.onAgents(c.Context(), name, args, call) }
	return c
}

// onAgents makes a call for each agent, named by its id or the end of it.
func (r *reader) onAgents(ctx context.Context, name string, args []string, call func(*mesos.AgentID) *mesosmaster.Call) (err error) {
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	known, err := c.State(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, arg := range args {
		id := agentID(known, arg)
		if err := c.Call(ctx, call(&mesos.AgentID{Value: &id})); err != nil {
			failures = append(failures, fmt.Errorf("%s agent %q: %w", name, id, err))
		}
	}
	return errors.Join(failures...)
}

// agentID completes an id of which the end is given. What no agent that is
// registered has is left to the master, which may know more.
func agentID(known *client.State, id string) string {
	if agent, err := known.Agent(id); err == nil {
		return agent.ID
	}
	return id
}

func drainCommand(io Streams) *cobra.Command {
	var grace flags.Duration
	var gone bool
	c := agentCommandOf(io, &cobra.Command{
		Use: "drain AGENT…", Short: "Kill the tasks of agents, and give them no more",
		Long: `Kill the tasks of agents, and give them no more, over restarts of agents and masters,
until they are reactivated. Frameworks are told that their tasks were drained,
and may launch them elsewhere. 'troupe agents' shows when an agent is drained.`,
	}, func(id *mesos.AgentID) *mesosmaster.Call {
		drain := &mesosmaster.Call_DrainAgent{AgentId: id, MarkGone: proto.Bool(gone)}
		if grace > 0 {
			drain.MaxGracePeriod = durationpb.New(time.Duration(grace))
		}
		return &mesosmaster.Call{Type: mesosmaster.Call_DRAIN_AGENT.Enum(), DrainAgent: drain}
	})
	duration(c.Flags(), &grace, "max_grace", 0, "most that a task gets from SIGTERM to SIGKILL; 0 leaves that to the task")
	flags.Bool(c.Flags(), &gone, "mark_gone", false, "when an agent is drained, take it out of the cluster for good")
	return c
}

func deactivateCommand(io Streams) *cobra.Command {
	return agentCommandOf(io, &cobra.Command{
		Use: "deactivate AGENT…", Short: "Offer nothing more of agents; what they run goes on",
	}, func(id *mesos.AgentID) *mesosmaster.Call {
		return &mesosmaster.Call{
			Type: mesosmaster.Call_DEACTIVATE_AGENT.Enum(), DeactivateAgent: &mesosmaster.Call_DeactivateAgent{AgentId: id},
		}
	})
}

func reactivateCommand(io Streams) *cobra.Command {
	return agentCommandOf(io, &cobra.Command{
		Use: "reactivate AGENT…", Short: "Offer again what agents have that were deactivated or drained",
	}, func(id *mesos.AgentID) *mesosmaster.Call {
		return &mesosmaster.Call{
			Type: mesosmaster.Call_REACTIVATE_AGENT.Enum(), ReactivateAgent: &mesosmaster.Call_ReactivateAgent{AgentId: id},
		}
	})
}

func goneCommand(io Streams) *cobra.Command {
	return agentCommandOf(io, &cobra.Command{
		Use: "gone AGENT…", Short: "Take agents out of the cluster that never come back",
		Long: `Take agents out of the cluster that never come back. Their tasks are over, which
frameworks are told: be sure that the machines are off. An agent that comes back
nevertheless is told to end, with all that it runs.`,
	}, func(id *mesos.AgentID) *mesosmaster.Call {
		return &mesosmaster.Call{
			Type: mesosmaster.Call_MARK_AGENT_GONE.Enum(), MarkAgentGone: &mesosmaster.Call_MarkAgentGone{AgentId: id},
		}
	})
}
