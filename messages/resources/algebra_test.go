package resources

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

func TestAddIsCommutativeAndAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := draw(t, "a"), draw(t, "b"), draw(t, "c")
		if !a.Add(b).Equal(b.Add(a)) {
			t.Fatalf("%s and %s add up to %s one way, %s the other", a, b, a.Add(b), b.Add(a))
		}
		if !a.Add(b).Add(c).Equal(a.Add(b.Add(c))) {
			t.Fatalf("%s, %s, %s: the order of adding counts", a, b, c)
		}
		if none := (Resources{}); !a.Add(none).Equal(a) || !none.Add(a).Equal(a) {
			t.Fatalf("adding nothing changes %s", a)
		}
	})
}

func TestSumContainsItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		sum := a.Add(b)
		if !sum.Contains(a) || !sum.Contains(b) || !sum.Contains(Resources{}) {
			t.Fatalf("%s does not contain %s and %s", sum, a, b)
		}
	})
}

func TestSubtractUndoesAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		b = b.Filter(func(e Entry) bool { // ranges and sets unite, so they must be apart
			return !a.Ranges(e.Name()).overlaps(e.Ranges()) && len(a.Set(e.Name())) == 0 || indivisible(e.form)
		})
		back, err := a.Add(b).Subtract(b)
		if err != nil || !back.Equal(a) {
			t.Fatalf("(%s) + (%s) - the latter = %s, %v", a, b, back, err)
		}
	})
}

func (rs Ranges) overlaps(o Ranges) bool { return !rs.Minus(o).Equal(rs) }

func TestWithoutSplitsInTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		rest := a.Without(b)
		taken := a.Without(rest)
		if !a.Contains(rest) || !b.Contains(taken) || !rest.Add(taken).Equal(a) {
			t.Fatalf("%s without %s: rest %s, taken %s", a, b, rest, taken)
		}
		if !a.Without(a).IsEmpty() {
			t.Fatalf("%s without itself is not empty", a)
		}
	})
}

func TestSubtractFailsUnlessContained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		rest, err := a.Subtract(b)
		if (err == nil) != a.Contains(b) {
			t.Fatalf("%s minus %s: %v, contains: %v", a, b, err, a.Contains(b))
		}
		if err != nil && !rest.Equal(a) {
			t.Fatalf("a failed subtraction changed %s to %s", a, rest)
		}
	})
}

func TestContainsBothWaysIsEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		if both := a.Contains(b) && b.Contains(a); both != a.Equal(b) {
			t.Fatalf("%s and %s: each contains the other: %v, equal: %v", a, b, both, a.Equal(b))
		}
	})
}

func TestProtoRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := draw(t, "a")
		back, err := New(a.Proto()...)
		if err != nil || !back.Equal(a) {
			t.Fatalf("%s came back as %s, %v", a, back, err)
		}
	})
}

func TestOperandsStayAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		before := clone(a.Proto())
		beforeB := clone(b.Proto())
		a.Add(b)
		a.Without(b)
		a.Allocate("x")
		a.Take(b)
		for i, m := range append(a.Proto(), b.Proto()...) {
			if !proto.Equal(m, append(before, beforeB...)[i]) {
				t.Fatalf("%v became %v", append(before, beforeB...)[i], m)
			}
		}
	})
}

func clone(list []*mesos.Resource) []*mesos.Resource {
	var copies []*mesos.Resource
	for _, m := range list {
		copies = append(copies, proto.CloneOf(m))
	}
	return copies
}

func TestAllocateAndUnallocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := draw(t, "a").Unallocate()
		given := a.Allocate("eng")
		for e := range given.All() {
			if e.AllocatedTo() != "eng" {
				t.Fatalf("%s is given to %q", e, e.AllocatedTo())
			}
		}
		if !given.Unallocate().Equal(a) {
			t.Fatalf("%s came back as %s", a, given.Unallocate())
		}
		if !a.IsEmpty() && a.Contains(given) {
			t.Fatalf("%s contains the given %s", a, given)
		}
	})
}

func TestTakeKeepsTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := draw(t, "a")
		want := MustParse("cpus:" + Milli(rapid.Int64Range(0, 50_000).Draw(t, "cpus")).String())
		taken, rest, ok := a.Take(want)
		if !taken.Add(rest).Equal(a) {
			t.Fatalf("%s fell apart into %s and %s", a, taken, rest)
		}
		if ok && taken.Scalar(CPUs) != want.Scalar(CPUs) {
			t.Fatalf("took %s for %s", taken, want)
		}
		if firm := a.Filter(func(e Entry) bool { return !e.Revocable() }); ok != (firm.Scalar(CPUs) >= want.Scalar(CPUs)) {
			t.Fatalf("%s from %s: %v", want, a, ok)
		}
	})
}

// TestIdentityAgainstTheDefinition compares keys with a comparison field by
// field.
func TestIdentityAgainstTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyMessage().Draw(t, "a"), anyMessage().Draw(t, "b")
		same := proto.Equal(defining(a), defining(b))
		if got := entryOf(a, valueOf(a)).key == entryOf(b, valueOf(b)).key; got != same {
			t.Fatalf("%v and %v: keys equal: %v", a, b, got)
		}
	})
}

// defining returns what of r counts for its identity.
func defining(r *mesos.Resource) *mesos.Resource {
	d := proto.CloneOf(r)
	if !indivisible(r) {
		d.Scalar, d.Ranges, d.Set = nil, nil, nil
	}
	for _, reservation := range d.Reservations {
		sortLabels(reservation.Labels)
	}
	sortLabels(d.GetDisk().GetSource().GetMetadata())
	return d
}

// sortLabels sorts by key, then by value, one that is absent first.
func sortLabels(labels *mesos.Labels) {
	slices.SortFunc(labels.GetLabels(), func(a, b *mesos.Label) int {
		return strings.Compare(a.String(), b.String())
	})
}

func TestTheOrderOfLabelsIsNoMatter(t *testing.T) {
	label := func(key string, value *string) *mesos.Label { return &mesos.Label{Key: &key, Value: value} }
	a, b := reserved(reservation(dynamic, "r")), reserved(reservation(dynamic, "r"))
	a.Reservations[0].Labels = &mesos.Labels{Labels: []*mesos.Label{label("k", nil), label("k", ptr("")), label("a", ptr("z"))}}
	b.Reservations[0].Labels = &mesos.Labels{Labels: []*mesos.Label{label("a", ptr("z")), label("k", ptr("")), label("k", nil)}}
	sum, err := New(a, b)
	if err != nil || sum.String() != "cpus(reservations: [(DYNAMIC,r,{k, k: , a: z})]):2" {
		t.Errorf("got %s, %v", sum, err)
	}
}

// TestUnknownFieldsTellResourcesApart shows that a field of a later version is
// kept, and not merged with what lacks it.
func TestUnknownFieldsTellResourcesApart(t *testing.T) {
	later := cpus(1)
	later.ProtoReflect().SetUnknown([]byte{0xf2, 0x87, 0x18, 1, 'x'})
	r, err := New(later, cpus(2), later)
	if err != nil || r.Len() != 2 || r.Scalar(CPUs) != 4000 {
		t.Fatalf("got %s, %v", r, err)
	}
	back, err := New(r.Allocate("web").Unallocate().Proto()...)
	if err != nil || !back.Equal(r) {
		t.Errorf("%s came back as %s, %v", r, back, err)
	}
}
