package drf

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

// What the numbers of quantities stand for in these tests.
const (
	cpus = iota
	mem
	gpus
	disk
)

func amounts(cpus, mem resources.Milli) resources.Quantities {
	return resources.Quantities{cpus * 1000, mem * 1000}
}

// order names the active leaves as Ascend yields them.
func order(t *Tree) []string {
	var names []string
	for l := range t.Ascend() {
		names = append(names, l.Role()+":"+l.Client())
	}
	return names
}

func addActive(t *Tree, role, client string) *Leaf {
	l := t.Add(role, client)
	t.SetActive(l, true)
	return l
}

func wantOrder(t *testing.T, tree *Tree, want ...string) {
	t.Helper()
	if got := order(tree); !slices.Equal(got, want) {
		t.Errorf("order is %v, want %v", got, want)
	}
}

// The example of the paper's section 4.1, every row of its table 1: 9 CPUs and
// 18 GB, A wants <1 CPU, 4 GB> a task, B <3 CPU, 1 GB>. It ends with 3 tasks of A
// and 2 of B, and a dominant share of 2/3 each.
func TestPaperExample(t *testing.T) {
	tree := New()
	tree.AddTotal(amounts(9, 18))
	// Both begin with nothing, and the paper with B: its name comes first here.
	a, b := addActive(tree, "*", "user of memory"), addActive(tree, "*", "user of CPUs")
	demand := map[*Leaf]resources.Quantities{a: amounts(1, 4), b: amounts(3, 1)}
	got := map[*Leaf]resources.Quantities{a: amounts(0, 0), b: amounts(0, 0)}
	used, steps := amounts(0, 0), 0
	for _, row := range []struct {
		next *Leaf
		// In CPUs and GB, of A, B and all.
		ofA, ofB, all  resources.Quantities
		shareA, shareB float64
	}{
		{b, amounts(0, 0), amounts(3, 1), amounts(3, 1), 0, 3.0 / 9},
		{a, amounts(1, 4), amounts(3, 1), amounts(4, 5), 4.0 / 18, 3.0 / 9},
		{a, amounts(2, 8), amounts(3, 1), amounts(5, 9), 8.0 / 18, 3.0 / 9},
		{b, amounts(2, 8), amounts(6, 2), amounts(8, 10), 8.0 / 18, 6.0 / 9},
		{a, amounts(3, 12), amounts(6, 2), amounts(9, 14), 12.0 / 18, 6.0 / 9},
	} {
		steps++
		next := first(tree)
		if next != row.next {
			t.Fatalf("step %d: %s is next, want %s", steps, next.Client(), row.next.Client())
		}
		tree.Allocate(next, demand[next])
		sum := got[next]
		sum.Add(demand[next])
		got[next] = sum
		used.Add(demand[next])
		if !slices.Equal(got[a], row.ofA) || !slices.Equal(got[b], row.ofB) || !slices.Equal(used, row.all) {
			t.Fatalf("step %d: A has %v, B %v, all %v; want %v, %v, %v", steps, got[a], got[b], used, row.ofA, row.ofB, row.all)
		}
		if tree.Share(a) != row.shareA || tree.Share(b) != row.shareB {
			t.Fatalf("step %d: shares are %v and %v, want %v and %v", steps, tree.Share(a), tree.Share(b), row.shareA, row.shareB)
		}
	}
	if tree.Share(a) != 2.0/3 || tree.Share(b) != 2.0/3 {
		t.Errorf("in the end the shares are %v and %v", tree.Share(a), tree.Share(b))
	}
	left := amounts(9, 18)
	left.Sub(used)
	if left.Contains(demand[a]) || left.Contains(demand[b]) {
		t.Errorf("a task still fits into %v", left)
	}
}

// The same from the start by the order of names: other steps, the same end.
func TestPaperExampleFromTheOtherEnd(t *testing.T) {
	users := []user{{weight: 1, demand: amounts(1, 4)}, {weight: 1, demand: amounts(3, 1)}}
	if tasks := fill(amounts(9, 18), users); !slices.Equal(tasks, []int64{3, 2}) {
		t.Errorf("A runs %d tasks and B %d, want 3 and 2", tasks[0], tasks[1])
	}
}

// first is the first leaf in order.
func first(tree *Tree) *Leaf {
	for l := range tree.Ascend() {
		return l
	}
	return nil
}

