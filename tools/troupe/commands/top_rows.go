package commands

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// row is what a task uses, or an executor; nil is unknown.
type row struct {
	Name        string `json:"name"`
	Task        bool   `json:"task"` // else it is an executor with all its tasks
	Executor    string `json:"executor_id"`
	Framework   string `json:"framework"`
	FrameworkID string `json:"framework_id"`
	Role        string `json:"role"`
	Agent       string `json:"agent"`
	Container   string `json:"container_id"`
	// In CPUs, of the time between two looks.
	CPU       *float64 `json:"cpus_used"`
	CPUs      *float64 `json:"cpus"`
	CPUsLimit *float64 `json:"cpus_limit"`
	// Of the periods between two looks, 0 to 1.
	Throttled *float64 `json:"throttled"`
	// In bytes.
	Mem       *float64 `json:"mem_bytes"`
	MemLimit  *float64 `json:"mem_limit_bytes"`
	Disk      *float64 `json:"disk_bytes"`
	DiskLimit *float64 `json:"disk_limit_bytes"`
	Processes *float64 `json:"processes"`
}

// rowsOf compares two looks; of the first, which may be nil, only what grows with
// time is missed.
func rowsOf(before, now *look) []row {
	type key struct{ agent, container string }
	known := map[key]client.Statistics{}
	if before != nil {
		for _, a := range before.agents {
			for _, c := range a.Answer {
				known[key{a.Agent, c.ID}] = c.Statistics
			}
		}
	}
	rows := []row{}
	for _, a := range now.agents {
		for _, c := range a.Answer {
			if c.Executor != "" {
				rows = append(rows, usedBy(a.Agent, c, known[key{a.Agent, c.ID}]))
			}
		}
	}
	return rows
}

func usedBy(agent string, c client.Container, before client.Statistics) row {
	s := c.Statistics
	r := row{
		Name: c.Task, Task: c.Task != "", Executor: c.Executor, Framework: c.Framework, FrameworkID: c.FrameworkID, Role: c.Role, Agent: agent, Container: c.ID,
		CPUs: s.CPUs, CPUsLimit: s.CPUsLimit, Mem: s.Mem(), MemLimit: s.MemLimit, Disk: s.DiskUsed, DiskLimit: s.DiskLimit, Processes: s.Processes,
	}
	if !r.Task {
		r.Name = c.Executor
	}
	user, system := grown(before.User, s.User), grown(before.System, s.System)
	if elapsed := s.Timestamp - before.Timestamp; user != nil && system != nil && elapsed > 0 {
		used := (*user + *system) / elapsed
		r.CPU = &used
	}
	periods, throttled := grown(before.Periods, s.Periods), grown(before.Throttled, s.Throttled)
	if periods != nil && throttled != nil {
		share := *throttled / max(1, *periods)
		r.Throttled = &share
	}
	return r
}

// grown is by how much a count has; nil if that is unknown.
func grown(before, now *float64) *float64 {
	if before == nil || now == nil {
		return nil
	}
	by := max(0, *now-*before)
	return &by
}

// most puts what is larger first, and what is unknown last.
func most(of func(r row) *float64) func(a, b row) int {
	return func(a, b row) int {
		x, y := of(a), of(b)
		switch {
		case x == nil && y == nil:
			return byName(a, b)
		case x == nil:
			return 1
		case y == nil:
			return -1
		}
		return cmp.Or(cmp.Compare(*y, *x), byName(a, b))
	}
}

func byName(a, b row) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Framework, b.Framework), cmp.Compare(a.Agent, b.Agent))
}

// orders are what rows can be sorted by.
var orders = map[string]func(a, b row) int{
	"cpu":       most(func(r row) *float64 { return r.CPU }),
	"mem":       most(func(r row) *float64 { return r.Mem }),
	"throttled": most(func(r row) *float64 { return r.Throttled }),
	"disk":      most(func(r row) *float64 { return r.Disk }),
	"processes": most(func(r row) *float64 { return r.Processes }),
	"name":      byName,
}

func orderNames() []string { return slices.Sorted(maps.Keys(orders)) }

// headOf sums up what is shown.
func headOf(rows []row, now *look) string {
	tasks, cpu, mem := 0, 0.0, 0.0
	for _, r := range rows {
		if r.Task {
			tasks++
		}
		if r.Task && r.Executor != r.Name {
			continue // its executor has it, too
		}
		if r.CPU != nil {
			cpu += *r.CPU
		}
		if r.Mem != nil {
			mem += *r.Mem
		}
	}
	return fmt.Sprintf("%d agents, %d tasks: %.2f CPUs, %s of memory", len(now.agents)-unanswered(now.agents), tasks, cpu, show.Size(int64(mem)))
}

func writeRows(w io.Writer, style show.Style, rows []row) error {
	table := show.NewTable("TASK", "CPU", "OF", "THROTTLED", "MEM", "OF", "DISK", "OF", "PROCESSES", "ROLE", "FRAMEWORK", "AGENT")
	for _, r := range rows {
		name := r.Name
		if !r.Task {
			name = "[" + name + "]"
		}
		table.Add(name, warned(style, amountText(r.CPU, 2), r.CPU, r.CPUsLimit), ofCPUs(r), throttledText(style, r.Throttled),
			warned(style, sizeText(r.Mem), r.Mem, r.MemLimit), sizeText(r.MemLimit), warned(style, sizeText(r.Disk), r.Disk, r.DiskLimit), sizeText(r.DiskLimit),
			amountText(r.Processes, 0), r.Role, r.Framework, r.Agent)
	}
	return table.Write(w, "No tasks run.")
}

// warned colours what is close to its limit.
func warned(style show.Style, text string, used, limit *float64) string {
	if used == nil || limit == nil || *limit <= 0 {
		return text
	}
	switch share := *used / *limit; {
	case share >= 0.95:
		return style.Red(text)
	case share >= 0.8:
		return style.Yellow(text)
	}
	return text
}

func throttledText(style show.Style, share *float64) string {
	if share == nil {
		return "-"
	}
	text := strconv.FormatFloat(*share*100, 'f', 0, 64) + "%"
	switch {
	case *share >= 0.5:
		return style.Red(text)
	case *share >= 0.1:
		return style.Yellow(text)
	}
	return text
}

// ofCPUs is what was given and, if there is one, the limit.
func ofCPUs(r row) string {
	switch {
	case r.CPUs == nil:
		return "-"
	case r.CPUsLimit == nil || *r.CPUsLimit == *r.CPUs:
		return show.Number(*r.CPUs)
	}
	return show.Number(*r.CPUs) + "/" + show.Number(*r.CPUsLimit)
}

func amountText(x *float64, decimals int) string {
	if x == nil {
		return "-"
	}
	return strconv.FormatFloat(*x, 'f', decimals, 64)
}

func sizeText(x *float64) string {
	if x == nil {
		return "-"
	}
	return show.Size(int64(*x))
}
