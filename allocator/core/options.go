package core

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Options of an allocator. The zero value stands for the defaults named at
// each field.
type Options struct {
	// The longest pause between two passes while there is something to look
	// at, and the shortest life of a filter; 0 means 1 s.
	Interval time.Duration
	// Resources are offered only when they hold at least one of these; nil
	// means DefaultMinimums, an empty list means that anything is offered. A
	// framework may state its own.
	Minimums []Minimum
	// Names of resources that count for no share.
	NotShared []string
	// Whether agents with GPUs are offered to frameworks without the
	// capability GPU_RESOURCES.
	GPUsForAll bool
	// How long a role must have lacked what is guaranteed to it, while it wanted
	// it and nothing was free, before roles that have more than is guaranteed to
	// them have tasks killed for it; 0 means never.
	PreemptAfter time.Duration
	// To how many frameworks at once what is free is offered, until one of them
	// takes it; 0 and 1 mean one, OverlapAll any number. What a guarantee is met
	// with is offered to one.
	Overlap int
	// Whether what is reserved for a role, and what nobody in it wants now, is
	// offered as revocable to frameworks with the capability REVOCABLE_RESOURCES,
	// until somebody in the role wants it back.
	LendReservations bool
	// Who comes first of sibling roles; and of the clients of one role, which
	// weigh the same, so that ByPriority is ByShare for them.
	Roles, Frameworks Sorter
}

// OverlapAll offers what is free to as many frameworks as want it.
const OverlapAll = math.MaxInt

// ParseOverlap reads an Options.Overlap: a positive number, or "all".
func ParseOverlap(text string) (int, error) {
	if text == "all" {
		return OverlapAll, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, field.Invalid("", text, "is neither a positive number nor all")
	}
	return n, nil
}

// Sorter is a way to say who comes first.
type Sorter uint8

const (
	// ByShare is the lowest weighted dominant share.
	ByShare Sorter = iota
	// ByLot is chance, in proportion to weights, anew for each agent.
	ByLot
	// ByPriority is the greatest weight; among equals, the lowest share.
	ByPriority
)

// ParseSorter reads what operators call a Sorter: "drf", "random" or "priority".
func ParseSorter(text string) (Sorter, error) {
	switch text {
	case "drf":
		return ByShare, nil
	case "random":
		return ByLot, nil
	case "priority":
		return ByPriority, nil
	}
	return ByShare, field.Invalid("", text, "is none of drf, random, priority")
}

// Minimum is an amount of each scalar resource that it names.
type Minimum map[string]resources.Milli

// DefaultMinimums is "cpus:0.01|mem:32".
func DefaultMinimums() []Minimum {
	return []Minimum{{resources.CPUs: 10}, {resources.Mem: 32_000}}
}

// ParseMinimums reads alternatives, separated by '|', of amounts, separated by
// ';': "cpus:0.01|mem:32". An empty text is an empty list. The error names the
// alternative.
func ParseMinimums(text string) ([]Minimum, error) {
	list := []Minimum{}
	if strings.TrimSpace(text) == "" {
		return list, nil
	}
	for i, alternative := range strings.Split(text, "|") {
		m, err := parseMinimum(alternative)
		if err != nil {
			return nil, field.In("min_allocatable_resources", field.At("", i, err))
		}
		list = append(list, m)
	}
	return list, nil
}

func parseMinimum(text string) (Minimum, error) {
	amounts, err := resources.Parse(text, "*")
	if err != nil {
		return nil, err
	}
	m := make(Minimum)
	for e := range amounts.All() {
		if e.Kind() != mesos.Value_SCALAR {
			return nil, field.Invalid("", text, "must name scalars, %s is %s", e.Name(), e.Kind())
		}
		m[e.Name()] += e.Amount()
	}
	if len(m) == 0 {
		return nil, field.Invalid("", text, "names no amount")
	}
	return m, nil
}

// minimumsOf reads a framework's own minimums of a role; ok is false when it
// states none.
func minimumsOf(filters *mesos.OfferFilters) (list []Minimum, ok bool, err error) {
	if filters.GetMinAllocatableResources() == nil {
		return nil, false, nil
	}
	for i, quantities := range filters.MinAllocatableResources.Quantities {
		m := make(Minimum)
		for name, amount := range quantities.GetQuantities() {
			milli, err := resources.MilliOf(amount.GetValue())
			if err != nil {
				return nil, false, field.Invalid(
					fmt.Sprintf("min_allocatable_resources.quantities[%d].%s", i, name), amount.GetValue(), "%v", err)
			}
			m[name] = milli
		}
		list = append(list, m)
	}
	return list, true, nil
}

// vectors numbers what minimums name.
func vectors(index *resources.Index, minimums []Minimum) []resources.Quantities {
	list := make([]resources.Quantities, len(minimums))
	for i, m := range minimums {
		for name, amount := range m {
			list[i].Set(index.Number(name), amount)
		}
	}
	return list
}
