package allocation

import (
	"fmt"
	"strings"
	"time"
)

// Work is one of Mesos's benchmarks with its parameters.
type Work struct {
	Name string
	Run  func() ([]Figure, error)
}

// sized is a work of a grid of sizes.
type sized struct {
	name string
	run  func(Size) []Figure
}

func ofSizes() []sized {
	return []sized{
		{"AddAndUpdateSlave", AddAndUpdateAgent},
		{"DeclineOffers", DeclineOffers},
		{"ResourceLabels", ResourceLabels},
		{"SuppressOffers", SuppressOffers},
		{"ExtremeSuppressOffers", ExtremeSuppressOffers},
		{"AllocatorBacklog", AllocatorBacklog},
		{"PersistentVolumes/regular", func(s Size) []Figure { return PersistentVolumes(s, Regular) }},
		{"PersistentVolumes/shared", func(s Size) []Figure { return PersistentVolumes(s, Shared) }},
		{"PersistentVolumes/mixed", func(s Size) []Figure { return PersistentVolumes(s, Mixed) }},
		{"Metrics", Metrics},
		{"FullSort", FullSort},
	}
}

// Grid returns all works in all sizes.
func Grid() []Work {
	var list []Work
	for _, w := range ofSizes() {
		for _, agents := range []int{1000, 5000, 10_000, 20_000, 30_000, 50_000} {
			for _, frameworks := range []int{1, 50, 100, 200, 500, 1000, 3000, 6000} {
				list = append(list, w.of(Size{agents, frameworks}))
			}
		}
	}
	for _, agents := range []int{1000, 50_000} {
		for _, tree := range [][2]int{{3, 32}, {7, 3}, {10, 2}} {
			list = append(list, Work{
				fmt.Sprintf("HierarchyFullSort/agents=%d/height=%d/below=%d", agents, tree[0], tree[1]),
				func() ([]Figure, error) { return HierarchyFullSort(agents, tree[0], tree[1]), nil },
			})
		}
	}
	return append(list, others()...)
}

func (w sized) of(s Size) Work {
	return Work{w.name + "/" + s.String(), func() ([]Figure, error) { return w.run(s), nil }}
}

func others() []Work {
	list := []Work{
		{"MultiFrameworkAllocations", func() ([]Figure, error) { return multiFramework(false) }},
		{"MultiFrameworkAllocations/suppressing", func() ([]Figure, error) { return multiFramework(true) }},
	}
	for _, roles := range []int{50, 100, 200} {
		list = append(list, Work{
			fmt.Sprintf("UpdateAllocation/roles=%d/reservations=1/ranges=1", roles),
			func() ([]Figure, error) { return UpdateAllocation(roles), nil },
		})
	}
	for _, lots := range []bool{false, true} {
		list = append(list, quotaWorks(lots)...)
	}
	return list
}

func quotaWorks(lots bool) []Work {
	sorter := "sorter=drf"
	if lots {
		sorter = "sorter=random"
	}
	var list []Work
	for _, large := range []int{5, 50, 500} {
		list = append(list, Work{
			fmt.Sprintf("LargeAndSmallQuota/%s/small=%d/large=%d", sorter, 5*large, large),
			func() ([]Figure, error) { return LargeAndSmallQuota(lots, 5*large, large), nil },
		})
	}
	for _, roles := range []int{10, 100, 1000} {
		for _, quota := range []bool{false, true} {
			list = append(list, Work{
				fmt.Sprintf("NonQuotaVsQuota/%s/roles=%d/quota=%v", sorter, roles, quota),
				func() ([]Figure, error) { return NonQuotaVsQuota(lots, roles, quota), nil },
			})
		}
	}
	return list
}

// Compared returns the works that Mesos's allocator was measured at, with those
// figures that say what it took; and MultiFrameworkAllocations, of which it
// tells how much was launched.
func Compared() []Work {
	var list []Work
	for _, w := range Grid() {
		switch took, ok := measured[w.Name]; {
		case ok:
			list = append(list, Work{w.Name, func() ([]Figure, error) {
				figures, err := w.Run()
				return took.known(figures), err
			}})
		case strings.HasPrefix(w.Name, "MultiFrameworkAllocations"):
			list = append(list, w)
		}
	}
	return list
}

// known returns the figures of which it is known what Mesos took, with that.
func (t took) known(figures []Figure) (known []Figure) {
	for i, f := range figures {
		if i >= len(t.ms) || t.ms[i] == 0 {
			continue
		}
		f.Mesos, f.Times = time.Duration(t.ms[i]*1e6), t.times
		if f.What == addFrameworks {
			f.Times = ordinary // before there is any quota
		}
		known = append(known, f)
	}
	return known
}

