package main

import (
	"strconv"
	"time"

	"troupe/allocator/core"
)

// The cluster: every agent has room for eight tasks of a cpu.
const (
	agents       = 20
	cpusPerAgent = 8
	memPerAgent  = 16_384
	memPerTask   = 1_024
	meanLife     = 30 * time.Second // of a task; exponential
	hop          = time.Millisecond // that a message takes
)

// setting is one run.
type setting struct {
	seed    uint64
	span    time.Duration
	overlap int
	mix     mix
	load    load
}

// mix is how long each framework thinks before it answers offers.
type mix struct {
	name  string
	think []time.Duration
}

const (
	quick = 10 * time.Millisecond
	slow  = time.Second
	lame  = 10 * time.Second
)

func mixes() []mix {
	return []mix{
		{"ten that answer in 10 ms", times(10, quick, 0, 0)},
		{"nine in 10 ms, one in 10 s", times(9, quick, 0, 1)},
		{"five in 10 ms, four in 1 s, one in 10 s", times(5, quick, 4, 1)},
		{"ten in 1 s", times(0, quick, 10, 0)},
		{"five in 1 s, five in 10 s", times(0, quick, 5, 5)},
	}
}

func times(fast int, think time.Duration, slower, slowest int) (list []time.Duration) {
	for range fast {
		list = append(list, think)
	}
	for range slower {
		list = append(list, slow)
	}
	for range slowest {
		list = append(list, lame)
	}
	return list
}

// load is the work that comes: each framework gets jobs of so many tasks, on
// average so far apart; with a zero gap it never runs out of work.
type load struct {
	name string
	job  int
	gap  time.Duration
	// Those that take 10 s are in roles of their own, each guaranteed a tenth of
	// the cluster.
	guaranteed bool
}

func loads() []load {
	return []load{
		{name: "jobs that come and go", job: 10, gap: 30 * time.Second},
		{name: "work without end"},
		{name: "work without end, a tenth guaranteed to each that takes 10 s", guaranteed: true},
	}
}

// degrees are the values of --offer_overlap that are compared.
func degrees() []int { return []int{1, 2, 3, 5, core.OverlapAll} }

func degree(n int) string {
	if n == core.OverlapAll {
		return "all"
	}
	return strconv.Itoa(n)
}