func TestEqualSharesGoByCountThenName(t *testing.T) {
	tree := New()
	tree.AddTotal(amounts(10, 10))
	b, a := addActive(tree, "*", "b"), addActive(tree, "*", "a")
	wantOrder(t, tree, "*:a", "*:b")
	tree.Allocate(a, amounts(1, 1))
	tree.Release(a, amounts(1, 1))
	wantOrder(t, tree, "*:b", "*:a")
	tree.Allocate(b, amounts(1, 1))
	tree.Release(b, amounts(1, 1))
	wantOrder(t, tree, "*:a", "*:b")
}

func TestWeightsDivideShares(t *testing.T) {
	tree := New()
	tree.AddTotal(amounts(100, 100))
	small, large := addActive(tree, "small", "f"), addActive(tree, "large", "g")
	tree.Allocate(small, amounts(10, 0))
	tree.Allocate(large, amounts(25, 0))
	wantOrder(t, tree, "small:f", "large:g")
	if err := tree.SetWeight("large", 3); err != nil {
		t.Fatal(err)
	}
	wantOrder(t, tree, "large:g", "small:f")
	if got, want := tree.RoleShare("large"), 0.25/3; got != want {
		t.Errorf("share of large is %v, want %v", got, want)
	}
}

func TestWeightIsKeptForRolesToCome(t *testing.T) {
	tree := New()
	tree.AddTotal(amounts(100, 100))
	if err := tree.SetWeight("later", 2); err != nil {
		t.Fatal(err)
	}
	l := addActive(tree, "later", "f")
	tree.Allocate(l, amounts(10, 10))
	if got := tree.RoleShare("later"); got != 0.05 {
		t.Errorf("share is %v, want 0.05", got)
	}
}

func TestBadWeightsAreRefused(t *testing.T) {
	for _, w := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if err := New().SetWeight("r", w); err == nil {
			t.Errorf("weight %v was taken", w)
		}
	}
}

func TestExcludedAndUnknownResourcesCountForNothing(t *testing.T) {
	tree := New(gpus)
	tree.AddTotal(resources.Quantities{cpus: 8000, gpus: 2000})
	l := addActive(tree, "*", "f")
	tree.Allocate(l, resources.Quantities{cpus: 2000, gpus: 2000, disk: 5000})
	if got := tree.Share(l); got != 0.25 {
		t.Errorf("share is %v, want 0.25", got)
	}
}

func TestHierarchy(t *testing.T) {
	tree := New()
	tree.AddTotal(amounts(100, 100))
	dev, ops := addActive(tree, "eng/dev", "d"), addActive(tree, "eng/ops", "o")
	eng, sales := addActive(tree, "eng", "e"), addActive(tree, "sales", "s")
	tree.Allocate(dev, amounts(10, 0))
	tree.Allocate(sales, amounts(15, 0))
	wantOrder(t, tree, "eng:e", "eng/ops:o", "eng/dev:d", "sales:s")
	tree.Allocate(ops, amounts(0, 20)) // eng as a whole: 10 % of cpus, 20 % of mem
	wantOrder(t, tree, "sales:s", "eng:e", "eng/dev:d", "eng/ops:o")
	tree.Allocate(eng, amounts(15, 0))
	wantOrder(t, tree, "sales:s", "eng/dev:d", "eng:e", "eng/ops:o")
}

func TestInactiveLeavesAreSkippedButCount(t *testing.T) {
	tree := New()
	tree.AddTotal(amounts(100, 100))
	idle, busy := addActive(tree, "a", "idle"), addActive(tree, "a", "busy")
	addActive(tree, "b", "other")
	tree.Allocate(idle, amounts(50, 50))
	tree.SetActive(idle, false)
	wantOrder(t, tree, "b:other", "a:busy")
	if tree.RoleShare("a") != 0.5 {
		t.Errorf("share of a is %v, want 0.5", tree.RoleShare("a"))
	}
	tree.SetActive(busy, false)
	wantOrder(t, tree, "b:other")
	tree.SetActive(idle, true)
	wantOrder(t, tree, "b:other", "a:idle")
}

func TestRemoveTakesEmptyRolesAway(t *testing.T) {
	tree := New()
	tree.AddTotal(amounts(100, 100))
	deep := addActive(tree, "a/b/c", "f")
	side := addActive(tree, "a", "g")
	tree.Allocate(deep, amounts(10, 10))
	tree.Remove(deep)
	if len(tree.nodes) != 3 { // the root, a, and a's group
		t.Errorf("%d nodes are left, want 3", len(tree.nodes))
	}
	if got := tree.RoleShare("a"); got != 0 {
		t.Errorf("share of a is %v, want 0", got)
	}
	tree.Remove(side)
	if len(tree.nodes) != 1 {
		t.Errorf("%d nodes are left, want 1", len(tree.nodes))
	}
}

