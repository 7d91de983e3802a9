package stream

import (
	"net/url"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/mesos/master"
)

// FuzzFilter: any query is refused with a reason, or wants the same whenever it
// is read; a cursor that is read is written the same.
func FuzzFilter(f *testing.F) {
	for _, q := range []string{
		"", "type=TASK_ADDED,TASK_UPDATED&role=a", "type=x", "framework_id=,", "agent_id=%00&agent_id=b", "resume=a-b-7", "resume=-", "resume=a-07",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		one, err := parseFilter(q)
		if err == nil {
			if two, _ := parseFilter(q); two.String() != one.String() {
				t.Errorf("%q: %s and %s", text, one, two)
			}
		}
		leader, number, err := parseCursor(q.Get("resume"))
		if err != nil {
			return
		}
		if again, same, err := parseCursor(cursorOf(leader, number)); err != nil || again != leader || same != number {
			t.Errorf("%q: %q %d, %v", q.Get("resume"), again, same, err)
		}
	})
}

// Filters with the same name want the same.
func TestNamesOfFilters(t *testing.T) {
	set := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "a b", `"`, "a,b"}), rapid.Just(true), 0, 3)
	draw := func(t *rapid.T, name string) filter {
		f := filter{frameworks: set.Draw(t, name), roles: set.Draw(t, name)}
		if rapid.Bool().Draw(t, name) {
			f.types = map[master.Event_Type]bool{master.Event_TASK_ADDED: true}
		}
		for _, s := range []*map[string]bool{&f.frameworks, &f.roles} {
			if len(*s) == 0 {
				*s = nil // as it is read
			}
		}
		return f
	}
	rapid.Check(t, func(t *rapid.T) {
		one, two := draw(t, "one"), draw(t, "two")
		e := &entry{
			kind:      rapid.SampledFrom([]master.Event_Type{master.Event_TASK_ADDED, master.Event_TASK_UPDATED}).Draw(t, "kind"),
			framework: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "framework"), roles: []string{"a b"},
		}
		if one.String() == two.String() && one.wants(e) != two.wants(e) {
			t.Fatalf("%s wants both", one)
		}
	})
}
