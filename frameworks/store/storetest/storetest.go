// Package storetest is the one suite that every store of frameworks passes, and
// the writer and the judge of tests that kill writers. Tests of stores may
// import it.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks/store"
	"troupe/messages/field"
)

// Run runs the suite. Open opens the same store whenever it is called in one
// test, and a new one in another; the suite closes it in between.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) store.Store){
		"StartsEmpty":              startsEmpty,
		"KeepsValues":              keepsValues,
		"RefusesWhatBreaksTheRule": refuses,
		"HasNoCeiling":             hasNoCeiling,
		"AClosedStoreWritesNoMore": closed,
		"AnyBatchesAreKept":        anyBatches,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func startsEmpty(t *testing.T, open func(*testing.T) store.Store) {
	s := open(t)
	apply(t, s, nil)
	expect(t, s, map[string][]byte{})
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	expect(t, s, map[string][]byte{})
}

func keepsValues(t *testing.T, open func(*testing.T) store.Store) {
	s := open(t)
	want := map[string][]byte{
		"a": []byte("1"), "a/b": []byte("2"), "é": {0xff, 0}, "empty": {}, strings.Repeat("k", store.MaxKey): []byte("long"),
	}
	apply(t, s, want)
	apply(t, s, map[string][]byte{"a": []byte("other"), "a/b": nil, "unknown": nil})
	want = maps.Clone(want)
	want["a"] = []byte("other")
	delete(want, "a/b")
	expect(t, s, want)
	if s.Size() <= int64(store.MaxKey) {
		t.Errorf("size %d", s.Size())
	}
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	expect(t, s, want)
}

// refuses holds that a batch with one wrong change leaves nothing, and does no
// harm.
func refuses(t *testing.T, open func(*testing.T) store.Store) {
	s := open(t)
	defer shut(t, s)
	for _, key := range []string{"", "a\x00b", "\xff", strings.Repeat("k", store.MaxKey+1)} {
		err := s.Apply(t.Context(), map[string][]byte{"good": []byte("1"), key: []byte("2")})
		if wrong := new(field.Error); !errors.As(err, &wrong) || wrong.Path != "key" {
			t.Errorf("key %q: %v", key, err)
		}
	}
	expect(t, s, map[string][]byte{})
	apply(t, s, map[string][]byte{"good": []byte("1")})
	expect(t, s, map[string][]byte{"good": []byte("1")})
}

// hasNoCeiling writes values and batches that are larger than what ZooKeeper
// takes at a time, which is 1 MiB.
func hasNoCeiling(t *testing.T, open func(*testing.T) store.Store) {
	s := open(t)
	want := map[string][]byte{"large": pattern(1, 5<<20), "empty": {}}
	for i := range 300 {
		want[fmt.Sprintf("small/%d", i)] = pattern(i, 10<<10)
	}
	apply(t, s, want)
	expect(t, s, want)
	change := map[string][]byte{"large": pattern(2, 1<<20), "empty": nil, "late": pattern(3, 2<<20)}
	apply(t, s, change)
	overlay(want, change)
	shut(t, s)
	s = open(t)
	expect(t, s, want)
	change = map[string][]byte{"large": []byte("small"), "late": nil}
	apply(t, s, change)
	overlay(want, change)
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	expect(t, s, want)
}

// pattern is n bytes that depend on a seed.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8 ^ i*7 + seed)
	}
	return b
}

func closed(t *testing.T, open func(*testing.T) store.Store) {
	s := open(t)
	apply(t, s, map[string][]byte{"a": []byte("1")})
	shut(t, s)
	if err := s.Apply(t.Context(), map[string][]byte{"a": []byte("2")}); err == nil {
		t.Error("a closed store was written")
	}
	s = open(t)
	defer shut(t, s)
	expect(t, s, map[string][]byte{"a": []byte("1")})
}

// anyBatches applies random batches, and opens the store anew now and then.
func anyBatches(t *testing.T, open func(*testing.T) store.Store) {
	s := open(t)
	defer func() { shut(t, s) }()
	model := map[string][]byte{}
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(0, 8).Draw(r, "batches") {
			batch := rapid.MapOfN(rapid.StringMatching(`[a-c]/[0-9]`), value(), 0, 6).Draw(r, "batch")
			if err := s.Apply(t.Context(), batch); err != nil {
				r.Fatal(err)
			}
			overlay(model, batch)
		}
		if rapid.Bool().Draw(r, "again") {
			shut(t, s)
			s = open(t)
		}
		if why := differ(t, s, model); why != "" {
			r.Fatal(why)
		}
	})
}

func value() *rapid.Generator[[]byte] {
	return rapid.Custom(func(r *rapid.T) []byte {
		n := rapid.SampledFrom([]int{-1, 0, 1, 100, 100, 2000, 200 << 10}).Draw(r, "size")
		if n < 0 {
			return nil
		}
		return pattern(rapid.IntRange(0, 255).Draw(r, "seed"), n)
	})
}

// overlay makes changes in a model.
func overlay(model, changes map[string][]byte) {
	for key, v := range changes {
		if v == nil {
			delete(model, key)
		} else {
			model[key] = v
		}
	}
}

func apply(t *testing.T, s store.Store, changes map[string][]byte) {
	t.Helper()
	if err := s.Apply(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, s store.Store, want map[string][]byte) {
	t.Helper()
	if why := differ(t, s, want); why != "" {
		t.Error(why)
	}
}

// differ says in what a store is not as a model.
func differ(t *testing.T, s store.Store, want map[string][]byte) string {
	t.Helper()
	got, err := s.Load(t.Context())
	if err != nil {
		return err.Error()
	}
	return compare(got, want)
}

func compare(got, want map[string][]byte) string {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		v, there := got[key]
		if !there || v == nil || !bytes.Equal(v, want[key]) {
			return fmt.Sprintf("key %q has %d bytes (there: %t), and should have %d, or other ones", key, len(v), there, len(want[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, there := want[key]; !there {
			return fmt.Sprintf("key %q should not be there", key)
		}
	}
	return ""
}

func shut(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
