package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCollectInner: a sandbox within one that lives is collected when it is due, and
// nothing else of that; one that was taken back is not.
func TestCollectInner(t *testing.T) {
	layout, began := Layout{WorkDir: t.TempDir()}, time.Unix(1000, 0)
	run := mustMake(t, layout, "E", "C")
	inner := func(name string) string { return filepath.Join(run, "containers", name) }
	for _, name := range []string{"ended", "ended/containers/deep", "again", "fresh"} {
		must(t, os.MkdirAll(filepath.Join(inner(name), "folder"), 0o755))
	}
	collector := NewCollector(layout, Policy{Delay: 1000 * time.Hour, Headroom: 0})
	used, err := collector.Used()
	must(t, err)
	due := began.Add(collector.policy.MaxAge(used) + time.Hour)
	collector.RetireInner(run, "containers/ended", began)
	collector.RetireInner(run, "containers/ended", began.Add(1e6*time.Hour)) // told again by a host that comes back
	collector.RetireInner(run, "containers/ended/containers/deep", began)
	collector.RetireInner(run, "containers/again", began)
	collector.RetireInner(run, "containers/fresh", due.Add(time.Hour))
	collector.RetireInner(filepath.Join(layout.WorkDir, "gone"), "containers/x", began)
	collector.Reclaim(inner("again"))
	must(t, collector.Collect(t.Context(), due))
	for path, there := range map[string]bool{inner("ended"): false, inner("again"): true, inner("fresh"): true, run: true} {
		if _, err := os.Lstat(path); (err == nil) != there {
			t.Errorf("%s: there is %v, want %v", path, err == nil, there)
		}
	}
	if _, failed, pending := collector.Counts(); failed != 0 || pending != 1 {
		t.Errorf("%d failed, %d wait", failed, pending)
	}
}

// TestCollectInnerFollowsNothing out of the sandbox around, whose owner may put links
// anywhere; it is tried again.
func TestCollectInnerFollowsNothing(t *testing.T) {
	layout, dir := Layout{WorkDir: t.TempDir()}, outside(t)
	run := mustMake(t, layout, "E", "C")
	must(t, os.Symlink(dir, filepath.Join(run, "containers")))
	collector := NewCollector(layout, Policy{Delay: time.Hour, Headroom: -100})
	collector.RetireInner(run, "containers/sub", time.Unix(1000, 0))
	err := collector.Collect(t.Context(), time.Unix(1_000_000, 0))
	if err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("error is %v", err)
	}
	kept(t, dir)
	if _, failed, pending := collector.Counts(); failed != 1 || pending != 1 {
		t.Errorf("%d failed, %d wait", failed, pending)
	}
}
