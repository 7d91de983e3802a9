package mountinfo

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const table = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro
30 22 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
40 22 0:30 / /mnt/a\040b\134c\0 ro,noatime shared:5 master:2 - tmpfs none

41 22 0:31 / /mnt/over rw - tmpfs none rw
42 41 0:32 / /mnt/over rw - xfs /dev/x rw,prjquota
`

func TestParse(t *testing.T) {
	all, err := Parse([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	want := []Mount{
		{"/", []string{"rw", "relatime"}, true, "ext4", []string{"rw", "errors=remount-ro"}},
		{"/sys/fs/cgroup/cpu,cpuacct", []string{"rw", "nosuid"}, false, "cgroup", []string{"rw", "cpu", "cpuacct"}},
		{`/mnt/a b\c\0`, []string{"ro", "noatime"}, true, "tmpfs", nil},
		{"/mnt/over", []string{"rw"}, false, "tmpfs", []string{"rw"}},
		{"/mnt/over", []string{"rw"}, false, "xfs", []string{"rw", "prjquota"}},
	}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("got %+v", all)
	}
	for path, want := range map[string]string{
		"/": "ext4", "/mnt": "ext4", "/mnt/over": "xfs", "/mnt/over/x": "xfs", "/mnt/overt": "ext4", `/mnt/a b\c\0/x`: "tmpfs",
	} {
		if on := On(all, path); on == nil || on.Type != want {
			t.Errorf("%s is on %+v", path, on)
		}
	}
	if on := On(all[1:], "/home"); on != nil {
		t.Errorf("it is on %+v", on)
	}
}

func TestBadTables(t *testing.T) {
	for text, want := range map[string]string{"22 1 254:0 / / rw\n": "no separator", "1 2 3 4 5 - ext4\n": "too few fields", "1 2 3 4 5 6 - \n": "too few fields"} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestThisMachine: what the table says of the root is what the kernel does.
func TestThisMachine(t *testing.T) {
	all, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	on := On(all, "/proc/self")
	if on == nil || on.Point != "/proc" || on.Type != "proc" {
		t.Errorf("/proc/self is on %+v", on)
	}
	var st unix.Statfs_t
	if err := unix.Statfs("/", &st); err != nil {
		t.Fatal(err)
	}
	if root := On(all, "/"); root == nil || slices.Contains(root.Options, "ro") && st.Flags&unix.MS_RDONLY == 0 {
		t.Errorf("the root is %+v", root)
	}
}

// FuzzParse: nothing that stands there does harm.
func FuzzParse(f *testing.F) {
	f.Add(table)
	f.Add(`1 2 3 4 \ 6 - t`)
	if own, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		f.Add(string(own))
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := Parse([]byte(text))
		if err != nil && all != nil {
			t.Error("mounts beside an error")
		}
		On(all, "/a/b")
	})
}
