package commands

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"troupe/frameworks"
	"troupe/messages/masters"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

const (
	// hintAfter is when a person wants to know why nothing happens.
	hintAfter = 5 * time.Second
	// interrupted is a shell's exit status for SIGINT.
	interrupted = 130
)

// runner runs tasks, tells about them and collects their exit status.
type runner struct {
	*frameworks.Tasks
	io      Streams
	style   show.Style
	quiet   bool
	several bool
	needs   string
	output  *output

	// What follows is touched by the scheduler's methods only, until Run ends.
	framework string
	master    string // its address, where it says so
	launched  bool
	lost      bool // the master is out of reach
	code      int
	attempts  map[string]func() // ends the output of a running attempt
}

func newRunner(io Streams, c *client.Client, list []*frameworks.Task, quiet bool) *runner {
	r := &runner{
		io: io, style: show.StyleFor(io.Err), quiet: quiet, several: len(list) > 1, needs: list[0].Resources,
		output: newOutput(io, c), attempts: map[string]func(){},
	}
	r.Tasks = frameworks.NewTasks(r.progress)
	r.Add(list...)
	r.Close()
	return r
}

// run returns the exit status when all tasks have ended. When ctx is done it
// kills them first.
func (r *runner) run(ctx context.Context, o frameworks.Options) (int, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer context.AfterFunc(ctx, r.KillAll)()
	err := frameworks.Run(life, o, r)
	for _, stop := range r.attempts {
		stop() // the framework was ended before them
	}
	r.output.wait()
	if ctx.Err() != nil && r.code != 0 {
		r.code = interrupted
	}
	return r.code, err
}

// Connected notes the framework's id, and when nothing was launched for a
// while, says so.
func (r *runner) Connected(d *frameworks.Driver, id string, m *mesos.MasterInfo, resumed bool) {
	at, err := masters.Address(m)
	if err != nil {
		at = "" // it does not say
	}
	switch {
	case resumed && r.lost && (at == "" || at == r.master):
		r.say("the master is back")
	case resumed && r.lost:
		r.say("the master is back: %s leads now", at)
	}
	r.framework, r.lost, r.master = id, false, at
	r.Tasks.Connected(d, id, m, resumed)
	d.After(hintAfter, func() {
		if !r.launched {
			r.say("still waiting for an offer of %s", r.needs)
		}
	})
}

// Disconnected tells.
func (r *runner) Disconnected(d *frameworks.Driver, reason string) {
	if !r.lost {
		r.say("the master is out of reach, tasks run on: %s", reason)
	}
	r.lost = true
	r.Tasks.Disconnected(d, reason)
}

func (r *runner) say(format string, a ...any) {
	if !r.quiet {
		fmt.Fprintf(r.io.Err, format+"\n", a...)
	}
}

// progress tells what happened, and passes on the output.
func (r *runner) progress(p frameworks.Progress) {
	r.launched = r.launched || p.Attempt > 0
	r.tell(p)
	if p.Status != nil && p.TaskID != "" {
		r.followOutput(p)
	}
	if p.Final && r.code == 0 {
		r.code = exitCode(p)
	}
}

func (r *runner) tell(p frameworks.Progress) {
	text := p.Task.ID + ": " + r.style.State(p.State.String())
	if p.Status.GetAgentId() != nil {
		text += " on " + shortID(p.Status.GetAgentId().GetValue())
	}
	switch {
	case p.Err != nil:
		text += ": " + p.Err.Error()
	case p.Status.GetMessage() != "":
		text += ": " + p.Status.GetMessage()
	}
	if p.RetryIn > 0 {
		text += fmt.Sprintf("; again in %s", p.RetryIn)
	}
	r.say("%s", text)
}

// shortID is what distinguishes an agent's id within its cluster: S3.
func shortID(id string) string { return id[strings.LastIndexByte(id, '-')+1:] }

// followOutput begins to pass on what an attempt writes, and ends when the
// attempt does.
func (r *runner) followOutput(p frameworks.Progress) {
	stop := r.attempts[p.TaskID]
	over := tasks.Terminal(p.State)
	if stop == nil && (over || p.State == mesos.TaskState_TASK_RUNNING) && p.Status.GetAgentId() != nil && !neverRan(p.State) {
		stop = r.output.follow(p.Status.GetAgentId().GetValue(), r.framework, p.TaskID, r.several)
		r.attempts[p.TaskID] = stop
	}
	if over && stop != nil {
		stop()
		delete(r.attempts, p.TaskID)
	}
}

