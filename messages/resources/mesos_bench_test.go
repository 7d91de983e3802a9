package resources

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"troupe/messages/mesos"
)

// The benchmarks here do the work of those that Mesos has of its resources, by
// the same names and parameters.

// arithmetic are what Mesos adds up: scalars, a thousand labelled reservations
// of them, and scalars with a shared volume.
func arithmetic(b *testing.B) map[string]Resources {
	scalars := MustParse("cpus:1;gpus:1;mem:128;disk:256")
	var reservations Resources
	for i := range 1000 {
		labels := &mesos.Labels{Labels: []*mesos.Label{{Key: ptr(fmt.Sprint("key_", i)), Value: ptr(fmt.Sprint("value_", i))}}}
		reservations = reservations.Add(scalars.Convert(func(m *mesos.Resource) {
			m.Reservations = []*mesos.Resource_ReservationInfo{{
				Type: dynamic.Enum(), Role: ptr(fmt.Sprint(i)), Principal: ptr(fmt.Sprint("principal_", i)), Labels: labels,
			}}
		}))
	}
	volume := MustParse("disk(role):256").Convert(func(m *mesos.Resource) {
		m.Disk = &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: ptr("id")}}
		m.Shared = &mesos.Resource_SharedInfo{}
	})
	if volume.Len() != 1 || reservations.Len() != 4000 {
		b.Fatalf("%d and %d entries", volume.Len(), reservations.Len())
	}
	return map[string]Resources{"scalars": scalars, "1000reservations": reservations, "shared": scalars.Add(volume)}
}

func BenchmarkArithmetic(b *testing.B) {
	all := arithmetic(b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r := all[name]
		b.Run("add/"+name, func(b *testing.B) {
			b.ReportAllocs()
			var total Resources
			for b.Loop() {
				total = total.Add(r)
			}
		})
		b.Run("subtract/"+name, func(b *testing.B) {
			b.ReportAllocs()
			total := r.Add(r)
			for b.Loop() {
				if !total.Without(r).Contains(r) {
					b.Fatal("nothing is left")
				}
			}
		})
	}
}

func BenchmarkContainsAsMesos(b *testing.B) {
	few, more := MustParse("cpus:1;mem:128"), MustParse("cpus:1;gpus:1;mem:128;disk:256")
	var odd []string
	for port := 1; port <= 32000; port += 2 {
		odd = append(odd, fmt.Sprintf("%d-%d", port, port))
	}
	whole, fragments := MustParse("ports:[1-32000]"), MustParse("ports:["+strings.Join(odd, ",")+"]")
	for _, c := range []struct {
		name      string
		all, part Resources
		want      bool
	}{
		{"scalars", more, few, true},
		{"scalars-not", few, more, false},
		{"scalars-same", few, few, true},
		{"16000ranges", whole, fragments, true},
		{"16000ranges-not", fragments, whole, false},
		{"16000ranges-same", fragments, fragments, true},
		{"mixed", whole.Add(more), fragments.Add(few), true},
		{"mixed-not", fragments.Add(few), whole.Add(more), false},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.all.Contains(c.part) != c.want {
					b.Fatal("it is not so")
				}
			}
		})
	}
}

func BenchmarkFilter(b *testing.B) {
	all := MustParse("cpus:1;gpus:1;mem:128;disk:256")
	reserved := MustParse("cpus(role):1;gpus(role):1;mem(role):128;disk(role):256")
	for _, c := range []struct {
		name string
		of   Resources
		keep func(Entry) bool
	}{
		{"nonRevocable", all, func(e Entry) bool { return !e.Revocable() }},
		{"unreserved", all, func(e Entry) bool { return len(e.Reservations()) == 0 }},
		{"reserved", reserved, func(e Entry) bool { return e.Role() == "role" }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.of.Filter(c.keep).Len() != 4 {
					b.Fatal("not all")
				}
			}
		})
	}
}

// BenchmarkParse100 reads a hundred resources, as Mesos does 1,000 to 50,000
// times.
func BenchmarkParse100(b *testing.B) {
	items := make([]string, 100)
	for i := range items {
		items[i] = fmt.Sprintf("res%d:%d", i, i)
	}
	text := strings.Join(items, ";")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text, "*"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRanges adds and subtracts ranges that partly overlap, each with
// many of the other's.
func BenchmarkRanges(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		var first, second []Range
		for i := range uint64(n) {
			first = append(first, Range{1 + 10*i, 6 + 10*i})
			second = append(second, Range{3 + 10*i, 8 + 10*i})
		}
		x, y := RangesOf(first...), RangesOf(second...)
		b.Run(fmt.Sprint("add/", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(x.Plus(y)) != n {
					b.Fatal("not united")
				}
			}
		})
		b.Run(fmt.Sprint("subtract/", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(x.Minus(y)) != n {
					b.Fatal("not apart")
				}
			}
		})
	}
}
