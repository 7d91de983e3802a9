package nvidia

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// volume is where containers with a root folder of their own find the driver's
// programs and libraries, as in Mesos.
const volume = "/usr/local/nvidia"

// mount is a file of the driver.
type mount struct{ source, target string }

// folders are where distributions put libraries and programs.
var (
	libraryFolders = []string{
		"usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib/i386-linux-gnu", "usr/lib64", "usr/lib", "usr/lib32",
		"usr/lib/x86_64-linux-gnu/nvidia/current", "usr/lib/aarch64-linux-gnu/nvidia/current", "usr/local/lib",
	}
	programFolders = []string{"usr/bin", "usr/local/bin", "usr/sbin"}
	libraries      = []string{
		"libcuda.so*", "libcudadebugger.so*", "libnvidia-*.so*", "libnvcuvid.so*", "libnvoptix.so*", "libvdpau_nvidia.so*",
		"libGLX_nvidia.so*", "libEGL_nvidia.so*", "libGLESv1_CM_nvidia.so*", "libGLESv2_nvidia.so*",
	}
	programs = []string{"nvidia-smi", "nvidia-debugdump", "nvidia-persistenced", "nvidia-cuda-mps-control", "nvidia-cuda-mps-server"}
)

// driver finds what of the driver programs use; libraries of 32 bits and of 64
// have folders of their own.
func driver(root string) ([]mount, error) {
	var found []mount
	seen := map[string]bool{}
	add := func(folders, patterns []string, to func(path string) (string, error)) error {
		for _, folder := range folders {
			for _, pattern := range patterns {
				paths, err := filepath.Glob(filepath.Join(root, folder, pattern))
				if err != nil {
					return err
				}
				for _, path := range paths {
					source, err := filepath.EvalSymlinks(path)
					if errors.Is(err, fs.ErrNotExist) {
						continue // a link that an older driver has left
					}
					if err != nil {
						return err
					}
					in, err := to(source)
					if err != nil {
						return err
					}
					target := filepath.Join(volume, in, filepath.Base(path))
					if in == "" || seen[target] {
						continue
					}
					seen[target] = true
					found = append(found, mount{source, target})
				}
			}
		}
		return nil
	}
	err := add(libraryFolders, libraries, width)
	if err == nil {
		err = add(programFolders, programs, func(string) (string, error) { return "bin", nil })
	}
	slices.SortFunc(found, func(a, b mount) int { return strings.Compare(a.target, b.target) })
	return found, err
}

// width is the folder of a library; empty for what is none.
func width(path string) (string, error) {
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("library of the driver: %w", err)
	}
	if f.Class == elf.ELFCLASS32 {
		return "lib", f.Close()
	}
	return "lib64", f.Close()
}

// show plans the driver's files for a container with a root folder of its own.
// Others see them where they are.
func (i *Isolator) show(p *plan.Plan) {
	p.New |= plan.NewMount
	for _, m := range i.driver {
		p.Mounts = append(p.Mounts, plan.Mount{
			Source: m.source, Target: filepath.Join(p.Root, m.target), TargetBelow: p.Root, File: true,
			Flags: unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV,
		})
	}
	p.Env = append(p.Env, "LD_LIBRARY_PATH="+volume+"/lib64:"+volume+"/lib")
}
