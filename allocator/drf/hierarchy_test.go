package drf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

// tenant is one client of a tree of roles that is filled task by task.
type tenant struct {
	role   string
	name   string
	demand resources.Quantities // of one task
}

// organisation is a cluster and those who share it.
type organisation struct {
	capacity resources.Quantities
	weights  map[string]float64 // by path; 1 where it has none
	tenants  []tenant
}

// filling is what progressive filling has come to: the tasks of each tenant.
type filling struct {
	organisation
	free  resources.Quantities
	tasks []int64
}

func newFilling(o organisation) *filling {
	return &filling{o, o.capacity.Clone(), make([]int64, len(o.tenants))}
}

// path of a tenant: its own clients are one more child of a role.
func (x tenant) path() string { return x.role + "/" + group + "/" + x.name }

func within(path, node string) bool { return node == "" || strings.HasPrefix(path+"/", node+"/") }

// share adds up all that is under a node, from nothing.
func (f *filling) share(node string) (share float64, tasks int64) {
	held := make([]int64, len(f.capacity))
	for i, x := range f.tenants {
		if within(x.path(), node) {
			tasks += f.tasks[i]
			for d, amount := range x.demand {
				held[d] += f.tasks[i] * int64(amount)
			}
		}
	}
	for d, amount := range held {
		share = max(share, float64(amount)/float64(f.capacity[d]))
	}
	if w, ok := f.weights[node]; ok {
		share /= w
	}
	return share, tasks
}

// poorest walks down from a node to the tenant that is next: at each level to
// the subtree with the lowest share in which a task still fits. It returns -1
// when none does.
func (f *filling) poorest(node string) int {
	var children []string
	for i, x := range f.tenants {
		switch {
		case !within(x.path(), node) || !f.free.Contains(x.demand):
		case x.path() == node:
			return i
		default:
			rest := strings.TrimPrefix(strings.TrimPrefix(x.path(), node), "/")
			first, _, _ := strings.Cut(rest, "/")
			children = append(children, strings.TrimPrefix(node+"/"+first, "/"))
		}
	}
	if len(children) == 0 {
		return -1
	}
	return f.poorest(slices.MinFunc(children, func(a, b string) int {
		x, i := f.share(a)
		y, j := f.share(b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(i, j), cmp.Compare(a, b))
	}))
}

func (f *filling) run() []int64 {
	for i := f.poorest(""); i >= 0; i = f.poorest("") {
		f.free.Sub(f.tenants[i].demand)
		f.tasks[i]++
	}
	return f.tasks
}

// fillTree does the same by a Tree.
func fillTree(t *rapid.T, o organisation) []int64 {
	tree := New()
	tree.AddTotal(o.capacity)
	for path, w := range o.weights {
		if err := tree.SetWeight(path, w); err != nil {
			t.Fatal(err)
		}
	}
	index := make(map[*Leaf]int)
	users := make([]user, len(o.tenants))
	for i, x := range o.tenants {
		users[i].demand = x.demand
		index[addActive(tree, x.role, x.name)] = i
	}
	free, tasks := o.capacity.Clone(), make([]int64, len(o.tenants))
	for next := range fits(tree, index, users, free) {
		i := index[next]
		free.Sub(users[i].demand)
		tree.Allocate(next, users[i].demand)
		tasks[i]++
	}
	return tasks
}

func drawOrganisation(t *rapid.T) organisation {
	o := organisation{capacity: vector(200, 400).Draw(t, "capacity"), weights: make(map[string]float64)}
	paths := []string{"a", "b", "c", "a/x", "a/y", "b/x", "b/x/deep", "b/y"}
	for _, path := range paths {
		if rapid.Bool().Draw(t, "weighted") {
			o.weights[path] = float64(rapid.IntRange(1, 8).Draw(t, "weight")) / 2
		}
	}
	for i := range rapid.IntRange(1, 8).Draw(t, "tenants") {
		role := rapid.SampledFrom(paths).Draw(t, "role")
		o.tenants = append(o.tenants, tenant{role, fmt.Sprintf("f%d", i), vector(1, maxDemand).Draw(t, "demand")})
	}
	return o
}

// Fairness in a tree of roles is progressive filling, level by level.
func TestHierarchyIsProgressiveFilling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOrganisation(t)
		want, got := newFilling(o).run(), fillTree(t, o)
		if !slices.Equal(got, want) {
			t.Fatalf("tenants %v of a cluster of %v, weights %v, got %v tasks, by progressive filling %v",
				o.tenants, o.capacity, o.weights, got, want)
		}
	})
}

// What one department's clients are, and how many, takes nothing from another:
// who joins the one leaves the other its part.
func TestDepartmentsAreInsulated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		demand := resources.Quantities{1, 1, 1}
		o := organisation{capacity: resources.Quantities{600, 600, 600}, weights: map[string]float64{
			"a": float64(rapid.IntRange(1, 4).Draw(t, "weight of a")), "b": float64(rapid.IntRange(1, 4).Draw(t, "weight of b")),
		}}
		for i := range rapid.IntRange(1, 6).Draw(t, "clients of a") {
			role := rapid.SampledFrom([]string{"a", "a/x", "a/x/deep", "a/y"}).Draw(t, "role")
			o.tenants = append(o.tenants, tenant{role, fmt.Sprintf("f%d", i), demand})
		}
		o.tenants = append(o.tenants, tenant{"b", "only", demand})
		tasks := fillTree(t, o)
		want := 600 * o.weights["b"] / (o.weights["a"] + o.weights["b"])
		if got := float64(tasks[len(tasks)-1]); got < want-1 || got > want+1 {
			t.Fatalf("%d clients under a leave b %v tasks of 600, not %v (weights %v)", len(tasks)-1, got, want, o.weights)
		}
	})
}
