package cgroups_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
)

// TestThreadedGroups: a program that is root may make groups of version 2 threaded,
// whose processes the kernel neither lists nor kills as others. They end all the same.
func TestThreadedGroups(t *testing.T) {
	for name, threaded := range map[string]string{"the container's": "c", "one below": "c/below"} {
		t.Run(name, func(t *testing.T) {
			mount := unifiedMount()
			if mount == "" {
				return // a machine with version 1 alone
			}
			top := filepath.Join(mount, cgrouptest.Root(t))
			at := filepath.Join(top, threaded)
			for dir := range map[string]bool{top: true, filepath.Join(top, "c"): true, at: true} {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			// A process is taken in from the group that is the domain of the threaded ones.
			g := cgrouptest.Start(t, &plan.Plan{Cgroups: []string{filepath.Dir(at)}}, "wait")
			if err := cgroups.Write(at, "cgroup.type", "threaded"); err != nil {
				t.Fatal(err)
			}
			if err := cgroups.Write(at, "cgroup.procs", strconv.Itoa(g.Pid())); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := cgroups.Kill(ctx, filepath.Join(top, "c")); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Wait(t); !cgrouptest.Killed(err) {
				t.Errorf("it ended with %v", err)
			}
			if err := cgroups.Remove(ctx, filepath.Join(top, "c")); err != nil {
				t.Error(err)
			}
		})
	}
}

// unifiedMount is where version 2 is, beside version 1 or alone; empty if nowhere.
func unifiedMount() string {
	for _, dir := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if cgroups.Exists(dir, "cgroup.controllers") {
			return dir
		}
	}
	return ""
}
