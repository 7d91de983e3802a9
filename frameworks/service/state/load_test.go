package state

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
)

// busy is a disk with records of every kind.
func busy(t testing.TB) map[string][]byte {
	w := newWorld(t, 2, Options{Versions: 2})
	for n := range 4 {
		w.mustPut(plain("/g/a", n+1, "x"))
		w.rounds()
	}
	w.mustPut(plain("/g/a", 4, "y"))
	w.offer()
	w.settle()
	w.m.service("/g/a").failed()
	w.step(TimerFired{})
	w.settle()
	return w.disk
}

func fails(effects []Effect) error {
	for _, e := range effects {
		if f, is := e.(Fail); is {
			return f.Err
		}
	}
	return nil
}

func TestWhatCannotBeReadFails(t *testing.T) {
	disk := busy(t)
	kinds := map[string]bool{}
	for key := range disk {
		kind, _, _ := strings.Cut(key, "/")
		if kinds[kind] {
			continue
		}
		kinds[kind] = true
		var records []Change
		for _, k := range slices.Sorted(maps.Keys(disk)) {
			c := Change{k, disk[k]}
			if k == key {
				c.Value = []byte("{")
			}
			records = append(records, c)
		}
		m := New(Options{})
		if err := fails(m.Step(noon, Loaded{records})); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
		if more := m.Step(noon, TimerFired{}); more != nil {
			t.Errorf("it goes on after it has failed: %v", more)
		}
	}
	for _, kind := range []string{"agent", "app", "at", "deployment", "fate", "group", "instance", "root"} {
		if !kinds[kind] {
			t.Errorf("there is no record of the kind %s", kind)
		}
	}
	if err := fails(New(Options{}).Step(noon, Loaded{[]Change{{"what/is/this", nil}}})); err == nil {
		t.Error("an unknown kind of record is passed over")
	}
}

func TestWhatIsMissingFails(t *testing.T) {
	disk := busy(t)
	for key := range disk {
		if !strings.HasPrefix(key, appKey) {
			continue
		}
		var records []Change
		for _, k := range slices.Sorted(maps.Keys(disk)) {
			if k != key {
				records = append(records, Change{k, disk[k]})
			}
		}
		if err := fails(New(Options{}).Step(noon, Loaded{records})); err == nil {
			t.Errorf("without %s it goes on", key)
		}
	}
}

func TestWhatCannotBeWrittenFails(t *testing.T) {
	m := New(Options{})
	m.Step(noon, Loaded{})
	out := m.Step(noon, Update{Request: 1, Edit: func(root *app.Group, _ app.Version) (*app.Group, error) { return root.With(plain("/a", 1, "x")), nil }})
	p, is := out[0].(Persist)
	if !is {
		t.Fatalf("the first effect is %T", out[0])
	}
	for _, e := range out[1:] {
		if _, timer := e.(SetTimer); !timer {
			t.Fatalf("%T is seen before it is durable", e)
		}
	}
	full := errors.New("the disk is full")
	if err := fails(m.Step(noon, Persisted{p.Number, full})); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	m = New(Options{})
	m.Step(noon, Loaded{})
	if err := fails(m.Step(noon, Persisted{Number: 7})); err == nil {
		t.Error("an answer to nothing is taken")
	}
}

// FuzzLoaded: records of any content are read or refused.
func FuzzLoaded(f *testing.F) {
	disk := busy(f)
	for key, value := range disk {
		f.Add(key, value)
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		var records []Change
		for _, k := range slices.Sorted(maps.Keys(disk)) {
			if k != key {
				records = append(records, Change{k, disk[k]})
			}
		}
		m := New(Options{})
		m.Step(noon, Loaded{append(records, Change{key, value})})
		m.Step(noon, Connected{})
	})
}
