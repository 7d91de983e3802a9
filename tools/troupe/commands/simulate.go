package commands

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/simulate"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/show"
)

func simulateCommand(io Streams) *cobra.Command {
	var o simulate.Options
	var lasts, faults flags.Duration
	var json bool
	c := &cobra.Command{
		Use: "simulate", GroupID: groupTest, Args: exactly(),
		Short: "Simulate clusters under faults, and check the laws",
		Long: `Run whole clusters under a virtual clock, on a network and devices that fail as a
seed decides, while oracles watch every task. The same seed gives the same trace.
Exits with 1 when a law was broken, and says how to see that again.`,
		Example: `  troupe simulate --seeds=100
  troupe simulate --seed=17 --agents=50000 --tasks=1000 --fault_every=-1secs`,
	}
	set := c.Flags()
	set.Uint64Var(&o.Seed, "seed", 1, "the first seed")
	set.IntVar(&o.Seeds, "seeds", 1, "how many seeds, in a row")
	set.IntVar(&o.Masters, "masters", 0, "how many masters; 0 is 1 or 3, by the seed")
	set.IntVar(&o.Agents, "agents", 20, "how many agents")
	set.IntVar(&o.Frameworks, "frameworks", 2, "how many frameworks")
	set.IntVar(&o.Tasks, "tasks", 50, "how many tasks of each framework")
	set.StringVar(&o.AgentResources, "resources", "cpus:4;mem:2048;disk:1024;ports:[31000-31100]", "of every agent")
	duration(set, &lasts, "duration", 5*time.Minute, "for which faults happen, in virtual time")
	duration(set, &faults, "fault_every", 8*time.Second, "mean time between two faults; negative is none")
	set.StringVar(&o.Scenario, "scenario", "", "file whose settings replace these, and whose faults come too")
	set.IntVar(&o.Trace, "trace", 40, "how many lines of a run are shown that broke a law")
	set.BoolVar(&o.WholeTrace, "whole_trace", false, "show every line of it, not only those about the task that it broke for")
	set.BoolVar(&json, "json", false, "print JSON for programs")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := atLeast(1, namedInt{"seeds", o.Seeds}, namedInt{"agents", o.Agents}, namedInt{"frameworks", o.Frameworks}, namedInt{"tasks", o.Tasks}); err != nil {
			return err
		}
		if lasts <= 0 {
			return flagError("duration", lasts.String(), "is not above 0")
		}
		o.Duration, o.FaultEvery = time.Duration(lasts), time.Duration(faults)
		return simulateSeeds(c.Context(), io.Out, o, json)
	}
	return c
}

// simulateSeeds runs one seed after the other, until ctx is done.
func simulateSeeds(ctx context.Context, w io.Writer, o simulate.Options, json bool) error {
	all := simulate.Report{Runs: []simulate.Run{}}
	seeds := o.Seeds
	for o.Seeds = 1; len(all.Runs) < seeds && ctx.Err() == nil; o.Seed++ {
		report, err := simulate.Simulate(o)
		if err != nil {
			return usageError{err}
		}
		all.Runs = append(all.Runs, report.Runs...)
		if json {
			continue
		}
		if _, err := io.WriteString(w, report.Runs[0].String()); err != nil {
			return err
		}
	}
	if json {
		if err := show.JSON(w, all); err != nil {
			return err
		}
	}
	if n := all.Failed(); n > 0 {
		return fmt.Errorf("a law was broken with %d of %d seeds", n, len(all.Runs))
	}
	return ctx.Err()
}
