package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"troupe/tools/simulate"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/show"
)

func simulateCommand(streams Streams) *cobra.Command {
	var o simulate.Options
	var lasts, faults flags.Duration
	var json bool
	c := &cobra.Command{
		Use: "simulate", GroupID: groupTest, Args: exactly(),
		Short: "Simulate clusters under faults, and check the laws",
		Long: `Run whole clusters under a virtual clock, on a network and devices that fail as a
seed decides, while oracles watch every task. The same seed gives the same trace.
Exits with 1 when a law was broken, and says how to see that again. Of more than
20 seeds only those are shown that broke one.`,
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
		return simulateSeeds(c.Context(), streams, o, json)
	}
	return c
}

// progressEvery is how often a long simulation says how far it is.
const progressEvery = 10 * time.Second

// simulateSeeds runs all seeds, until ctx is done. It prints each run that
// broke a law, and the others unless there are many; then it says now and then
// how far it is.
func simulateSeeds(ctx context.Context, streams Streams, o simulate.Options, json bool) error {
	all := simulate.Report{Runs: []simulate.Run{}}
	began, said := time.Now(), time.Now()
	var failure error
	err := simulate.Each(ctx, o, func(r simulate.Run) {
		all.Runs = append(all.Runs, r)
		if !json && (r.Failure != "" || o.Seeds <= fewSeeds) {
			_, err := fmt.Fprint(streams.Out, r)
			failure = errors.Join(failure, err)
		}
		if time.Since(said) >= progressEvery {
			said = time.Now()
			_, err := fmt.Fprintf(streams.Err, "%d of %d seeds, %.1f a second, %d broke a law\n",
				len(all.Runs), o.Seeds, float64(len(all.Runs))/time.Since(began).Seconds(), all.Failed())
			failure = errors.Join(failure, err)
		}
	})
	if err != nil {
		return usageError{err}
	}
	if err := errors.Join(failure, summarize(streams.Out, all, o, json)); err != nil {
		return err
	}
	if n := all.Failed(); n > 0 {
		return fmt.Errorf("a law was broken with %d of %d seeds", n, len(all.Runs))
	}
	return ctx.Err()
}

// fewSeeds are so few that every run is shown.
const fewSeeds = 20

func summarize(w io.Writer, all simulate.Report, o simulate.Options, json bool) error {
	switch {
	case json:
		return show.JSON(w, all)
	case o.Seeds > fewSeeds:
		_, err := fmt.Fprintf(w, "%d seeds, %d broke a law\n", len(all.Runs), all.Failed())
		return err
	}
	return nil
}
