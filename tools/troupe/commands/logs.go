package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"troupe/slave/container/isolator/logs"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// pollInterval is how often a log that is followed is asked for more,
// stateInterval how often its task's state is.
const (
	pollInterval  = 250 * time.Millisecond
	stateInterval = time.Second
	// leaderless is for how long a cluster without a leader is waited for: masters
	// elect another one, or are started again.
	leaderless = time.Minute
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

func taskLogs(ctx context.Context, r *reader, id, framework, file string, follow bool) (err error) {
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	sandbox, err := findSandbox(ctx, c, id, framework)
	if err != nil {
		return err
	}
	if !follow {
		_, err := copyNew(ctx, r.out, sandbox, file, client.Position{})
		return err
	}
	ended := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan error, 1)
	go func() { watched <- watchTask(watching, c, sandbox.task, ended) }()
	if err := copyFile(ctx, r.out, sandbox, file, ended); err != nil {
		return err
	}
	stop()
	return <-watched
}

// watchTask closes ended when the task has, or when nothing is known of it.
// What masters that lead have forgotten, or do not know yet, is waited for as
// they are.
func watchTask(ctx context.Context, c *client.Client, t client.Task, ended chan<- struct{}) error {
	defer close(ended)
	tick := time.NewTicker(stateInterval)
	defer tick.Stop()
	known := time.Now()
	for {
		state, err := c.State(ctx)
		if err == nil {
			var task client.Task
			if task, err = state.Task(t.ID, t.FrameworkID); err == nil {
				if hasEnded(task.State) {
					return nil
				}
				known = time.Now()
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && time.Since(known) > leaderless:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// taskFiles is where a task's files are.
type taskFiles struct {
	client *client.Client
	agent  client.Agent
	task   client.Task
}

func findSandbox(ctx context.Context, c *client.Client, id, framework string) (taskFiles, error) {
	state, err := c.State(ctx)
	if err != nil {
		return taskFiles{}, err
	}
	task, err := state.Task(id, framework)
	if err != nil {
		return taskFiles{}, err
	}
	agent, err := state.Agent(task.AgentID)
	if err != nil {
		return taskFiles{}, fmt.Errorf("task %q: its sandbox cannot be reached: %w", id, err)
	}
	return taskFiles{client: c, agent: agent, task: task}, nil
}

// copyFile writes a file of the sandbox to w, and what is added to it until
// ended is closed; then what is there still. An agent that does not answer
// meanwhile, or starts, is waited for: the task may well outlive it.
func copyFile(ctx context.Context, w io.Writer, s taskFiles, file string, ended <-chan struct{}) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	at, last := client.Position{}, false
	for {
		var err error
		at, err = copyNew(ctx, w, s, file, at)
		var answered *client.StatusError
		switch {
		case ctx.Err() != nil:
			return nil
		case last || errors.As(err, &answered) && answered.Code != http.StatusServiceUnavailable:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ended:
			last = true
		case <-tick.C:
		}
	}
}

// copyNew writes what the file holds from a position on and returns its end. A
// file that is not there yet is empty; one that was rotated is gone on with in what
// came after it.
func copyNew(ctx context.Context, w io.Writer, s taskFiles, file string, at client.Position) (client.Position, error) {
	for {
		end, err := s.download(ctx, w, file, at)
		if missing(err) && at.Offset == 0 {
			return client.Position{}, nil
		}
		if !errors.Is(err, client.ErrReplaced) {
			return end, err
		}
		if at, err = s.rotated(ctx, w, file, at); err != nil {
			return at, err
		}
	}
}

// rotated writes the rest of a file that was rotated, and the whole of the next, and
// returns the end of that; the zero Position where that is the newest.
func (s taskFiles) rotated(ctx context.Context, w io.Writer, file string, at client.Position) (client.Position, error) {
	next := ""
	for n := 1; n <= logs.MaxKeep; n++ {
		older := fmt.Sprintf("%s.%d", file, n)
		_, err := s.download(ctx, w, older, at)
		switch {
		case err == nil && next == "", missing(err): // or what was left of it is gone
			return client.Position{}, nil
		case err == nil:
			return s.download(ctx, w, next, client.Position{})
		case !errors.Is(err, client.ErrReplaced):
			return at, err
		}
		next = older
	}
	return client.Position{}, nil
}

func (s taskFiles) download(ctx context.Context, w io.Writer, file string, from client.Position) (client.Position, error) {
	return s.client.Download(ctx, w, s.agent.Address(), s.task.Sandbox()+"/"+file, from)
}

func missing(err error) bool {
	var status *client.StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound
}

func hasEnded(state string) bool {
	switch state {
	case "TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_UNREACHABLE":
		return false
	}
	return true
}

func taskSandboxCommand(io Streams) *cobra.Command {
	var framework string
	c := readerCommand(io, &cobra.Command{
		Use: "sandbox TASK [PATH]", Short: "List the files of a task's sandbox", Args: atMost(2, "TASK"),
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

func listSandbox(ctx context.Context, r *reader, id, framework, path string) (err error) {
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
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
