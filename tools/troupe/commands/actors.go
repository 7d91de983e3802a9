package commands

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"troupe/actors/inspect"
	"troupe/tools/troupe/show"
)

// watchInterval is how often a watched process is looked at.
const watchInterval = time.Second

func actorsCommand(io Streams) *cobra.Command {
	var watch bool
	var address string
	c := readerCommand(io, &cobra.Command{
		Use: "actors", GroupID: groupUse, Args: exactly(),
		Short: "List the actors of a daemon, its links and what it lost",
		Long: `List the actors of a daemon with what waits in their mailboxes, the systems it is
linked to, and the messages that could not be delivered or handled, by type.`,
	}, func(ctx context.Context, r *reader, _ []string) error {
		if watch {
			return watchActors(ctx, r, address)
		}
		return listActors(ctx, r, address)
	})
	c.Flags().StringVar(&address, "address", "", "host:port of the daemon to look at; the master by default")
	c.Flags().BoolVarP(&watch, "watch", "w", false, "look again every second, and show rates")
	return c
}

func listActors(ctx context.Context, r *reader, address string) error {
	now, err := readActors(ctx, r, address)
	if err != nil {
		return err
	}
	if r.json {
		return show.JSON(r.out, now)
	}
	return writeActors(r.out, r.style(), nil, now)
}

func readActors(ctx context.Context, r *reader, address string) (report *inspect.Report, err error) {
	c, err := r.client()
	if err != nil {
		return nil, err
	}
	defer func() { err = join(err, c.Close()) }()
	if address == "" {
		if address, err = c.Leader(ctx); err != nil {
			return nil, err
		}
	}
	report = new(inspect.Report)
	return report, c.Read(ctx, address, "/actors", report)
}

// watchActors prints one look after another until ctx is done.
func watchActors(ctx context.Context, r *reader, address string) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	var before *inspect.Report
	for {
		now, err := readActors(ctx, r, address)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := show.Again(r.out, r.style()); err != nil {
			return err
		}
		if err := writeActors(r.out, r.style(), before, now); err != nil {
			return err
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// writeActors shows a process; with an earlier look also how fast it works.
func writeActors(w io.Writer, style show.Style, before, now *inspect.Report) error {
	if _, err := fmt.Fprintf(w, "%s, %d actors\n", style.Bold(now.Address), len(now.Actors)); err != nil {
		return err
	}
	rates := handledRates(before, now)
	table := show.NewTable("ACTOR", "QUEUE", "HANDLED", "PER SEC", "RESTARTS", "LONGEST", "LAST PANIC")
	for _, row := range tree(now.Actors) {
		a := row.actor
		rate, panicked, longest := "-", "-", "-"
		if perSecond, ok := rates[a.Name]; ok {
			rate = strconv.FormatFloat(perSecond, 'f', 1, 64)
		}
		if a.Panic != nil {
			panicked = style.Red(a.Panic.Text)
		}
		if a.Longest != nil {
			longest = fmt.Sprintf("%s (%s)", time.Duration(a.Longest.Seconds*float64(time.Second)).Round(time.Microsecond), a.Longest.What)
		}
		table.Add(strings.Repeat("  ", row.depth)+a.Name, strconv.FormatUint(a.Depth, 10), strconv.FormatUint(a.Handled, 10),
			rate, strconv.FormatUint(uint64(a.Restarts), 10), longest, panicked)
	}
	if err := table.Write(w, "No actors."); err != nil {
		return err
	}
	return writeLinks(w, style, now)
}

func writeLinks(w io.Writer, style show.Style, now *inspect.Report) error {
	links := show.NewTable("PEER", "LINK", "PRINCIPAL", "IN", "OUT", "QUEUED", "DEAD LETTERS")
	for _, p := range now.Peers {
		state := style.Green("up")
		if !p.Linked {
			state = style.Red("down")
		}
		links.Add(p.Address, state, orDash(p.Principal), strconv.FormatUint(p.MessagesIn, 10), strconv.FormatUint(p.MessagesOut, 10),
			show.Size(int64(p.QueuedBytes)), strconv.FormatUint(p.DeadLetters, 10))
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	if err := links.Write(w, "No peers."); err != nil {
		return err
	}
	for _, kind := range []struct {
		name string
		list []inspect.Lost
	}{{"dead letter", now.DeadLetters}, {"unhandled", now.Unhandled}} {
		for _, l := range kind.list {
			if _, err := fmt.Fprintf(w, "%s: %d × %s, last from %s to %s: %s\n", style.Yellow(kind.name), l.Count, l.Type,
				orDash(l.From), orDash(l.To), l.Reason); err != nil {
				return err
			}
		}
	}
	return nil
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// handledRates is how many messages per second each actor handled between two
// looks at the same start of a process.
func handledRates(before, now *inspect.Report) map[string]float64 {
	rates := map[string]float64{}
	if before == nil || before.Incarnation != now.Incarnation {
		return rates
	}
	seconds := now.Time.Sub(before.Time).Seconds()
	earlier := map[string]uint64{}
	for _, a := range before.Actors {
		earlier[a.Name] = a.Handled
	}
	for _, a := range now.Actors {
		if was, ok := earlier[a.Name]; ok && was <= a.Handled && seconds > 0 {
			rates[a.Name] = float64(a.Handled-was) / seconds
		}
	}
	return rates
}

type treeRow struct {
	actor inspect.Actor
	depth int
}

// tree orders actors so that children follow their parents.
func tree(actors []inspect.Actor) []treeRow {
	known := map[string]bool{}
	for _, a := range actors {
		known[a.Name] = true
	}
	children := map[string][]inspect.Actor{}
	for _, a := range actors {
		parent := a.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], a)
	}
	var rows []treeRow
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, a := range children[parent] {
			rows = append(rows, treeRow{a, depth})
			walk(a.Name, depth+1)
		}
	}
	walk("", 0)
	return rows
}
