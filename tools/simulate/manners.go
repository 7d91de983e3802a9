package simulate

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	allocatorcore "troupe/allocator/core"
)

// manners are what a whole cluster goes by. Chance decides on them, by the seed
// alone, in worlds where it also decides on faults.
type manners struct {
	roles, frameworks allocatorcore.Sorter
	// How long a role must lack its guarantee before others' tasks are preempted.
	preemptAfter time.Duration
	// Whether agents lend what is not used.
	lending bool
	// To how many frameworks at once the same is offered.
	overlap int
}

func mannersOf(o Options, seed uint64) manners {
	if o.FaultEvery <= 0 {
		return manners{}
	}
	r := seeded(seed, "manners")
	sorters := []allocatorcore.Sorter{allocatorcore.ByShare, allocatorcore.ByShare, allocatorcore.ByLot, allocatorcore.ByPriority}
	c := manners{roles: sorters[r.IntN(4)], frameworks: sorters[r.IntN(4)], lending: r.IntN(2) == 0}
	if r.IntN(2) == 0 {
		c.preemptAfter = time.Duration(2+r.IntN(20)) * time.Second
	}
	c.overlap = []int{1, 1, 2, allocatorcore.OverlapAll}[r.IntN(4)]
	return c
}

func (c manners) allocator() allocatorcore.Options {
	return allocatorcore.Options{Roles: c.roles, Frameworks: c.frameworks, PreemptAfter: c.preemptAfter, Overlap: c.overlap}
}

// seeded is chance that a seed and a name alone decide on.
func seeded(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
