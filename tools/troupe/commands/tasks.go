package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

func tasksCommand(io Streams) *cobra.Command {
	parent := &cobra.Command{
		Use: "tasks", GroupID: groupUse, Args: noSuchCommand,
		Short: "List tasks, kill them, read their logs and sandboxes",
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	parent.AddCommand(taskListCommand(io), taskKillCommand(io), taskLogsCommand(io), taskSandboxCommand(io))
	return parent
}

func taskListCommand(io Streams) *cobra.Command {
	var all bool
	var framework string
	c := readerCommand(io, &cobra.Command{Use: "list", Short: "List tasks", Args: exactly()},
		func(ctx context.Context, r *reader, _ []string) error {
			state, err := r.state(ctx)
			if err != nil {
				return err
			}
			return writeTasks(r, selectTasks(state, framework, all))
		})
	c.Flags().BoolVarP(&all, "all", "a", false, "also those that have ended")
	c.Flags().StringVar(&framework, "framework", "", "only those of the framework with this id or name")
	return c
}

func selectTasks(state *client.State, framework string, all bool) []client.Task {
	tasks := []client.Task{}
	frameworks := state.Frameworks
	if all {
		frameworks = append(frameworks, state.CompletedFrameworks...)
	}
	for _, f := range frameworks {
		if framework != "" && framework != f.ID && framework != f.Name {
			continue
		}
		tasks = append(tasks, f.Tasks...)
		if all {
			tasks = append(append(tasks, f.Lost...), f.Completed...)
		}
	}
	return tasks
}

func writeTasks(r *reader, tasks []client.Task) error {
	if r.json {
		return show.JSON(r.out, tasks)
	}
	style := r.style()
	table := show.NewTable("ID", "NAME", "STATE", "SINCE", "CPUS", "MEM", "AGENT", "FRAMEWORK")
	for _, t := range tasks {
		table.Add(t.ID, t.Name, style.State(t.State), show.Age(time.Now(), t.Since()),
			show.Number(t.Resources.Scalar("cpus")), show.Number(t.Resources.Scalar("mem")), t.AgentID, t.FrameworkID)
	}
	return table.Write(r.out, "No tasks.")
}
