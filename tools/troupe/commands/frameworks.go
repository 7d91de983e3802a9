package commands

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

func frameworksCommand(io Streams) *cobra.Command {
	var all bool
	c := readerCommand(io, &cobra.Command{
		Use: "frameworks", GroupID: groupUse, Args: noSuchCommand,
		Short: "List the frameworks and what they hold; tear one down",
	}, func(ctx context.Context, r *reader, _ []string) error { return listFrameworks(ctx, r, all) })
	c.Flags().BoolVarP(&all, "all", "a", false, "also those that have completed")
	c.AddCommand(teardownCommand(io))
	return c
}

func teardownCommand(io Streams) *cobra.Command {
	r := &reader{out: io.Out}
	c := &cobra.Command{
		Use: "teardown ID", Short: "Remove a framework and kill its tasks, for good", Args: exactly("ID"),
		Long: `Remove a framework and kill its tasks, for good. Its scheduler is told, and its id
is not accepted again.`,
	}
	r.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return r.operate(c.Context(), func(ctx context.Context, ask func(context.Context, proto.Message) error) error {
			if err := ask(ctx, &cluster.TeardownRequest{FrameworkId: &mesos.FrameworkID{Value: &args[0]}}); err != nil {
				return fmt.Errorf("tear down framework %q: %w", args[0], err)
			}
			return nil
		})
	}
	return c
}

func listFrameworks(ctx context.Context, r *reader, all bool) error {
	state, err := r.state(ctx)
	if err != nil {
		return err
	}
	frameworks := state.Frameworks
	if all {
		frameworks = append(frameworks, state.CompletedFrameworks...)
	}
	if r.json {
		return show.JSON(r.out, frameworks)
	}
	table := show.NewTable("ID", "NAME", "USER", "ROLES", "STATE", "TASKS", "CPUS", "MEM", "SINCE")
	for i, f := range frameworks {
		table.Add(f.ID, f.Name, f.User, f.AllRoles(), standing(r.style(), f, i >= len(state.Frameworks)),
			strconv.Itoa(len(f.Tasks)), show.Number(f.Used.Scalar("cpus")), show.Number(f.Used.Scalar("mem")),
			show.Age(time.Now(), f.Registered))
	}
	return table.Write(r.out, "No frameworks are registered.")
}

func standing(style show.Style, f client.Framework, completed bool) string {
	switch {
	case completed:
		return style.Grey("completed")
	case f.Active:
		return style.Green("active")
	case f.Connected:
		return style.Yellow("inactive")
	}
	return style.Red("disconnected")
}
