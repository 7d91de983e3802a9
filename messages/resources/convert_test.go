package resources

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/json"
	"troupe/messages/mesos"
)

// TestJSONRoundTrip: what JSON says of resources of any kind is read again.
func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw(t, "r")
		var parts []string
		for _, m := range r.Proto() {
			parts = append(parts, string(json.Marshal(m)))
		}
		text := "[" + strings.Join(parts, ",") + "]"
		if back, err := Parse(text, "*"); err != nil || !back.Equal(r) {
			t.Fatalf("%s is %s, which is %s, %v", r, text, back, err)
		}
	})
}

// TestTextRoundTrip: what the text form can say is read again.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw(t, "r").Convert(func(m *mesos.Resource) {
			m.Disk, m.Shared, m.Revocable, m.AllocationInfo, m.ProviderId = nil, nil, nil, nil, nil
			if len(m.Reservations) > 0 {
				m.Reservations = []*mesos.Resource_ReservationInfo{{Type: static.Enum(), Role: m.Reservations[0].Role}}
			}
		})
		if back, err := Parse(r.String(), "*"); err != nil || !back.Equal(r) {
			t.Fatalf("%s came back as %s, %v", r, back, err)
		}
	})
}

// TestConvertLeavesTheOriginal: a conversion that changes nothing is the same,
// and none changes what it began with.
func TestConvertLeavesTheOriginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw(t, "r")
		before := r.String()
		if same := r.Convert(func(*mesos.Resource) {}); !same.Equal(r) {
			t.Fatalf("%s became %s", r, same)
		}
		r.Convert(func(m *mesos.Resource) { m.Reservations, m.Disk, m.AllocationInfo = nil, nil, nil })
		if r.String() != before {
			t.Fatalf("%s became %s", before, r)
		}
	})
}

// TestSumOfEntries: entries make up what they are from.
func TestSumOfEntries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw(t, "r")
		var entries []Entry
		for e := range r.All() {
			entries = append(entries, e)
			if !r.Contains(Sum(e)) || !e.Same(e) {
				t.Fatalf("%s is not in %s", e, r)
			}
		}
		if !Sum(entries...).Equal(r) {
			t.Fatalf("the entries of %s make %s", r, Sum(entries...))
		}
	})
}

// TestOwnKeepsTheAmount: in other words it is as much of the same.
func TestOwnKeepsTheAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, o := draw(t, "r"), draw(t, "o")
		if !r.Own(o).Equal(o) {
			t.Fatalf("%s in the words of %s is %s", o, r, r.Own(o))
		}
	})
}

// TestUse: what is shared must be there and stays; of the rest it is as taking
// it away.
func TestUse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, need := draw(t, "r"), draw(t, "need")
		if rapid.Bool().Draw(t, "enough") {
			r = r.Add(need)
		}
		alone := need.Filter(func(e Entry) bool { return !e.Shared() })
		possible := r.Contains(alone)
		for e := range need.Filter(Entry.Shared).All() {
			_, there := r.find(e.key)
			possible = possible && there
		}
		rest, ok := r.Use(need)
		switch {
		case ok != possible:
			t.Fatalf("%s of %s: %v", need, r, ok)
		case !ok && !rest.Equal(r):
			t.Fatalf("%s became %s, and nothing was used", r, rest)
		case ok && !rest.Equal(r.Without(alone)):
			t.Fatalf("%s of %s leaves %s", need, r, rest)
		}
	})
}
