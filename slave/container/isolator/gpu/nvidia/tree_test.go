package nvidia

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// fakes are devices of this machine that stand for GPUs: no container has them
// without being given them.
var fakes = [][2]uint32{{1, 11}, {10, 237}, {10, 229}}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func makeNode(t testing.TB, path string, major, minor uint32) {
	t.Helper()
	if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(major, minor))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
}

// fake is a machine with the driver and three GPUs, of which the first by address
// has the last node.
func fake(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, majorsFile), "Character devices:\n  1 mem\n195 nvidia-frontend\n234 nvidia-uvm\n\nBlock devices:\n  7 loop\n195 other\n")
	for n, bus := range []string{"0000:af:00.0", "0000:3b:00.0", "0000:03:00.0"} {
		write(t, filepath.Join(root, gpusFolder, bus, "information"), fmt.Sprintf(
			"Model: \t\t Tesla V100-PCIE-16GB\nIRQ:   \t\t 183\nGPU UUID: \t GPU-%d\nVideo BIOS: \t 88.00.13.00.05\nBus Type: \t PCIe\nBus Location: \t %s\nDevice Minor: \t %d\nGPU Excluded:\t No\n", n, bus, n))
	}
	if err := os.MkdirAll(filepath.Join(root, devFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	for n, d := range fakes {
		makeNode(t, filepath.Join(root, devFolder, fmt.Sprint("nvidia", n)), d[0], d[1])
	}
	makeNode(t, filepath.Join(root, devFolder, "nvidiactl"), 1, 3)
	library, err := os.ReadFile("/usr/bin/busybox") // it has 64 bits
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "usr/lib64/libcuda.so.550.1"), string(library))
	for link, to := range map[string]string{"lib64/libcuda.so.1": "libcuda.so.550.1", "lib64/libnvidia-old.so.1": "gone", "bin/nvidia-persistenced": "gone"} {
		path := filepath.Join(root, "usr", link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "usr/lib64/libnvidia-text.so"), "/* a linker's script */")
	write(t, filepath.Join(root, "usr/bin/nvidia-smi"), "a program")
	return root
}
