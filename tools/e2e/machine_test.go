//go:build vm

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Where tests that run in the virtual machine have their folders: on XFS with
// quotas of projects.
const disk = "/mnt/xfs"

// prepared makes that file system, with the program on it, and runs the tests.
func prepared(m *testing.M) int {
	if err := makeDisk(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func makeDisk() error {
	const image = "/tmp/image"
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(image, 400<<20); err != nil {
		return err
	}
	if err := os.MkdirAll(disk, 0o755); err != nil {
		return err
	}
	for _, c := range [][]string{
		{"/usr/sbin/mkfs.xfs", "-q", image},
		{"mount", "-t", "xfs", "-o", "loop,prjquota", image, disk},
		{"mv", "/usr/bin/troupe", disk},
	} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", c, err, out)
		}
	}
	built = filepath.Join(disk, "troupe")
	temporary := filepath.Join(disk, "tmp")
	if err := os.Mkdir(temporary, 0o777); err != nil {
		return err
	}
	return os.Setenv("TMPDIR", temporary)
}
