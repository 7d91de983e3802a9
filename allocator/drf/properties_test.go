package drf

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// user is one client of a cluster that is filled task by task.
type user struct {
	weight float64
	demand []int64 // of one task, by resource
}

var dimensions = []string{"cpus", "mem", "disk"}

func quantities(v []int64) (q Quantities) {
	for d, amount := range v {
		q = append(q, Amount{dimensions[d], amount})
	}
	return q
}

// fill gives one task after another to the user with the lowest weighted
// dominant share whose task still fits, until nobody's does. It returns how
// many each got.
func fill(capacity []int64, users []user) []int64 {
	tree := New()
	tree.AddTotal(quantities(capacity))
	index := make(map[*Leaf]int)
	for i, u := range users {
		role := fmt.Sprintf("r%02d", i)
		if err := tree.SetWeight(role, u.weight); err != nil {
			panic(err)
		}
		index[addActive(tree, role, "f")] = i
	}
	free := append([]int64(nil), capacity...)
	tasks := make([]int64, len(users))
	for next := range fits(tree, index, users, free) {
		i := index[next]
		for d, want := range users[i].demand {
			free[d] -= want
		}
		tree.Allocate(next, quantities(users[i].demand))
		tasks[i]++
	}
	return tasks
}

// fits yields the first leaf in order whose task fits, again and again.
func fits(tree *Tree, index map[*Leaf]int, users []user, free []int64) func(func(*Leaf) bool) {
	first := func() *Leaf {
		for l := range tree.Ascend() {
			if within(users[index[l]].demand, free) {
				return l
			}
		}
		return nil
	}
	return func(yield func(*Leaf) bool) {
		for l := first(); l != nil && yield(l); l = first() {
			continue
		}
	}
}

func within(demand, free []int64) bool {
	for d, want := range demand {
		if want > free[d] {
			return false
		}
	}
	return true
}

// tasksOf is how many tasks of u fit into a bundle, fractions included.
func tasksOf(u user, bundle []float64) float64 {
	tasks := math.Inf(1)
	for d, want := range u.demand {
		if want > 0 {
			tasks = min(tasks, bundle[d]/float64(want))
		}
	}
	return tasks
}

// Tasks are whole, so the properties hold up to what is left over when the
// next task of somebody does not fit: a few times maxDemand of a resource.
const (
	maxDemand = 8
	maxUsers  = 4
)

func drawCluster(t *rapid.T) ([]int64, []user) {
	capacity := rapid.SliceOfN(rapid.Int64Range(12_000, 24_000), len(dimensions), len(dimensions)).Draw(t, "capacity")
	demand := rapid.SliceOfN(rapid.Int64Range(1, maxDemand), len(dimensions), len(dimensions))
	weighted := rapid.Bool().Draw(t, "weighted")
	users := make([]user, rapid.IntRange(2, maxUsers).Draw(t, "users"))
	for i := range users {
		users[i] = user{weight: 1, demand: demand.Draw(t, "demand")}
		if weighted {
			users[i].weight = float64(rapid.IntRange(1, 4).Draw(t, "weight"))
		}
	}
	return capacity, users
}

func bundle(u user, tasks int64, scale float64) []float64 {
	b := make([]float64, len(u.demand))
	for d, want := range u.demand {
		b[d] = float64(want*tasks) * scale
	}
	return b
}

// slack is how many tasks, of thousands, a user may miss or gain because tasks
// are whole.
const slack = 3 * maxDemand

// Each user gets at least as much as from a part of the cluster of its own,
// of a size in proportion to its weight.
func TestSharingIncentive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity, users := drawCluster(t)
		tasks := fill(capacity, users)
		var weights float64
		for _, u := range users {
			weights += u.weight
		}
		for i, u := range users {
			part := make([]float64, len(capacity))
			for d, amount := range capacity {
				part[d] = float64(amount) * u.weight / weights
			}
			if alone := tasksOf(u, part); float64(tasks[i]) < alone-slack {
				t.Fatalf("user %d runs %d tasks, %.1f in a partition of its own (capacity %v, users %v)",
					i, tasks[i], alone, capacity, users)
			}
		}
	})
}

// No user would rather have what another got, scaled by their weights.
func TestEnvyFreeness(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity, users := drawCluster(t)
		tasks := fill(capacity, users)
		for i, u := range users {
			for j, other := range users {
				theirs := tasksOf(u, bundle(other, tasks[j], u.weight/other.weight))
				if float64(tasks[i]) < theirs-slack {
					t.Fatalf("user %d runs %d tasks and envies user %d for %.1f (capacity %v, users %v)",
						i, tasks[i], j, theirs, capacity, users)
				}
			}
		}
	})
}

// Nobody can run one more task unless another runs one less.
func TestParetoEfficiency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity, users := drawCluster(t)
		tasks := fill(capacity, users)
		free := append([]int64(nil), capacity...)
		for i, u := range users {
			for d, want := range u.demand {
				free[d] -= want * tasks[i]
			}
		}
		for d, amount := range free {
			if amount < 0 {
				t.Fatalf("%s is given away %d times too often", dimensions[d], -amount)
			}
		}
		for i, u := range users {
			if within(u.demand, free) {
				t.Fatalf("a task of user %d still fits into %v", i, free)
			}
		}
	})
}

// A user that asks for other amounts than it needs runs no more tasks.
func TestStrategyProofness(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity, users := drawCluster(t)
		liar := rapid.IntRange(0, len(users)-1).Draw(t, "liar")
		honest := fill(capacity, users)[liar]
		truth := users[liar]
		claim := user{weight: truth.weight}
		for d := range truth.demand {
			claim.demand = append(claim.demand, rapid.Int64Range(1, 2*maxDemand).Draw(t, dimensions[d]))
		}
		users[liar] = claim
		got := tasksOf(truth, bundle(claim, fill(capacity, users)[liar], 1))
		if got > float64(honest)+slack {
			t.Fatalf("user %d runs %.1f tasks by claiming %v, %d by its need %v", liar, got, claim.demand, honest, truth.demand)
		}
	})
}
