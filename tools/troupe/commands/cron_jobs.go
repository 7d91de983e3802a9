package commands

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"troupe/frameworks/cron/client"
	"troupe/tools/troupe/show"
)

// jobFlags are what commands have in common that ask the cron framework.
type jobFlags struct {
	io      Streams
	server  string
	as      proofFlags
	tls     tlsFlags
	json    bool
	cascade bool
	stream  string
	zone    string
	count   int
}

// cronJobCommands look at jobs and change them.
func cronJobCommands(io Streams) []*cobra.Command {
	job := func(use, short string, run func(f *jobFlags, ctx context.Context, c *client.Client, args []string) error) *cobra.Command {
		_, arguments, _ := strings.Cut(use, " ")
		return jobCommand(io, &cobra.Command{Use: use, Short: short, Args: exactly(strings.Fields(arguments)...)}, run)
	}
	put := job("put FILE", "Create or replace the jobs of a file", (*jobFlags).put)
	put.Long = "Create or replace the jobs of a file, in JSON: one, or a list. Those that others depend on go\nfirst; - is the standard input."
	put.Example = `  troupe cron put jobs.json
  echo '{"name": "hello", "command": "echo hello", "schedule": "30 2 * * mon-fri"}' | troupe cron put -`
	run := jobCommand(io, &cobra.Command{
		Use: "start NAME [ARGUMENT…]", Short: "Run a job now, with arguments for the end of its command",
		Args: cobra.MinimumNArgs(1), Example: "  troupe cron start report --since monday",
	}, (*jobFlags).start)
	run.Flags().SetInterspersed(false)
	return []*cobra.Command{
		job("jobs", "List the jobs, what they do, and when they are due", (*jobFlags).list), put, run,
		job("kill NAME", "Kill all runs of a job", func(_ *jobFlags, ctx context.Context, c *client.Client, args []string) error {
			return c.Kill(ctx, args[0])
		}),
		job("delete NAME", "Delete a job, and with --cascade all that depend on it", func(f *jobFlags, ctx context.Context, c *client.Client, args []string) error {
			return c.Delete(ctx, args[0], f.cascade)
		}),
		job("runs NAME", "List the runs of a job: those that go on, and how the last ones ended", (*jobFlags).runs),
		job("next NAME", "List when a job is due, in its zone", (*jobFlags).next),
		job("preview SCHEDULE", "List when a schedule would be due, before a job has it", (*jobFlags).preview),
		job("why NAME", "Say why a job does not run now", (*jobFlags).why),
		job("log NAME", "Show the end of what the last run of a job has written", (*jobFlags).log),
	}
}

func jobCommand(io Streams, c *cobra.Command, run func(f *jobFlags, ctx context.Context, c *client.Client, args []string) error) *cobra.Command {
	f := &jobFlags{io: io}
	set := c.Flags()
	set.StringVar(&f.server, "server", fmt.Sprintf("http://127.0.0.1:%d", cronPort), "where the cron framework is")
	switch c.Name() {
	case "jobs", "runs", "next", "preview", "why":
		set.BoolVar(&f.json, "json", false, "print JSON for programs")
	case "delete":
		set.BoolVar(&f.cascade, "cascade", false, "and all jobs that depend on it")
	case "log":
		set.StringVar(&f.stream, "stream", "stdout", "stdout or stderr")
	}
	switch c.Name() {
	case "next":
		set.IntVar(&f.count, "count", 10, "how many, 1000 at most")
	case "preview":
		set.IntVar(&f.count, "count", 10, "how many, 1000 at most")
		set.StringVar(&f.zone, "zone", "", "a name of the tz database; empty is UTC")
	}
	f.tls.add(set)
	f.as.add(set)
	c.RunE = func(c *cobra.Command, args []string) error {
		to, err := f.client()
		if err != nil {
			return err
		}
		return run(f, c.Context(), to, args)
	}
	return c
}

// client reaches the framework.
func (f *jobFlags) client() (*client.Client, error) {
	at, err := url.Parse(f.server)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, flagError("server", f.server, "is no URL such as http://127.0.0.1:4400")
	}
	if f.as.secret != "" && f.as.principal == "" {
		return nil, flagError("secret", "…", "needs --principal")
	}
	c := &client.Client{URL: f.server, User: f.as.principal, Password: f.as.secret}
	secured, err := f.tls.client()
	if secured != nil {
		c.HTTP = &http.Client{Transport: &http.Transport{TLSClientConfig: secured, ForceAttemptHTTP2: true}}
	}
	return c, err
}

