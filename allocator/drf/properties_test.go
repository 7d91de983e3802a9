package drf

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

// user is one client of a cluster that is filled task by task.
type user struct {
	weight float64
	demand resources.Quantities // of one task
}

// kinds is the number of different resources.
const kinds = 3

// fill gives one task after another to the user with the lowest weighted
// dominant share whose task still fits, until nobody's does. It returns how
// many each got.
func fill(capacity resources.Quantities, users []user) []int64 {
	tree := New()
	tree.AddTotal(capacity)
	index := make(map[*Leaf]int)
	for i, u := range users {
		role := fmt.Sprintf("r%02d", i)
		if err := tree.SetWeight(role, u.weight); err != nil {
			panic(err)
		}
		index[addActive(tree, role, "f")] = i
	}
	free := capacity.Clone()
	tasks := make([]int64, len(users))
	for next := range fits(tree, index, users, free) {
		i := index[next]
		free.Sub(users[i].demand)
		tree.Allocate(next, users[i].demand)
		tasks[i]++
	}
	return tasks
}

// fits yields the first leaf in order whose task fits, again and again.
func fits(tree *Tree, index map[*Leaf]int, users []user, free resources.Quantities) iter.Seq[*Leaf] {
	first := func() *Leaf {
		for l := range tree.Ascend() {
			if free.Contains(users[index[l]].demand) {
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

func vector(low, high resources.Milli) *rapid.Generator[resources.Quantities] {
	return rapid.Custom(func(t *rapid.T) (q resources.Quantities) {
		for range kinds {
			q = append(q, resources.Milli(rapid.Int64Range(int64(low), int64(high)).Draw(t, "amount")))
		}
		return q
	})
}

func drawCluster(t *rapid.T) (resources.Quantities, []user) {
	capacity := vector(12_000, 24_000).Draw(t, "capacity")
	demand := vector(1, maxDemand)
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
		b[d] = float64(want) * float64(tasks) * scale
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
		free := capacity.Clone()
		for i, u := range users {
			for range tasks[i] {
				free.Sub(u.demand)
			}
		}
		if !free.Contains(nil) {
			t.Fatalf("more is given away than there is: %v is left of %v", free, capacity)
		}
		for i, u := range users {
			if free.Contains(u.demand) {
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
		claim := user{weight: truth.weight, demand: vector(1, 2*maxDemand).Draw(t, "claim")}
		users[liar] = claim
		got := tasksOf(truth, bundle(claim, fill(capacity, users)[liar], 1))
		if got > float64(honest)+slack {
			t.Fatalf("user %d runs %.1f tasks by claiming %v, %d by its need %v", liar, got, claim.demand, honest, truth.demand)
		}
	})
}

// When a user leaves, those who stay run no fewer tasks.
func TestPopulationMonotonicity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity, users := drawCluster(t)
		leaver := rapid.IntRange(0, len(users)-1).Draw(t, "leaver")
		before := slices.Delete(fill(capacity, users), leaver, leaver+1)
		stay := slices.Delete(slices.Clone(users), leaver, leaver+1)
		for i, after := range fill(capacity, stay) {
			if after < before[i]-slack {
				t.Fatalf("%v ran %d tasks, and %d once another was gone (capacity %v, users %v, user %d leaves)",
					stay[i], before[i], after, capacity, users, leaver)
			}
		}
	})
}
