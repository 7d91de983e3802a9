package volumes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/state"
)

// TestMountInVolume: what is mounted in a volume is not deleted with it.
func TestMountInVolume(t *testing.T) {
	const child = "TROUPE_VOLUMES_MOUNTS"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMountInVolume$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	s, outside := Store{WorkDir: t.TempDir()}, t.TempDir()
	write(t, filepath.Join(outside, "keep"), "x")
	for _, v := range []state.Volume{{Role: "r", ID: "v"}, {Role: "r", ID: "w", Root: t.TempDir(), Whole: true}} {
		list := []state.Volume{v}
		if err := s.Make(list); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(s.Path(v), "a")
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount(outside, at, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(list); err == nil || !strings.Contains(err.Error(), at+": something is mounted there") {
			t.Errorf("error is %v", err)
		}
		if _, err := os.Stat(filepath.Join(outside, "keep")); err != nil {
			t.Error(err)
		}
		if err := unix.Unmount(at, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(list); err != nil {
			t.Error(err)
		}
		mustNot(t, at)
	}
}