// neverRan says that there is no output to look for.
func neverRan(s mesos.TaskState) bool {
	return s == mesos.TaskState_TASK_ERROR || s == mesos.TaskState_TASK_DROPPED
}

// exitCode is what a shell would have in $? for a task's end.
func exitCode(p frameworks.Progress) int {
	if p.State == mesos.TaskState_TASK_FINISHED && p.Err == nil {
		return 0
	}
	if code, known := tasks.CodeOf(p.Status.GetMessage()); known && code != 0 {
		return code
	}
	return failed
}

// output passes on what tasks write, off the scheduler's queue.
type output struct {
	io     Streams
	client *client.Client
	work   sync.WaitGroup

	mu     sync.Mutex // of the maps, and of lines being written
	agents map[string]client.Agent
}

func newOutput(io Streams, c *client.Client) *output {
	return &output{io: io, client: c, agents: map[string]client.Agent{}}
}

// lastWords bounds how long the output of tasks that have ended is waited for.
const lastWords = 10 * time.Second

// follow passes on stdout and stderr of an attempt until stop is called, and
// then once more. Several tasks' lines begin with the task's id.
func (o *output) follow(agent, framework, id string, several bool) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	for _, file := range []struct {
		name string
		to   io.Writer
	}{{"stdout", o.io.Out}, {"stderr", o.io.Err}} {
		o.work.Go(func() {
			w := file.to
			if several {
				lines := &lineWriter{prefix: id + " | ", to: file.to, mu: &o.mu}
				defer lines.flush()
				w = lines
			}
			if err := o.copy(ctx, w, agent, client.Task{ID: id, FrameworkID: framework}, file.name, ended); err != nil {
				fmt.Fprintf(o.io.Err, "%s: %s cannot be read: %v\n", id, file.name, err)
			}
		})
	}
	return func() {
		close(ended)
		time.AfterFunc(lastWords, cancel)
	}
}

func (o *output) copy(ctx context.Context, w io.Writer, agentID string, t client.Task, file string, ended <-chan struct{}) error {
	agent, err := o.agent(ctx, agentID)
	if err != nil {
		return err
	}
	return copyFile(ctx, w, taskFiles{client: o.client, agent: agent, task: t}, file, ended)
}

// agent finds where an agent is, and remembers it. While no master leads, or
// the leader does not know the agent yet, it waits.
func (o *output) agent(ctx context.Context, id string) (client.Agent, error) {
	tick := time.NewTicker(stateInterval)
	defer tick.Stop()
	for began := time.Now(); ; {
		agent, err := o.lookUp(ctx, id)
		if err == nil || ctx.Err() != nil || time.Since(began) > leaderless {
			return agent, err
		}
		select {
		case <-ctx.Done():
			return client.Agent{}, err
		case <-tick.C:
		}
	}
}

func (o *output) lookUp(ctx context.Context, id string) (client.Agent, error) {
	o.mu.Lock()
	agent, known := o.agents[id]
	o.mu.Unlock()
	if known {
		return agent, nil
	}
	list, err := o.client.Agents(ctx)
	if err != nil {
		return client.Agent{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range list {
		o.agents[a.ID] = a
	}
	if agent, known = o.agents[id]; !known {
		return client.Agent{}, fmt.Errorf("agent %q is not registered", id)
	}
	return agent, nil
}

// wait waits until all output is passed on.
func (o *output) wait() { o.work.Wait() }

// lineWriter writes whole lines with a prefix.
type lineWriter struct {
	prefix string
	to     io.Writer
	mu     *sync.Mutex
	rest   []byte
}

// maxLine is where a line that does not end is broken.
const maxLine = 64 << 10

// Write implements io.Writer.
func (l *lineWriter) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := strings.IndexByte(string(l.rest[:min(len(l.rest), maxLine)]), '\n')
		if i < 0 && len(l.rest) < maxLine {
			return len(p), nil
		}
		if i < 0 {
			i = maxLine - 1
		}
		if err := l.line(l.rest[:i+1]); err != nil {
			return 0, err
		}
		l.rest = l.rest[i+1:]
	}
}

func (l *lineWriter) line(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintf(l.to, "%s%s\n", l.prefix, strings.TrimSuffix(string(text), "\n"))
	return err
}

// flush writes a last line without an end.
func (l *lineWriter) flush() {
	if len(l.rest) > 0 {
		_ = l.line(l.rest) // the reader of the pipe has gone: nobody is left to tell
	}
}
