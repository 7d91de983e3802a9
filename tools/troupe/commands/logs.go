package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// chunkSize is what one read of a log asks for; pollInterval is how often a
// followed one is asked again.
const (
	chunkSize    = 64 << 10
	pollInterval = 250 * time.Millisecond
)

func taskLogsCommand(io Streams) *cobra.Command {
	var follow, stderr bool
	var framework string
	r := &reader{out: io.Out}
	c := &cobra.Command{
		Use: "logs TASK", Short: "Print a task's output", Args: exactly("TASK"),
		RunE: func(c *cobra.Command, args []string) error {
			file := "stdout"
			if stderr {
				file = "stderr"
			}
			return taskLogs(c.Context(), r, args[0], framework, file, follow)
		},
	}
	r.addFlags(c)
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the task has ended")
	c.Flags().BoolVar(&stderr, "stderr", false, "print what it wrote to stderr instead of stdout")
	c.Flags().StringVar(&framework, "framework", "", "id of its framework, where several have such a task")
	return c
}

func taskLogs(ctx context.Context, r *reader, id, framework, file string, follow bool) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	sandbox, err := findSandbox(ctx, c, id, framework)
	if err != nil {
		return err
	}
	running := func(ctx context.Context) (bool, error) {
		if !follow {
			return false, nil
		}
		state, err := c.State(ctx)
		if err != nil {
			return false, err
		}
		task, err := state.Task(id, sandbox.task.FrameworkID)
		return err == nil && !ended(task.State), err
	}
	return copyFile(ctx, r.out, sandbox, file, running)
}

// sandbox is where a task's files are.
type sandbox struct {
	client *client.Client
	agent  client.Agent
	task   client.Task
}

func findSandbox(ctx context.Context, c *client.Client, id, framework string) (sandbox, error) {
	state, err := c.State(ctx)
	if err != nil {
		return sandbox{}, err
	}
	task, err := state.Task(id, framework)
	if err != nil {
		return sandbox{}, err
	}
	agent, err := state.Agent(task.AgentID)
	if err != nil {
		return sandbox{}, fmt.Errorf("task %q: its sandbox cannot be reached: %w", id, err)
	}
	return sandbox{client: c, agent: agent, task: task}, nil
}

// copyFile writes a file of the sandbox to w, and what is added to it until
// more says that no more will come.
func copyFile(ctx context.Context, w io.Writer, s sandbox, file string, more func(context.Context) (bool, error)) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for offset := int64(0); ; {
		again, err := more(ctx) // asked before the last read, so that nothing is missed
		if err != nil {
			return err
		}
		if offset, err = copyNew(ctx, w, s, file, offset); err != nil || !again {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// copyNew writes what the file holds from offset on and returns its end. A
// file that is not there yet is empty.
func copyNew(ctx context.Context, w io.Writer, s sandbox, file string, offset int64) (int64, error) {
	for {
		chunk, err := s.client.ReadFile(ctx, s.agent, s.task.Sandbox()+"/"+file, offset, chunkSize)
		var status *client.StatusError
		switch {
		case errors.As(err, &status) && status.Code == http.StatusNotFound && offset == 0:
			return 0, nil
		case err != nil:
			return offset, err
		case chunk.Data == "":
			return offset, nil
		}
		if _, err := io.WriteString(w, chunk.Data); err != nil {
			return offset, err
		}
		offset += int64(len(chunk.Data))
	}
}

func ended(state string) bool {
	switch state {
	case "TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_UNREACHABLE":
		return false
	}
	return true
}

func taskSandboxCommand(io Streams) *cobra.Command {
	var framework string
	c := readerCommand(io, &cobra.Command{
		Use: "sandbox TASK [PATH]", Short: "List the files of a task's sandbox", Args: cobra.RangeArgs(1, 2),
	}, func(ctx context.Context, r *reader, args []string) error {
		path := ""
		if len(args) > 1 {
			path = "/" + args[1]
		}
		return listSandbox(ctx, r, args[0], framework, path)
	})
	c.Flags().StringVar(&framework, "framework", "", "id of its framework, where several have such a task")
	return c
}

func listSandbox(ctx context.Context, r *reader, id, framework, path string) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	s, err := findSandbox(ctx, c, id, framework)
	if err != nil {
		return err
	}
	files, err := c.Browse(ctx, s.agent, s.task.Sandbox()+path)
	if err != nil {
		return err
	}
	if r.json {
		return show.JSON(r.out, files)
	}
	table := show.NewTable("MODE", "USER", "SIZE", "MODIFIED", "PATH")
	for _, f := range files {
		table.Add(f.Mode, f.User, show.Size(f.Size), time.Unix(int64(f.Mtime), 0).Format(time.DateTime), f.Path)
	}
	return table.Write(r.out, "The folder is empty.")
}
