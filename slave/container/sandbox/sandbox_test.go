package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMake(t *testing.T) {
	layout := Layout{WorkDir: t.TempDir()}
	first, err := layout.Make("A", "F", "E", "C1", "")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(layout.WorkDir, "slaves/A/frameworks/F/executors/E/runs/C1"); first != want {
		t.Errorf("sandbox %q, want %q", first, want)
	}
	keepsake := filepath.Join(first, "file")
	if err := os.WriteFile(keepsake, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := layout.Make("A", "F", "E", "C2", "")
	if err != nil {
		t.Fatal(err)
	}
	newest, err := filepath.EvalSymlinks(filepath.Join(layout.Runs("A", "F", "E"), latest))
	if err != nil || newest != second {
		t.Errorf("latest is %q, %v; want %q", newest, err, second)
	}
	if again, err := layout.Make("A", "F", "E", "C1", ""); err != nil || again != first {
		t.Errorf("made again: %q, %v", again, err)
	}
	if _, err := os.Stat(keepsake); err != nil {
		t.Errorf("a sandbox that is made again loses its files: %v", err)
	}
	entries, err := os.ReadDir(layout.Runs("A", "F", "E"))
	if err != nil || len(entries) != 3 {
		t.Errorf("runs: %v, %v; want C1, C2 and latest", entries, err)
	}
}

func TestMakeForAUser(t *testing.T) {
	layout := Layout{WorkDir: t.TempDir()}
	_, err := layout.Make("A", "F", "E", "C1", "nobody-of-this-name")
	if err == nil || !strings.Contains(err.Error(), "nobody-of-this-name") {
		t.Errorf("an unknown user: %v", err)
	}
	if _, err := os.Stat(layout.Run("A", "F", "E", "C1")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a sandbox for an unknown user stays: %v", err)
	}
	if _, err := layout.Make("A", "F", "E", "C2", "0"); os.Geteuid() == 0 && err != nil {
		t.Errorf("a user by number: %v", err)
	}
}

func TestMakeNamesTheFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Layout{WorkDir: file}).Make("A", "F", "E", "C", ""); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

func TestMaxAge(t *testing.T) {
	policy := Policy{Delay: 100 * time.Hour, Headroom: 0.1}
	for used, want := range map[float64]time.Duration{0: 90 * time.Hour, 0.4: 50 * time.Hour, 0.9: 0, 1: 0} {
		if got := policy.MaxAge(used); (got - want).Abs() > time.Second {
			t.Errorf("MaxAge(%v) = %v, want %v", used, got, want)
		}
	}
}

func TestDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(1000, 0)
		age := time.Duration(rapid.IntRange(0, 20).Draw(t, "age")) * time.Second
		now := start.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "now")) * time.Second)
		var waiting []retired
		for _, s := range rapid.SliceOf(rapid.IntRange(0, 40)).Draw(t, "since") {
			waiting = append(waiting, retired{since: start.Add(time.Duration(s) * time.Second)})
		}
		collect, keep := due(waiting, now, age)
		if len(collect)+len(keep) != len(waiting) {
			t.Fatalf("%d and %d of %d", len(collect), len(keep), len(waiting))
		}
		for i, r := range collect {
			if now.Sub(r.since) < age || i > 0 && r.since.Before(collect[i-1].since) {
				t.Fatalf("collected too early or out of order: %v", collect)
			}
		}
		for _, r := range keep {
			if now.Sub(r.since) >= age {
				t.Fatalf("kept too long: %v", r)
			}
		}
	})
}

