package resources

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

func drawSeveral(t *rapid.T) []Resources {
	several := make([]Resources, rapid.IntRange(0, 5).Draw(t, "how many"))
	for i := range several {
		several[i] = draw(t, "one of them")
	}
	return several
}

// TestSeveralAtOnce: adding and taking off several is the same as one after
// the other, and nothing that went in is changed by it.
func TestSeveralAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, several := draw(t, "a"), drawSeveral(t)
		before := a.String()
		var texts []string
		for _, r := range several {
			texts = append(texts, r.String())
		}
		sum, rest := a, a
		for _, r := range several {
			sum, rest = sum.Add(r), rest.Without(r)
		}
		if got := a.Add(several...); !got.Equal(sum) {
			t.Fatalf("%s and %s: %s at once, %s one by one", a, several, got, sum)
		}
		if got := a.Without(several...); !got.Equal(rest) {
			t.Fatalf("%s without %s: %s at once, %s one by one", a, several, got, rest)
		}
		if a.String() != before {
			t.Fatalf("%s became %s", before, a)
		}
		for i, r := range several {
			if r.String() != texts[i] {
				t.Fatalf("%s became %s", texts[i], r)
			}
		}
	})
}

// TestProtoForIsAllocateAndProto: the short way comes to the same messages.
func TestProtoForIsAllocateAndProto(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, role := draw(t, "r").Unallocate(), anyRole().Draw(t, "role")
		long, short := r.Allocate(role).Proto(), r.ProtoFor(role)
		if len(long) != len(short) {
			t.Fatalf("%s: %d and %d messages", r, len(long), len(short))
		}
		for i := range long {
			if !proto.Equal(long[i], short[i]) {
				t.Fatalf("%s: %v and %v", r, long[i], short[i])
			}
		}
		for _, m := range r.Proto() {
			if m.AllocationInfo != nil {
				t.Fatalf("%s was changed: %v", r, m)
			}
		}
	})
}

// TestCommonResourcesShareTheirKeys: what stands in every offer costs no memory
// for its key.
func TestCommonResourcesShareTheirKeys(t *testing.T) {
	for _, role := range []string{"", "*"} {
		list := MustParse("cpus:1;mem:2;disk:3;gpus:4;ports:[1-2]").Allocate(role).Proto()
		for _, m := range list {
			v := valueOf(m)
			if n := testing.AllocsPerRun(100, func() { entryOf(m, v) }); n > 0 {
				t.Errorf("%s of role %q: %v allocations", m.GetName(), role, n)
			}
		}
	}
	other := &mesos.Resource{Name: ptr("cpus"), AllocationInfo: &mesos.Resource_AllocationInfo{Role: ptr("eng")}}
	if entryOf(other, value{}).key == entryOf(&mesos.Resource{Name: ptr("cpus")}, value{}).key {
		t.Error("resources of two roles have one key")
	}
}

// TestNewKeepsNoSecondCopy: a message that is in today's form already is not
// copied, and of what most have no message is kept at all.
func TestNewKeepsNoSecondCopy(t *testing.T) {
	list := MustParse("cpus(eng):1;mem(eng):2;disk:3").Proto()
	r, err := New(list...)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		found := false
		for _, e := range r.entries {
			found = found || e.form == m
		}
		if kept := len(m.Reservations) > 0; found != kept {
			t.Errorf("%s was kept: %v, want %v", m.GetName(), found, kept)
		}
	}
}
