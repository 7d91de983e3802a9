package cgroups

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

const version1 = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory ro,relatime shared:12 - cgroup cgroup rw,memory
36 31 0:32 / /mnt/of\040mine rw,relatime - cgroup cgroup rw,freezer
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
`

const hybrid = version1 + "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"

const version2 = "30 24 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

const mixed = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n40 31 0:37 / /run/net_cls rw - cgroup c rw,net_cls\n"

func settings() Settings { return Settings{Hierarchy: "/sys/fs/cgroup/", Root: "/a/b/"} }

func TestVersion(t *testing.T) {
	for text, want := range map[string]int{version1: 1, hybrid: 1, version2: 2, mixed: 2} {
		tree, err := open(settings(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Version(); got != want {
			t.Errorf("%s: version %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{"": "none are mounted", "31 23 x\n": "no separator", "1 2 3 - cgroup\n": "too few fields"} {
		if _, err := open(settings(), []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := open(Settings{Hierarchy: "/sys/fs/cgroup", Root: "/../"}, []byte(version1)); err == nil || !strings.Contains(err.Error(), "root") {
		t.Errorf("the root group as root: %v", err)
	}
}

// What is missing is named, and what to do about it.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ mountinfo, controller, want string }{
		{version1, "memory", "memory subsystem is mounted read-only at /sys/fs/cgroup/memory: make it writable (mount -o remount,rw /sys/fs/cgroup/memory)"},
		{version1, "net_cls", "net_cls"},
		{hybrid, "hugetlb", "hugetlb"},
		{version1, "quantum", `there is no subsystem "quantum"`},
		{version2, "memory", "version 2 is mounted read-only at /sys/fs/cgroup"},
	} {
		tree, err := open(settings(), []byte(c.mountinfo))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tree.Controller(c.controller); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.controller, err, c.want)
		}
	}
	tree, err := open(settings(), []byte(version2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Place("cgroups/mem", "memory"); !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "cgroups/mem") {
		t.Errorf("%v", err)
	}
}

func TestControllersOfVersion1(t *testing.T) {
	tree, err := open(settings(), []byte(hybrid))
	if err != nil {
		t.Fatal(err)
	}
	names, err := tree.Controllers()
	if got := strings.Join(names, " "); err != nil || got != "cpu cpuacct freezer memory" {
		t.Errorf("%s, %v", got, err)
	}
	if m := holder(tree.mounts, "freezer", "/sys/fs/cgroup"); m == nil || m.point != "/mnt/of mine" {
		t.Errorf("%+v", m)
	}
}

// Ids become folders: none leaves that of its parent.
func TestDir(t *testing.T) {
	c := &Controller{tree: &Tree{}, base: "/x/mesos"}
	if got := c.Dir([]string{"a", "b", "c"}); got != "/x/mesos/a/mesos/b/mesos/c" {
		t.Error(got)
	}
	for _, id := range [][]string{nil, {""}, {"."}, {"a", ".."}, {"a/b"}, {"a\nb"}, {"a\x00"}} {
		if checkID(id) == nil {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestRemoveNamesTheFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Remove(t.Context(), dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	if err := Remove(t.Context(), dir+"/none"); err != nil {
		t.Error(err)
	}
}

func TestKeyed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.StringMatching(`[a-z_.]{1,12}`), rapid.Uint64Max(1<<63)).Draw(t, "counters")
		var text strings.Builder
		for k, v := range want {
			text.WriteString(k + " " + strconv.FormatUint(v, 10) + "\n")
		}
		got := map[string]uint64{}
		if err := ParseKeyed([]byte(text.String()), func(key []byte, v uint64) { got[string(key)] = v }); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			if got[k] != v {
				t.Fatalf("%s: %d, want %d", k, got[k], v)
			}
		}
	})
	for _, bad := range []string{"a", "a b", "a 1 2", "a -2", "a 99999999999999999999"} {
		if err := ParseKeyed([]byte(bad), func([]byte, uint64) {}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzKeyed(f *testing.F) {
	f.Add([]byte("user 12\nsystem 3\n"))
	f.Add([]byte("oom_kill_disable 0\nunder_oom 0\noom_kill max\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys := 0
		if err := ParseKeyed(data, func([]byte, uint64) { keys++ }); err == nil && keys > strings.Count(string(data), "\n")+1 {
			t.Errorf("%d keys in %q", keys, data)
		}
	})
}

func FuzzMountinfo(f *testing.F) {
	for _, seed := range []string{version1, hybrid, version2, mixed, "0 0 0 0 0 0 - cgroup"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		mounts, err := parseMountinfo(data)
		if err != nil {
			return
		}
		for i := range mounts {
			if len(mounts[i].subsystems) == 0 {
				t.Errorf("%q: %+v", data, mounts[i])
			}
		}
		unified(mounts, "/sys/fs/cgroup")
		holder(mounts, "memory", "/sys/fs/cgroup")
	})
}
