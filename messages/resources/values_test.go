package resources

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// members lists the numbers of rs below 80, one by one.
func members(rs Ranges) map[uint64]bool {
	all := map[uint64]bool{}
	for _, r := range rs {
		for n := r.Begin; n <= r.End; n++ {
			all[n] = true
		}
	}
	return all
}

// TestRangesAgainstASetOfNumbers compares every operation with one on maps.
func TestRangesAgainstASetOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyRanges().Draw(t, "a"), anyRanges().Draw(t, "b")
		inA, inB := members(a), members(b)
		plus, minus, contains := a.Plus(b), a.Minus(b), true
		for n := range uint64(80) {
			if plus.Has(n) != (inA[n] || inB[n]) || minus.Has(n) != (inA[n] && !inB[n]) || a.Has(n) != inA[n] {
				t.Fatalf("%s and %s at %d: plus %s, minus %s", a, b, n, plus, minus)
			}
			contains = contains && (inA[n] || !inB[n])
		}
		if a.Contains(b) != contains || a.Count() != uint64(len(inA)) {
			t.Fatalf("%s contains %s: %v; count %d", a, b, a.Contains(b), a.Count())
		}
		for _, rs := range []Ranges{plus, minus} {
			if !rs.Equal(RangesOf(rs...)) {
				t.Fatalf("%v is not coalesced", rs)
			}
		}
	})
}

func TestRangesAtTheEdge(t *testing.T) {
	all := RangesOf(Range{0, math.MaxUint64})
	if all.Count() != math.MaxUint64 || !all.Has(math.MaxUint64) || !all.Minus(all).Equal(nil) {
		t.Errorf("all numbers: count %d", all.Count())
	}
	top := RangesOf(Range{math.MaxUint64, math.MaxUint64}, Range{math.MaxUint64 - 1, math.MaxUint64 - 1}, Range{5, 4})
	if top.String() != "[18446744073709551614-18446744073709551615]" {
		t.Errorf("got %s", top)
	}
	if got := all.Minus(top).Plus(top); !got.Equal(all) {
		t.Errorf("got %s", got)
	}
	if got := RangesOf(Range{1, math.MaxUint64}, Range{0, 0}).Plus(RangesOf(Range{7, 9})); !got.Equal(all) {
		t.Errorf("got %s", got)
	}
}

func TestSetOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anySet().Draw(t, "a"), anySet().Draw(t, "b")
		contains := true
		for _, item := range []string{"a", "b", "c", "d"} {
			inA, inB := slices.Contains(a, item), slices.Contains(b, item)
			if a.Plus(b).Has(item) != (inA || inB) || a.Minus(b).Has(item) != (inA && !inB) {
				t.Fatalf("%s and %s: plus %s, minus %s", a, b, a.Plus(b), a.Minus(b))
			}
			contains = contains && (inA || !inB)
		}
		if a.Contains(b) != contains {
			t.Fatalf("%s contains %s: %v", a, b, a.Contains(b))
		}
	})
}

func TestQuantitiesFollowResources(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x Index
		a, b := draw(t, "a"), draw(t, "b")
		qa, qb := x.Quantities(a), x.Quantities(b)
		sum := qa.Clone()
		sum.Add(qb)
		for n := range x.Len() {
			if qa.Of(n) != a.Scalar(x.Name(n)) {
				t.Fatalf("%s has %s of %s", a, qa.Of(n), x.Name(n))
			}
		}
		if !sum.Contains(qa) || !sum.Contains(qb) {
			t.Fatalf("%s does not contain %s and %s", x.String(sum), x.String(qa), x.String(qb))
		}
		sum.Sub(qb)
		if !sum.Equal(qa) {
			t.Fatalf("%s after adding and taking %s is %s", x.String(qa), x.String(qb), x.String(sum))
		}
		if rest := x.Quantities(a.Without(a)); !rest.IsZero() {
			t.Fatalf("nothing is %s", x.String(rest))
		}
	})
}

func TestQuantities(t *testing.T) {
	var x Index
	q := x.Quantities(MustParse("cpus:2;mem:10"))
	var p Quantities
	p.Set(x.Number(GPUs), 1000)
	if q.Contains(p) || p.Contains(q) || q.Equal(p) {
		t.Error("different things compare")
	}
	q.Sub(p)
	if q.Contains(nil) || x.String(q) != "cpus:2; mem:10; gpus:-1" {
		t.Errorf("got %s", x.String(q))
	}
	q.SubFloor(x.Quantities(MustParse("cpus:5;mem:4")))
	if x.String(q) != "mem:6" {
		t.Errorf("got %s", x.String(q))
	}
	var copied Quantities
	copied.CopyFrom(q)
	if !slices.Equal(copied, q) {
		t.Errorf("copied %v of %v", copied, q)
	}
}

func TestQuantityLoopsAllocateNothing(t *testing.T) {
	var x Index
	a, b := x.Quantities(MustParse("cpus:2;mem:10;disk:5")), x.Quantities(MustParse("cpus:1;mem:1"))
	if n := testing.AllocsPerRun(100, func() {
		a.Add(b)
		a.Sub(b)
		a.SubFloor(b)
		if a.Contains(b) && a.IsZero() {
			t.Error("impossible")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
