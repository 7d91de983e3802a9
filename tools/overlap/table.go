package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// row is what one run comes to.
type row struct {
	overlap                      int
	tasks                        float64 // launched a minute
	first                        []string
	wait                         []string
	launched                     []string
	offers, rescinded, conflicts int
	wasted                       float64 // share of what frameworks thought about
}

// classes lists the frameworks by how long they think, the quickest first.
func (w *world) classes() (thinks []time.Duration, of map[time.Duration][]*client) {
	of = make(map[time.Duration][]*client)
	for _, c := range w.order {
		if of[c.think] == nil {
			thinks = append(thinks, c.think)
		}
		of[c.think] = append(of[c.think], c)
	}
	return thinks, of
}

func (w *world) row() row {
	r := row{overlap: w.overlap, offers: w.counts.offers, rescinded: w.counts.rescinded, conflicts: w.counts.conflicts}
	minutes := w.span.Minutes()
	answered, wasted := 0, 0
	thinks, of := w.classes()
	for _, think := range thinks {
		var waits, firsts []time.Duration
		running := 0
		for _, c := range of[think] {
			waits = append(waits, c.waits...)
			first := c.first
			if first == 0 {
				first = w.span // none, for all that time
			}
			firsts = append(firsts, first)
			running += c.running
			answered += c.answered
			wasted += c.wasted
		}
		r.tasks += float64(running) / minutes
		r.first = append(r.first, text(quantile(firsts, 1)))
		r.wait = append(r.wait, text(quantile(waits, 0.5))+" / "+text(quantile(waits, 0.95)))
		r.launched = append(r.launched, fmt.Sprintf("%.0f", float64(running)/minutes/float64(len(of[think]))))
	}
	r.wasted = float64(wasted) / float64(max(1, answered+wasted))
	return r
}

// quantile returns the value that a share q of the list does not exceed.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

// text is a duration in two or three digits.
func text(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// print writes the table of one mix under one load.
func print(out io.Writer, l load, m mix, rows []row) {
	fmt.Fprintf(out, "**%s: %s**\n\n", strings.ToUpper(l.name[:1])+l.name[1:], m.name)
	wait := l.gap > 0
	head := []string{"overlap", "tasks/min", "each/min", "first launch"}
	if wait {
		head = append(head, "wait, half / 95 %")
	}
	head = append(head, "offers", "rescinded", "ACCEPTs too late", "thought in vain")
	fmt.Fprintf(out, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, r := range rows {
		cells := []string{degree(r.overlap), fmt.Sprintf("%.0f", r.tasks), strings.Join(r.launched, ", "), strings.Join(r.first, ", ")}
		if wait {
			cells = append(cells, strings.Join(r.wait, ", "))
		}
		cells = append(cells, fmt.Sprint(r.offers), fmt.Sprint(r.rescinded), fmt.Sprint(r.conflicts), fmt.Sprintf("%.0f %%", 100*r.wasted))
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintln(out)
}
