package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// kernel is Debian's for clouds, unpacked in a folder and not installed.
type kernel struct {
	arch         *arch
	dir, version string
}

func (k kernel) image() string   { return filepath.Join(k.dir, "vmlinuz") }
func (k kernel) modules() string { return filepath.Join(k.dir, "lib/modules", k.version) }

// packages is a folder with one for each package of another architecture.
func (k kernel) packages() string { return filepath.Join(k.dir, "packages") }

// fetchKernel downloads it the first time, and packages where the architecture is
// another. Only one process does.
func fetchKernel(ctx context.Context, a *arch, packages []string) (kernel, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return kernel{}, fmt.Errorf("vm: %w", err)
	}
	k := kernel{arch: a, dir: filepath.Join(cache, "troupe", "vm", a.name)}
	if err := os.MkdirAll(k.packages(), 0o755); err != nil {
		return k, fmt.Errorf("vm: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(k.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return k, fmt.Errorf("vm: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return k, fmt.Errorf("vm: lock %s: %w", lock.Name(), err)
	}
	done := filepath.Join(k.dir, "version")
	version, err := os.ReadFile(done)
	if errors.Is(err, os.ErrNotExist) {
		version, err = unpackKernel(ctx, a, k.dir)
		if err == nil {
			err = os.WriteFile(done, version, 0o644)
		}
	}
	if err != nil {
		return k, fmt.Errorf("vm: kernel: %w", err)
	}
	k.version = string(version)
	if a.native() {
		return k, nil
	}
	if err := k.unpackPackages(ctx, append([]string{busyboxPackage}, packages...)); err != nil {
		return k, fmt.Errorf("vm: packages: %w", err)
	}
	return k, nil
}

// unpackKernel returns the kernel's version.
func unpackKernel(ctx context.Context, a *arch, dir string) ([]byte, error) {
	s, err := newSource(a, dir)
	if err != nil {
		return nil, err
	}
	defer s.close()
	name, err := s.kernel(ctx)
	if err != nil {
		return nil, err
	}
	// The unsigned and the signed one hold the same kernel; mirrors may lack one.
	root := filepath.Join(s.scratch, "root")
	if err := s.unpack(ctx, name+"-unsigned", root); err != nil {
		if err := s.unpack(ctx, name, root); err != nil {
			return nil, err
		}
	}
	return arrange(ctx, root, dir)
}

// arrange moves what is needed out of an unpacked package.
func arrange(ctx context.Context, root, dir string) ([]byte, error) {
	images, err := filepath.Glob(root + "/boot/vmlinuz-*")
	if err != nil || len(images) != 1 {
		return nil, fmt.Errorf("%d kernels in the package, %v", len(images), err)
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	// A usrmerged package has its modules in /usr/lib.
	modules, err := filepath.Glob(root + "/lib/modules")
	if err == nil && len(modules) == 0 {
		modules, err = filepath.Glob(root + "/usr/lib/modules")
	}
	if err != nil || len(modules) != 1 {
		return nil, fmt.Errorf("no modules in the package, %v", err)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "lib")), os.Mkdir(filepath.Join(dir, "lib"), 0o755)); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Rename(modules[0], filepath.Join(dir, "lib/modules")), os.Rename(images[0], filepath.Join(dir, "vmlinuz"))); err != nil {
		return nil, err
	}
	_, err = command(ctx, dir, "depmod", "-b", dir, version)
	return []byte(version), err
}
