package commands

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// windowNames are those that agents tell of.
var windowNames = []string{"1m", "10m", "1h", "1d"}

func slackCommand(io Streams) *cobra.Command {
	var agent, window string
	c := readerCommand(io, &cobra.Command{
		Use: "slack", GroupID: groupUse, Args: exactly(),
		Short: "Show what roles were given, and what they use and leave of it",
		Long: `Show what the roles' containers were given and used of late, and what they left of
their own in 95 of 100 samples at least: that is what could be lent to others (see
--resource_estimator of the agent). P95 is what was not exceeded in 95 of 100
samples. Figures are sums over agents, of each its own: where agents are busy at
different times, the roles use less at once than P95 and PEAK say, and leave more.`,
	}, func(ctx context.Context, r *reader, _ []string) error {
		if !slices.Contains(windowNames, window) {
			return flagError("window", window, "is none of "+strings.Join(windowNames, ", "))
		}
		return showSlack(ctx, r, agent, window)
	})
	c.Flags().StringVar(&agent, "agent", "", "of one agent alone: its id, or the end of it, or host:port, for which no master is asked")
	c.Flags().StringVar(&window, "window", "1h", "how far to look back: "+strings.Join(windowNames, ", "))
	return c
}

// roleSlack is a role's, of all agents.
type roleSlack struct {
	Role string `json:"role"`
	// How long the agent knows that has known it longest, in seconds.
	Covers float64     `json:"covers_secs"`
	CPUs   client.Left `json:"cpus"`
	Mem    client.Left `json:"mem"` // in MB
}

func showSlack(ctx context.Context, r *reader, agent, window string) error {
	agents, err := read(ctx, r, func(c *client.Client, ctx context.Context) ([]answered[[]client.RoleSlack], error) {
		return askAgents(ctx, c, agent, c.Slack)
	})
	if err != nil {
		return err
	}
	roles := sumSlack(agents, window)
	if r.json {
		if err := show.JSON(r.out, roles); err != nil {
			return err
		}
		return firstError(agents)
	}
	style := r.style()
	table := show.NewTable("ROLE", "CPUS", "USED", "P95", "PEAK", "SLACK", "MEM", "USED", "P95", "PEAK", "SLACK")
	for _, role := range roles {
		cells := []string{role.Role}
		for _, l := range []client.Left{role.CPUs, role.Mem} {
			cells = append(cells, hundredths(l.Allocated), hundredths(l.Used), hundredths(l.P95), hundredths(l.Peak), style.Green(hundredths(l.Slack)))
		}
		table.Add(cells...)
	}
	if err := table.Write(r.out, "Nothing has run."); err != nil {
		return err
	}
	return tellSilent(r.out, style, agents)
}

func hundredths(x float64) string { return amountText(&x, 2) }

// sumSlack is ordered by role.
func sumSlack(agents []answered[[]client.RoleSlack], window string) []roleSlack {
	sums := map[string]*roleSlack{}
	for _, a := range agents {
		for _, role := range a.Answer {
			for _, w := range role.Windows {
				if w.Window != window {
					continue
				}
				sum := sums[role.Role]
				if sum == nil {
					sum = &roleSlack{Role: role.Role}
					sums[role.Role] = sum
				}
				sum.Covers = max(sum.Covers, w.Covers)
				sum.CPUs.Add(w.CPUs)
				sum.Mem.Add(w.Mem)
			}
		}
	}
	list := []roleSlack{}
	for _, role := range slices.Sorted(maps.Keys(sums)) {
		list = append(list, *sums[role])
	}
	return list
}
