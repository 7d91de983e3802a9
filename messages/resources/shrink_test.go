package resources

import (
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

func TestShrink(t *testing.T) {
	have := MustParse("cpus:4;mem:1024;gpus:1;ports:[1-9]")
	got := have.Shrink(func(e Entry) Milli {
		return map[string]Milli{CPUs: 1500, Mem: 2_000_000}[e.Name()]
	})
	if want := MustParse("cpus:1.5;mem:1024;ports:[1-9]"); !got.Equal(want) {
		t.Errorf("shrunk to %s, want %s", got, want)
	}
}

func TestWhatCannotBeDividedIsKeptWhole(t *testing.T) {
	disk := MustParse("disk:100").Proto()[0]
	disk.Disk = &mesos.Resource_DiskInfo{Source: &mesos.Resource_DiskInfo_Source{
		Type:  mesos.Resource_DiskInfo_Source_MOUNT.Enum(),
		Mount: &mesos.Resource_DiskInfo_Source_Mount{Root: ptr("/a")},
	}}
	have, err := New(disk)
	if err != nil {
		t.Fatal(err)
	}
	for allowed, want := range map[Milli]bool{99_999: false, 100_000: true} {
		if got := have.Shrink(func(Entry) Milli { return allowed }); got.IsEmpty() == want {
			t.Errorf("with %s allowed, %s is left of a whole disk of 100", allowed, got)
		}
	}
}

func TestShrinkIsContainedAndKeepsWhatItMay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, allowed := draw(t, "r"), Milli(rapid.Int64Range(-1, 100_000).Draw(t, "allowed"))
		got := r.Shrink(func(Entry) Milli { return allowed })
		if !r.Contains(got) {
			t.Fatalf("%s does not contain %s", r, got)
		}
		for e := range got.All() {
			if e.Kind() == mesos.Value_SCALAR && e.Total() > allowed {
				t.Fatalf("%s is more than %s", e, allowed)
			}
		}
		if !r.Shrink(func(e Entry) Milli { return e.Total() }).Equal(r) {
			t.Fatalf("%s loses something when all may stay", r)
		}
	})
}

func TestHashIsThatOfEquals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		if x, y := a.Add(b), b.Add(a); x.Equal(y) && x.Hash() != y.Hash() {
			t.Fatalf("%s and %s are equal, their hashes are not", x, y)
		}
		if c := MustParse("cpus:12345"); a.Hash() == a.Add(c).Hash() {
			t.Fatalf("%s with and without %s have one hash", a, c)
		}
	})
}