// How many times as fast as Mesos's this allocator shall be.
const (
	ordinary  = 5
	withQuota = 50
)

// took is what Mesos took, in milliseconds, for the figures of a work in their
// order; 0 where it is not known.
type took struct {
	times float64 // how many times as fast this allocator shall be
	ms    []float64
}

// measured is what Mesos 1.12 took on the machine of the reference, with its
// allocation interval paused, by its own stopwatch.
var measured = map[string]took{
	"AddAndUpdateSlave/agents=1000/frameworks=1":          {ordinary, []float64{56, 32}},
	"AddAndUpdateSlave/agents=1000/frameworks=50":         {ordinary, []float64{55, 36}},
	"AddAndUpdateSlave/agents=5000/frameworks=200":        {ordinary, []float64{348, 215}},
	"AddAndUpdateSlave/agents=10000/frameworks=1000":      {ordinary, []float64{791, 615}},
	"DeclineOffers/agents=1000/frameworks=1":              {ordinary, []float64{0, 0, 7.7}},
	"DeclineOffers/agents=10000/frameworks=1":             {ordinary, []float64{0, 0, 94.6}},
	"DeclineOffers/agents=1000/frameworks=50":             {ordinary, []float64{29, 191, 313}},
	"ResourceLabels/agents=1000/frameworks=1":             {ordinary, []float64{0, 0, 7.5}},
	"ResourceLabels/agents=5000/frameworks=1":             {ordinary, []float64{0, 0, 48.7}},
	"SuppressOffers/agents=1000/frameworks=200":           {ordinary, []float64{34, 4}},
	"SuppressOffers/agents=5000/frameworks=200":           {ordinary, []float64{167, 11}},
	"SuppressOffers/agents=10000/frameworks=200":          {ordinary, []float64{368, 43}},
	"ExtremeSuppressOffers/agents=1000/frameworks=200":    {ordinary, []float64{0, 29}},
	"ExtremeSuppressOffers/agents=10000/frameworks=200":   {ordinary, []float64{0, 325}},
	"AllocatorBacklog/agents=1000/frameworks=50":          {ordinary, []float64{30, 9.4}},
	"AllocatorBacklog/agents=1000/frameworks=200":         {ordinary, []float64{33, 39}},
	"AllocatorBacklog/agents=5000/frameworks=200":         {ordinary, []float64{184, 304}},
	"AllocatorBacklog/agents=10000/frameworks=1000":       {ordinary, []float64{559, 3210}},
	"PersistentVolumes/regular/agents=1000/frameworks=50": {ordinary, []float64{0, 36}},
	"PersistentVolumes/shared/agents=1000/frameworks=50":  {ordinary, []float64{0, 36}},
	"Metrics/agents=1000/frameworks=50":                   {ordinary, []float64{440}},
	"Metrics/agents=1000/frameworks=1000":                 {ordinary, []float64{3500, 57}},
	"LargeAndSmallQuota/sorter=drf/small=25/large=5":      {withQuota, []float64{1.7, 2.2, 0.77}},
	"LargeAndSmallQuota/sorter=drf/small=250/large=50":    {withQuota, []float64{94, 82, 76}},
	"LargeAndSmallQuota/sorter=drf/small=2500/large=500":  {withQuota, []float64{12_100, 14_200, 11_400}},
	"NonQuotaVsQuota/sorter=drf/roles=100/quota=false":    {ordinary, []float64{0, 6.2, 4.4}},
	"NonQuotaVsQuota/sorter=drf/roles=100/quota=true":     {withQuota, []float64{0, 7.7, 0.98}},
	"NonQuotaVsQuota/sorter=drf/roles=1000/quota=false":   {ordinary, []float64{2700, 204, 134}},
	"UpdateAllocation/roles=50/reservations=1/ranges=1":   {ordinary, []float64{3.7, 3.7}},
	"UpdateAllocation/roles=100/reservations=1/ranges=1":  {ordinary, []float64{6.8, 6.8}},
	"UpdateAllocation/roles=200/reservations=1/ranges=1":  {ordinary, []float64{18.3, 18.3}},
	"FullSort/agents=1000/frameworks=200":                 {ordinary, []float64{0.49, 1.43, 0, 0, 66, 0.28}},
	"FullSort/agents=10000/frameworks=200":                {ordinary, []float64{5.7, 22.6, 0, 0, 743, 3.2}},
	"FullSort/agents=50000/frameworks=200":                {ordinary, []float64{39, 162, 0, 0, 3412, 26}},
}
