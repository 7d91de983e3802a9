// Bench measures the large things: works that take seconds, several processes,
// or another system to compare with. It prints a line per figure: name, figure,
// unit, target, met or not. A work that cannot be run makes it exit with 1; a
// target that is missed does not.
//
// Usage: bench [--quick] [--list] [NAME…]
//
// A work is a function in a file of its own and a row of the table in works.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) > 1 && args[0] == childCommand {
		return runChild(args[1], args[2:], in, out)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	quick := flags.Bool("quick", false, "a hundredth of the load: shows that the works run, and no figure to trust")
	list := flags.Bool("list", false, "list the works")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	chosen, err := choose(works(), flags.Args())
	if err != nil {
		return err
	}
	if *list {
		for _, w := range chosen {
			fmt.Fprintf(out, "%-14s %s\n", w.name, w.help)
		}
		return nil
	}
	l := load{scale: 1}
	if *quick {
		l.scale = 100
	}
	return measure(ctx, chosen, l, out)
}

// choose gives the works of these names, or all.
func choose(all []work, names []string) ([]work, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []work
	for _, n := range names {
		found := false
		for _, w := range all {
			if w.name == n {
				chosen = append(chosen, w)
				found = true
			}
		}
		if !found {
			return nil, fmt.Errorf("no work %q; --list names them", n)
		}
	}
	return chosen, nil
}

// measure runs works one after the other and prints what they find, also when
// one fails.
func measure(ctx context.Context, ws []work, l load, out io.Writer) error {
	var failed []error
	for _, w := range ws {
		figures, err := w.run(ctx, l)
		for _, f := range figures {
			fmt.Fprintln(out, f.line(w.name))
		}
		if err != nil {
			fmt.Fprintf(out, "%-14s did not run: %v\n", w.name, err)
			failed = append(failed, fmt.Errorf("%s: %w", w.name, err))
		}
		if ctx.Err() != nil {
			return errors.Join(append(failed, ctx.Err())...)
		}
	}
	return errors.Join(failed...)
}