func (f *jobFlags) list(ctx context.Context, c *client.Client, _ []string) error {
	all, err := c.Summary(ctx)
	if err != nil {
		return err
	}
	if f.json {
		return show.JSON(f.io.Out, all)
	}
	table := show.NewTable("JOB", "LAST", "STATE", "NEXT", "RUNS")
	for _, j := range all {
		when := j.Schedule
		if len(j.Parents) > 0 {
			when = "after " + strings.Join(j.Parents, ", ")
		}
		next := orDash(j.Next)
		if j.Disabled {
			next = "disabled"
		}
		table.Add(j.Name, j.Status, j.State, next, when)
	}
	return table.Write(f.io.Out, "There are no jobs.")
}

func (f *jobFlags) put(ctx context.Context, c *client.Client, args []string) error {
	text, err := f.read(args[0])
	if err != nil {
		return err
	}
	put, err := c.Put(ctx, text)
	for _, name := range put {
		fmt.Fprintln(f.io.Out, name)
	}
	return err
}

// read reads a file, or what - stands for.
func (f *jobFlags) read(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(f.io.In)
	}
	return os.ReadFile(name)
}

func (f *jobFlags) start(ctx context.Context, c *client.Client, args []string) error {
	return c.Run(ctx, args[0], strings.Join(args[1:], " "))
}

func (f *jobFlags) runs(ctx context.Context, c *client.Client, args []string) error {
	r, err := c.Runs(ctx, args[0])
	if err != nil {
		return err
	}
	if f.json {
		return show.JSON(f.io.Out, r)
	}
	table := show.NewTable("DUE", "STATE", "EXIT", "ENDED", "AGENT", "MESSAGE")
	for _, a := range r.Active {
		table.Add(a.Due, a.Phase, "-", "-", "-", strings.Join(a.Waiting, "; "))
	}
	for _, a := range r.History {
		exit := "-"
		if a.Task != "" {
			exit = fmt.Sprint(a.Exit)
		}
		table.Add(a.Due, a.Outcome, exit, a.Ended, orDash(a.Agent), a.Message)
	}
	return table.Write(f.io.Out, "It has not run.")
}

func (f *jobFlags) next(ctx context.Context, c *client.Client, args []string) error {
	n, err := c.Next(ctx, args[0], f.count)
	if err != nil {
		return err
	}
	return f.times(n)
}

func (f *jobFlags) preview(ctx context.Context, c *client.Client, args []string) error {
	n, err := c.Preview(ctx, args[0], f.zone, f.count)
	if err != nil {
		return err
	}
	return f.times(n)
}

func (f *jobFlags) times(n client.Next) error {
	if f.json {
		return show.JSON(f.io.Out, n)
	}
	if n.Disabled {
		fmt.Fprintln(f.io.Err, "The job is disabled: nothing of this is due until it is enabled.")
	}
	table := show.NewTable("DUE", "UTC", "NOTE")
	for _, d := range n.Next {
		table.Add(d.Local, d.Time, d.Note)
	}
	return table.Write(f.io.Out, "It is never due by the clock.")
}

func (f *jobFlags) why(ctx context.Context, c *client.Client, args []string) error {
	w, err := c.Why(ctx, args[0])
	if err != nil {
		return err
	}
	if f.json {
		return show.JSON(f.io.Out, w)
	}
	for _, reason := range w.Reasons {
		fmt.Fprintln(f.io.Out, reason)
	}
	return nil
}

func (f *jobFlags) log(ctx context.Context, c *client.Client, args []string) error {
	r, err := c.Runs(ctx, args[0])
	if err != nil {
		return err
	}
	task := ""
	for _, a := range r.History {
		if task == "" {
			task = a.Task
		}
	}
	for _, a := range r.Active {
		task = a.Task
	}
	if task == "" {
		return fmt.Errorf("job %s: it has not run", args[0])
	}
	text, err := c.Log(ctx, args[0], task, f.stream, 1<<20)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f.io.Out, text)
	return err
}
