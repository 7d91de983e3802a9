package commands

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

func frameworksCommand(io Streams) *cobra.Command {
	var all bool
	c := readerCommand(io, &cobra.Command{
		Use: "frameworks", GroupID: groupUse, Args: exactly(),
		Short: "List the frameworks and what they hold",
	}, func(ctx context.Context, r *reader, _ []string) error { return listFrameworks(ctx, r, all) })
	c.Flags().BoolVarP(&all, "all", "a", false, "also those that have completed")
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
