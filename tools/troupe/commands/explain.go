package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/tools/troupe/client"
)

func explainCommand(io Streams) *cobra.Command {
	return readerCommand(io, &cobra.Command{
		Use: "explain FRAMEWORK", Args: exactly("FRAMEWORK"),
		Short: "Say why a framework, by its id, is offered nothing, or no more",
		Long: `Say why a framework, by its id, is offered nothing, or no more: for each of its roles
the reasons, those that hold for the most agents first, with some of the agents.`,
		Example: "  troupe offers explain 2f1c…-0000",
	}, func(ctx context.Context, r *reader, args []string) error {
		x, err := read(ctx, r, func(c *client.Client, ctx context.Context) (*cluster.OffersExplained, error) {
			return c.Explain(ctx, args[0])
		})
		if err != nil {
			return err
		}
		if r.json {
			_, err = fmt.Fprintf(r.out, "%s\n", json.Marshal(x))
			return err
		}
		_, err = fmt.Fprint(r.out, explanation(x))
		return err
	})
}

// explanation is the answer for people.
func explanation(x *cluster.OffersExplained) string {
	var b strings.Builder
	if x.Hold != nil {
		fmt.Fprintf(&b, "%s\n\n", x.GetHold())
	}
	if x.GetLookedAt() < x.GetAgents() {
		fmt.Fprintf(&b, "Of %d agents, %d were looked at.\n\n", x.GetAgents(), x.GetLookedAt())
	}
	for i, role := range x.Roles {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "Role %s: share %.3f, of the role %.3f by its weight; %d others come first\n",
			role.GetRole(), role.GetShare(), role.GetRoleShare(), role.GetBefore())
		switch {
		case role.Idle != nil:
			fmt.Fprintf(&b, "  %s\n", role.GetIdle())
		case len(role.Agents) == 0:
			b.WriteString("  there are no agents\n")
		}
		for _, each := range role.Agents {
			fmt.Fprintf(&b, "  %s\n    %s\n", each.GetText(), someAgents(each))
		}
	}
	return b.String()
}

func someAgents(each *cluster.OffersExplained_Agents) string {
	ids := make([]string, len(each.Examples))
	for i, id := range each.Examples {
		ids[i] = id.GetValue()
	}
	text := strings.Join(ids, " ")
	if int(each.GetAgents()) > len(ids) {
		text += " …"
	}
	return text
}
