package ports

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

func TestPick(t *testing.T) {
	offer := resources.MustParse("cpus:2;ports:[100-102,200-201];ports(web):[300-300]")
	for _, c := range []struct {
		want            []uint64
		start           uint64
		numbers, taken  string
		left, otherwise string
	}{
		{want: nil, start: 7, numbers: "[]", left: "[100-102, 200-201, 300-300]"},
		{want: Dynamic(2), numbers: "[100 101]", taken: "ports:[100-101]", left: "[102-102, 200-201, 300-300]"},
		{want: Dynamic(2), start: 2, numbers: "[102 200]", taken: "ports:[102-102, 200-200]", left: "[100-101, 201-201, 300-300]"},
		{want: Dynamic(3), start: 5, numbers: "[300 100 101]", taken: "ports:[100-101]; ports(web):[300-300]", left: "[102-102, 200-201]"},
		{want: Dynamic(1), start: math.MaxUint64, numbers: "[200]", taken: "ports:[200-200]", left: "[100-102, 201-201, 300-300]"},
		{want: []uint64{300, 200}, start: 1, numbers: "[300 200]", taken: "ports:[200-200]; ports(web):[300-300]", left: "[100-102, 201-201]"},
		{want: []uint64{Any, 101, Any}, start: 1, numbers: "[102 101 200]", taken: "ports:[101-102, 200-200]", left: "[100-100, 201-201, 300-300]"},
		{want: Dynamic(6), start: 4, numbers: "[201 300 100 101 102 200]", taken: "ports:[100-102, 200-201]; ports(web):[300-300]", left: ""},
		{want: Dynamic(7), otherwise: "7 ports are wanted, 6 are offered"},
		{want: []uint64{100, 80, Any, 443}, otherwise: "ports [80 443] are not offered"},
		{want: []uint64{100, 100}, otherwise: "ports [100] are not offered"},
	} {
		got, err := Pick(offer, c.want, c.start)
		if c.otherwise != "" {
			var short *Shortage
			if err == nil || err.Error() != c.otherwise || !errors.As(err, &short) || short.Free != 6 || short.Wanted != len(c.want) {
				t.Errorf("%v: error %v, want %q", c.want, err, c.otherwise)
			}
			continue
		}
		left := got.Rest.Ranges(resources.Ports)
		if err != nil || fmt.Sprint(got.Numbers) != c.numbers || got.Resources.String() != c.taken || len(left) > 0 && left.String() != c.left ||
			!got.Rest.Add(got.Resources).Equal(offer) {
			t.Errorf("%v from %d: %v as %q, left %s, %v; want %s as %q, left %s", c.want, c.start, got.Numbers, got.Resources, left, err, c.numbers, c.taken, c.left)
		}
	}
}

// Nobody listens on port 0, what is revocable is not safe to listen on, and a
// range may be as large as a message can say.
func TestWhatIsNoPort(t *testing.T) {
	for text, want := range map[string]uint64{
		"ports:[0-2]":                    2,
		"ports:[0-0]":                    0,
		"ports:[0-18446744073709551615]": math.MaxUint64,
		"cpus:1":                         0,
		`[{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":9}]},"revocable":{}}]`: 0,
	} {
		offer, err := resources.Parse(text, "*")
		if err != nil {
			t.Fatal(err)
		}
		var short *Shortage
		if _, err := Pick(offer, []uint64{Any, 7, 7}, 1); !errors.As(err, &short) || short.Free != want {
			t.Errorf("%s: %v", text, err)
		}
		picked, err := Pick(offer, Dynamic(1), math.MaxUint64)
		if (err == nil) != (want > 0) || err == nil && picked.Numbers[0] == 0 {
			t.Errorf("%s: %v, %v", text, picked.Numbers, err)
		}
	}
	if got := Dynamic(-1); len(got) != 0 {
		t.Error(got)
	}
}

// What is picked was offered, each port once, named ones in their places, and
// together with the rest it is what was offered. It fails only for a reason.
func TestWhatIsPickedWasOffered(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		mine := rapid.SliceOfDistinct(rapid.Uint64Range(1, 40), rapid.ID).Draw(rt, "ports")
		var offer resources.Resources
		for _, p := range mine {
			role := rapid.SampledFrom([]string{"*", "web", "db"}).Draw(rt, "role")
			one, err := resources.Parse(fmt.Sprintf("ports:[%d-%d]", p, p), role)
			if err != nil {
				rt.Fatal(err)
			}
			offer = offer.Add(one)
		}
		want := rapid.SliceOfN(rapid.OneOf(rapid.Just(uint64(Any)), rapid.Uint64Range(1, 40)), 0, 10).Draw(rt, "want")
		got, err := Pick(offer, want, rapid.Uint64().Draw(rt, "start"))
		if err != nil {
			if possible(mine, want) {
				rt.Fatalf("%v of %v: %v", want, mine, err)
			}
			return
		}
		if len(got.Numbers) != len(want) || got.Resources.Ranges(resources.Ports).Count() != uint64(len(want)) ||
			!got.Rest.Add(got.Resources).Equal(offer) || !offer.Contains(got.Resources) {
			rt.Fatalf("%v of %v: %v as %s, left %s", want, mine, got.Numbers, got.Resources, got.Rest)
		}
		for i, n := range got.Numbers {
			if !got.Resources.Ranges(resources.Ports).Has(n) || want[i] != Any && want[i] != n {
				rt.Fatalf("%v: %v as %s", want, got.Numbers, got.Resources)
			}
		}
	})
}

// possible is the slow answer to whether the ports can be had.
func possible(offered, want []uint64) bool {
	seen := map[uint64]bool{}
	for _, n := range want {
		if n != Any && (seen[n] || !slices.Contains(offered, n)) {
			return false
		}
		seen[n] = true
	}
	return len(want) <= len(offered)
}

func BenchmarkPick(b *testing.B) {
	offer := resources.MustParse("cpus:8;mem:1024;ports:[31000-31010,31020-32000]")
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		if _, err := Pick(offer, Dynamic(2), i); err != nil {
			b.Fatal(err)
		}
	}
}