func TestCollect(t *testing.T) {
	layout := Layout{WorkDir: t.TempDir()}
	now := time.Unix(1_000_000, 0)
	collector := NewCollector(layout, Policy{Delay: time.Hour, Headroom: -100}) // as if the disk were empty
	keep := mustMake(t, layout, "E1", "C1")
	gone := mustMake(t, layout, "E1", "C2")
	alone := mustMake(t, layout, "E2", "C3")
	if err := os.MkdirAll(filepath.Join(gone, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	collector.Retire(gone, now.Add(-2*time.Hour))
	collector.Retire(alone, now.Add(-2*time.Hour))
	collector.Retire(keep, now)
	if err := collector.Collect(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	for path, there := range map[string]bool{
		keep: true, gone: false, alone: false,
		filepath.Join(layout.Runs("A", "F", "E1"), latest):         false, // it led to what is gone
		filepath.Dir(layout.Runs("A", "F", "E2")):                  false,
		filepath.Join(layout.WorkDir, "slaves", "A", "frameworks"): true,
	} {
		if _, err := os.Lstat(path); (err == nil) != there {
			t.Errorf("%s: there is %v, want %v", path, err == nil, there)
		}
	}
	if succeeded, failed, pending := collector.Counts(); succeeded != 2 || failed != 0 || pending != 1 {
		t.Errorf("counts: %d, %d, %d", succeeded, failed, pending)
	}
}

// TestCollectStandalone removes the sandbox alone: no folder above it.
func TestCollectStandalone(t *testing.T) {
	layout := Layout{WorkDir: t.TempDir()}
	collector := NewCollector(layout, Policy{Delay: time.Hour, Headroom: -100})
	sandbox := layout.Standalone("lone")
	if err := os.MkdirAll(sandbox, 0o700); err != nil {
		t.Fatal(err)
	}
	collector.Retire(sandbox, time.Unix(1000, 0))
	if err := collector.Collect(t.Context(), time.Unix(1_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	for path, there := range map[string]bool{sandbox: false, filepath.Dir(sandbox): true} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestCollectWhatOthersLeft(t *testing.T) {
	layout := Layout{WorkDir: filepath.Join(t.TempDir(), "odd [name]*")}
	live := mustMake(t, layout, "E1", "C1")
	left := mustMake(t, layout, "E1", "C2")
	alone, held := layout.Standalone("alone"), layout.Standalone("held")
	if err := errors.Join(os.MkdirAll(alone, 0o700), os.MkdirAll(held, 0o700)); err != nil {
		t.Fatal(err)
	}
	collector := NewCollector(layout, Policy{})
	if err := collector.RetireAll(func(path string) bool { return path == live || path == held }); err != nil {
		t.Fatal(err)
	}
	if err := collector.Collect(t.Context(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for path, there := range map[string]bool{left: false, alone: false, live: true, held: true} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: there is %v, want %v", path, err == nil, there)
		}
	}
}

// TestRetirementIsRemembered: what an agent retired, one after it collects when
// it is due, whenever somebody last wrote there.
func TestRetirementIsRemembered(t *testing.T) {
	layout := Layout{WorkDir: t.TempDir()}
	now := time.Now()
	before := NewCollector(layout, Policy{})
	due, fresh := mustMake(t, layout, "E1", "C1"), mustMake(t, layout, "E1", "C2")
	before.Retire(due, now.Add(-2*time.Hour))
	before.Retire(fresh, now.Add(-time.Minute))
	before.Retire(filepath.Join(layout.WorkDir, "never made"), now)

	after := NewCollector(layout, Policy{Delay: 100 * time.Hour, Headroom: 0.1})
	if err := after.RetireAll(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	used, err := after.Used()
	if err != nil {
		t.Fatal(err)
	}
	age := after.policy.MaxAge(used) // whatever the disk of this machine
	if err := after.Collect(t.Context(), now.Add(age-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for path, there := range map[string]bool{due: false, fresh: true} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: there is %v, want %v", path, err == nil, there)
		}
	}
}

func TestCollectIsInterrupted(t *testing.T) {
	layout := Layout{WorkDir: t.TempDir()}
	collector := NewCollector(layout, Policy{})
	collector.Retire(mustMake(t, layout, "E", "C"), time.Unix(0, 0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := collector.Collect(ctx, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, _, pending := collector.Counts(); pending != 1 {
		t.Errorf("%d wait, want 1", pending)
	}
}

func mustMake(t *testing.T, layout Layout, executor, id string) string {
	t.Helper()
	path, err := layout.Make("A", "F", executor, id, "")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func BenchmarkMake(b *testing.B) {
	layout := Layout{WorkDir: b.TempDir()}
	for i := 0; b.Loop(); i++ {
		if _, err := layout.Make("A", "F", "E"+string(rune('a'+i%26))+time.Duration(i).String(), "C", ""); err != nil {
			b.Fatal(err)
		}
	}
}
