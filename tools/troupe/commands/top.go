package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/show"
)

// topFlags say what is looked at, and how.
type topFlags struct {
	agent, sort string
	interval    flags.Duration
	once        bool
	rows        int
}

func topCommand(io Streams) *cobra.Command {
	f := new(topFlags)
	c := readerCommand(io, &cobra.Command{
		Use: "top", GroupID: groupUse, Args: exactly(),
		Short: "Show what tasks use: CPU, memory, throttling and disk, live",
		Long: `Show what tasks use, of all agents or one, and look again every two seconds until
interrupted. Names in brackets are executors of which several tasks may be part.

CPU is in CPUs, beside what the task was given or, after a slash, may use at most;
THROTTLED is the share of the kernel's periods in which it had used up its quota and
was stopped. What the agent's isolators do not measure is shown as '-'.`,
		Example: "  troupe top --sort=mem\n  troupe top --once --agent=S3 --json",
	}, func(ctx context.Context, r *reader, _ []string) error { return top(ctx, r, f) })
	c.Flags().StringVar(&f.agent, "agent", "", "look at one agent alone: its id, or the end of it, or host:port, for which no master is asked")
	c.Flags().StringVar(&f.sort, "sort", "cpu", "what comes first: "+strings.Join(orderNames(), ", "))
	duration(c.Flags(), &f.interval, "interval", 2*time.Second, "between two looks; half a second at least")
	flags.Bool(c.Flags(), &f.once, "once", false, "look once: at the use of an interval; so it is where the output is no terminal")
	c.Flags().IntVar(&f.rows, "rows", 0, "show so many at most; 0: as many as fit on the terminal")
	return c
}

// leastInterval is as often as agents measure.
const leastInterval = 500 * time.Millisecond

func (f *topFlags) check() error {
	if orders[f.sort] == nil {
		return flagError("sort", f.sort, "is none of "+strings.Join(orderNames(), ", "))
	}
	if time.Duration(f.interval) < leastInterval {
		return flagError("interval", f.interval.String(), "is below "+leastInterval.String())
	}
	return atLeast(0, namedInt{"rows", f.rows})
}

func top(ctx context.Context, r *reader, f *topFlags) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	tick := time.NewTicker(time.Duration(f.interval))
	defer tick.Stop()
	live := !f.once && !r.json && r.style().Terminal()
	var before *look
	for {
		now, err := lookAt(ctx, c, f.agent)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if live || before != nil {
			if err := r.showTop(f, live, rowsOf(before, now), now); err != nil {
				return err
			}
		}
		if !live && before != nil {
			return nil
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look is what all agents said.
type look struct {
	agents []answered[[]client.Container]
}

func lookAt(ctx context.Context, c *client.Client, agent string) (*look, error) {
	list, err := askAgents(ctx, c, agent, c.Containers)
	return &look{list}, err
}

func (r *reader) showTop(f *topFlags, live bool, rows []row, now *look) error {
	slices.SortStableFunc(rows, orders[f.sort])
	if r.json {
		if err := show.JSON(r.out, rows); err != nil {
			return err
		}
		return firstError(now.agents)
	}
	style, limit := r.style(), f.rows
	if live {
		if limit == 0 {
			limit = max(1, show.Height(r.out)-headLines-unanswered(now.agents))
		}
		if err := show.Again(r.out, style); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(r.out, headOf(rows, now)); err != nil {
		return err
	}
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
	}
	if err := writeRows(r.out, style, rows); err != nil {
		return err
	}
	return tellSilent(r.out, style, now.agents)
}

// headLines are those of the screen that are no rows: the summary, the headings
// and the cursor's.
const headLines = 3

func unanswered[T any](list []answered[T]) (n int) {
	for _, a := range list {
		if a.Err != nil {
			n++
		}
	}
	return n
}

// firstError is for output that has no place for agents that did not answer.
func firstError[T any](list []answered[T]) error {
	for _, a := range list {
		if a.Err != nil {
			return fmt.Errorf("agent %s: %w", a.Agent, a.Err)
		}
	}
	return nil
}
