package loop_test

import (
	"errors"
	"testing"

	"troupe/frameworks"
	"troupe/frameworks/loop"
	"troupe/frameworks/store"
)

var _ frameworks.Store = (*loop.Identity)(nil)

func TestIdentityLivesBesideTheState(t *testing.T) {
	s := store.NewMemory()
	for _, want := range []string{"", "F1", "F2"} {
		records, id, err := loop.Load(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := id.Load(); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
		if len(records) != 0 {
			t.Errorf("records of a machine: %v", records)
		}
		next := map[string]string{"": "F1", "F1": "F2", "F2": ""}[want]
		if err := id.Save(next); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := s.Load(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after a teardown: %v, %v", all, err)
	}
	full := errors.New("disk full")
	_, id, err := loop.Load(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.FailWith(full)
	if err := id.Save("F3"); !errors.Is(err, full) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
