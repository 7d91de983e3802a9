package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"troupe/actors"
	"troupe/examples/wordcount"
	"troupe/frameworks"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/show"
)

// demoRest is how much longer each piece of the demo takes, so that one can
// watch.
const demoRest = 200 * time.Millisecond

// topWords is how many words the demo shows.
const topWords = 5

// demoMapperCommand is the executor of the demo's word count.
func demoMapperCommand() *cobra.Command {
	return &cobra.Command{
		Use: "demo-mapper", Hidden: true, GroupID: groupCluster, Args: exactly(),
		Short: "Count words for the demo, which starts this itself",
		RunE:  func(c *cobra.Command, _ []string) error { return wordcount.Map(c.Context(), demoRest) },
	}
}

// demo is what `local --demo` shows.
type demo struct {
	io      Streams
	style   show.Style
	options frameworks.Options
	master  string     // the flag that other commands need
	mu      sync.Mutex // of the output
}

// runDemo runs the cluster, and two frameworks on it.
func (l *localFlags) runDemo(ctx context.Context, io Streams, cluster *daemon.Local) error {
	secure, err := l.tls.client()
	if err != nil {
		return errors.Join(err, cluster.Close())
	}
	d := &demo{io: io, style: show.StyleFor(io.Out), master: l.masterFlag(cluster), options: frameworks.Options{
		Master: cluster.Master.Address(), System: actors.Options{TLS: secure},
	}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	acts := []func(context.Context) error{d.heartbeat, d.count}
	for _, f := range cluster.Frameworks {
		act := map[string]func(context.Context, *demoClient) error{"service": d.deploy, "cron": d.schedule}[f.Name]
		web := &demoClient{url: f.URL(), client: &http.Client{Transport: &http.Transport{TLSClientConfig: secure}}, as: l.access.as}
		acts = append(acts, func(ctx context.Context) error { return act(ctx, web) })
	}
	var shows sync.WaitGroup
	failures := make(chan error, len(acts))
	for _, act := range acts {
		shows.Go(func() {
			if err := act(ctx); err != nil && ctx.Err() == nil {
				failures <- err
				stop()
			}
		})
	}
	err = cluster.Run(ctx)
	stop()
	shows.Wait()
	select {
	case failure := <-failures:
		return errors.Join(failure, err)
	default:
		return err
	}
}

// heartbeat keeps a small command running for as long as the demo lasts.
func (d *demo) heartbeat(ctx context.Context) error {
	o := d.options
	o.Name = "heartbeat"
	_, err := frameworks.RunTasks(ctx, o, func(p frameworks.Progress) { d.tell(o.Name, p) }, &frameworks.Task{
		ID: "heartbeat", Command: "while :; do date; sleep 1; done", Resources: "cpus:0.1;mem:32",
		Retries: frameworks.Forever, Backoff: time.Second,
	})
	return err
}

// count counts the words of the bundled texts, and says which are the most
// frequent.
func (d *demo) count(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	o := d.options
	o.Name = "wordcount"
	counts, err := wordcount.Count(ctx, wordcount.Job{
		Framework: o, Executor: []string{self, "demo-mapper"},
		Report: func(p frameworks.Progress) { d.tell(o.Name, p) },
	})
	if err != nil {
		return err
	}
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	text := ""
	for _, word := range words[:min(topWords, len(words))] {
		text += fmt.Sprintf("  %s %d", d.style.Bold(word), counts[word])
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err = fmt.Fprintf(d.io.Out, "%d words counted; the most frequent:%s\nThe heartbeat goes on: %s\n",
		total(counts), text, d.style.Grey("troupe tasks logs -f heartbeat"+d.master))
	return err
}

func total(counts map[string]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}

func (d *demo) tell(framework string, p frameworks.Progress) {
	where := ""
	if id := p.Status.GetAgentId().GetValue(); id != "" {
		where = " on " + shortID(id)
	}
	name := framework
	if p.Task.ID != framework {
		name += " " + p.Task.ID
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.io.Out, "%s %s %s%s\n", time.Now().Format(time.TimeOnly), name, d.style.State(p.State.String()), where)
}
