package xfs

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator/disk"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRefused: what cannot be had is refused by name.
func TestRefused(t *testing.T) {
	other := t.TempDir()
	good := Options{WorkDir: other, Records: disk.Records{Dir: "/records"}, First: 5000, Last: 10_000}
	for want, change := range map[string]func(*Options){
		"xfs_project_range":             func(o *Options) { o.First = 0 },
		"[10-9]":                        func(o *Options) { o.First, o.Last = 10, 9 },
		"container_disk_watch_interval": func(o *Options) { o.Kill = true },
		"xfs_quota_headroom":            func(o *Options) { o.Kill, o.Interval = true, time.Second },
		`"records"`:                     func(o *Options) { o.Records.Dir = "records" },
		"option prjquota":               func(*Options) {},
		other + " is on ":               func(*Options) {},
		"open /nowhere":                 func(o *Options) { o.WorkDir = "/nowhere" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
	link := t.TempDir() + "/link"
	must(t, os.Symlink(other, link))
	if err := CheckFileSystem(link); err == nil || !strings.Contains(err.Error(), unix.ELOOP.Error()) && !strings.Contains(err.Error(), unix.ENOTDIR.Error()) {
		t.Errorf("error is %v", err)
	}
}

func TestMountOf(t *testing.T) {
	if at, kind := mountOf("/proc/self"); at != "/proc" || kind != "proc" {
		t.Errorf("/proc/self is on %s, %s", at, kind)
	}
	if at, _ := mountOf("/"); at != "/" {
		t.Errorf("/ is on %s", at)
	}
}

func TestBlocks(t *testing.T) {
	for bytes, want := range map[uint64]uint64{0: 0, 1: 1, 512: 1, 513: 2, 10 << 20: 20480, 1<<64 - 1: 1 << 55} {
		if got := blocks(bytes); got != want {
			t.Errorf("%d bytes are %d blocks, want %d", bytes, got, want)
		}
	}
}
