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

// busybox is the program of the machine's architecture.
func (k kernel) busybox() (string, error) {
	if k.arch.native() {
		return lookUp("busybox")
	}
	return filepath.Join(k.dir, "busybox"), nil
}

// fetchKernel downloads it the first time. Only one process does.
func fetchKernel(ctx context.Context, a *arch) (kernel, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return kernel{}, fmt.Errorf("vm: %w", err)
	}
	k := kernel{arch: a, dir: filepath.Join(cache, "troupe", "vm", a.name)}
	if err := os.MkdirAll(k.dir, 0o755); err != nil {
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
		version, err = unpackAll(ctx, a, k.dir)
		if err == nil {
			err = os.WriteFile(done, version, 0o644)
		}
	}
	if err != nil {
		return k, fmt.Errorf("vm: kernel: %w", err)
	}
	k.version = string(version)
	return k, nil
}

// unpackAll returns the kernel's version.
func unpackAll(ctx context.Context, a *arch, dir string) ([]byte, error) {
	scratch, err := os.MkdirTemp(dir, "deb")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	// apt downloads as a user of its own.
	if err := os.Chmod(scratch, 0o777); err != nil {
		return nil, err
	}
	p, err := newSource(ctx, a, scratch)
	if err != nil {
		return nil, err
	}
	if !a.native() {
		root, err := p.unpack(ctx, "busybox-static")
		if err != nil {
			return nil, err
		}
		if err := os.Rename(filepath.Join(root, "bin/busybox"), filepath.Join(dir, "busybox")); err != nil {
			return nil, err
		}
	}
	name, err := p.kernel(ctx)
	if err != nil {
		return nil, err
	}
	// The unsigned and the signed one hold the same kernel; mirrors may lack one.
	root, err := p.unpack(ctx, name+"-unsigned")
	if err != nil {
		if root, err = p.unpack(ctx, name); err != nil {
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