// model is the tree as one would first write it: everything is computed from
// the list of leaves whenever it is asked for.
type model struct {
	leaves  []*Leaf
	held    map[*Leaf]*resources.Quantities
	count   map[*Leaf]int
	total   resources.Quantities
	weights map[string]float64
	active  map[*Leaf]bool
}

// under lists the leaves of the subtree at a path of roles, groups and
// clients.
func (m *model) under(path string) (in []*Leaf) {
	for _, l := range m.leaves {
		full := l.Role() + "/./" + l.Client()
		if full == path || len(full) > len(path) && full[:len(path)+1] == path+"/" {
			in = append(in, l)
		}
	}
	return in
}

func (m *model) key(path string) (share float64, count int) {
	var sum resources.Quantities
	for _, l := range m.under(path) {
		count += m.count[l]
		sum.Add(*m.held[l])
	}
	for number, amount := range sum {
		if m.total.Of(number) > 0 {
			share = max(share, float64(amount)/float64(m.total[number]))
		}
	}
	if w, ok := m.weights[path]; ok {
		share /= w
	}
	return share, count
}

func (m *model) order(prefix string) []string {
	seen := make(map[string]bool)
	var paths []string
	for _, l := range m.leaves {
		full := l.Role() + "/./" + l.Client()
		if !m.active[l] || len(full) <= len(prefix) || full[:len(prefix)] != prefix {
			continue
		}
		end := len(prefix)
		for end < len(full) && full[end] != '/' {
			end++
		}
		if path := full[:end]; !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		sa, ca := m.key(a)
		sb, cb := m.key(b)
		return (&key{share: sa, count: uint64(ca), name: a}).compare(&key{share: sb, count: uint64(cb), name: b})
	})
	var out []string
	for _, path := range paths {
		if below := m.order(path + "/"); len(below) > 0 {
			out = append(out, below...)
			continue
		}
		out = append(out, m.leafName(path))
	}
	return out
}

func (m *model) leafName(path string) string {
	l := m.under(path)[0]
	return l.Role() + ":" + l.Client()
}

func (m *model) add(l *Leaf) {
	m.leaves = append(m.leaves, l)
	m.held[l] = new(resources.Quantities)
}

func TestIncrementalOrderMatchesTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := New()
		m := &model{
			held: map[*Leaf]*resources.Quantities{}, count: map[*Leaf]int{},
			weights: map[string]float64{}, active: map[*Leaf]bool{},
		}
		roles := []string{"a", "b", "a/x", "a/x/y", "a/z", "*"}
		clients := 0
		draw := func(limit resources.Quantities) (q resources.Quantities) {
			number := rapid.IntRange(cpus, disk).Draw(t, "number")
			q.Set(number, resources.Milli(rapid.Int64Range(0, int64(limit.Of(number))).Draw(t, "amount")))
			return q
		}
		some := resources.Quantities{50, 50, 50, 50}
		add := func() {
			clients++
			l := addActive(tree, rapid.SampledFrom(roles).Draw(t, "role"), fmt.Sprint("f", clients))
			m.add(l)
			m.active[l] = true
		}
		pick := func() *Leaf {
			if len(m.leaves) == 0 {
				add()
			}
			return rapid.SampledFrom(m.leaves).Draw(t, "leaf")
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(*rapid.T) { add() },
			"remove": func(*rapid.T) {
				l := pick()
				tree.Remove(l)
				m.leaves = slices.DeleteFunc(m.leaves, func(x *Leaf) bool { return x == l })
			},
			"activity": func(t *rapid.T) {
				l := pick()
				m.active[l] = rapid.Bool().Draw(t, "active")
				tree.SetActive(l, m.active[l])
			},
			"weight": func(t *rapid.T) {
				role := rapid.SampledFrom(roles).Draw(t, "role")
				m.weights[role] = rapid.Float64Range(0.1, 10).Draw(t, "weight")
				if err := tree.SetWeight(role, m.weights[role]); err != nil {
					t.Fatal(err)
				}
			},
			"total": func(*rapid.T) {
				q := draw(some)
				tree.AddTotal(q)
				m.total.Add(q)
			},
			"allocate": func(*rapid.T) {
				l, q := pick(), draw(some)
				tree.Allocate(l, q)
				m.held[l].Add(q)
				m.count[l]++
			},
			"release": func(*rapid.T) {
				l := pick()
				q := draw(*m.held[l])
				tree.Release(l, q)
				m.held[l].Sub(q)
			},
			"": func(t *rapid.T) {
				if got, want := order(tree), m.order(""); !slices.Equal(got, want) {
					t.Fatalf("order is %v, want %v", got, want)
				}
			},
		})
	})
}
