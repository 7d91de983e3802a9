// Overlap studies what offering the same to several frameworks is worth: the
// master's machine and the allocator's core run under a virtual clock with
// frameworks that are slow to answer, for --offer_overlap from 1 to all. It prints
// the tables of docs/offer-overlap.md; the same seed prints the same.
//
// Usage: overlap [-seed N] [-span DURATION]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "overlap:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("overlap", flag.ContinueOnError)
	flags.SetOutput(out)
	seed := flags.Uint64("seed", 1, "of chance: how long tasks run and when work arrives")
	span := flags.Duration("span", 10*time.Minute, "simulated time of each run")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	for _, l := range loads() {
		for _, m := range mixes() {
			if l.guaranteed && !slices.Contains(m.think, lame) {
				continue
			}
			var rows []row
			for _, overlap := range degrees() {
				w, err := newWorld(setting{seed: *seed, span: *span, overlap: overlap, mix: m, load: l})
				if err == nil {
					err = w.run()
				}
				if err != nil {
					return fmt.Errorf("%s, %s, overlap %s: %w", l.name, m.name, degree(overlap), err)
				}
				rows = append(rows, w.row())
			}
			print(out, l, m, rows)
		}
	}
	return nil
}
