package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// kernel is Debian's for clouds, unpacked in a folder and not installed.
type kernel struct {
	dir, version string
}

func (k kernel) image() string   { return filepath.Join(k.dir, "vmlinuz") }
func (k kernel) modules() string { return filepath.Join(k.dir, "lib/modules", k.version) }

// fetchKernel downloads it the first time. Only one process does.
func fetchKernel(ctx context.Context) (kernel, error) {
	if runtime.GOARCH != "amd64" {
		return kernel{}, fmt.Errorf("vm: the kernel is for amd64, and this is %s", runtime.GOARCH)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return kernel{}, fmt.Errorf("vm: %w", err)
	}
	k := kernel{dir: filepath.Join(cache, "troupe", "vm")}
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
		version, err = unpackKernel(ctx, k.dir)
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

// unpackKernel returns the kernel's version.
func unpackKernel(ctx context.Context, dir string) ([]byte, error) {
	name, err := kernelPackage(ctx)
	if err != nil {
		return nil, err
	}
	debs, err := os.MkdirTemp(dir, "deb")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(debs)
	// apt downloads as a user of its own.
	if err := os.Chmod(debs, 0o777); err != nil {
		return nil, err
	}
	// The unsigned and the signed one hold the same kernel; mirrors may lack one.
	if _, err := command(ctx, debs, "apt-get", "download", name+"-unsigned"); err != nil {
		if _, err = command(ctx, debs, "apt-get", "download", name); err != nil {
			return nil, err
		}
	}
	found, err := filepath.Glob(debs + "/*.deb")
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("apt-get download %s: %d packages, %v", name, len(found), err)
	}
	root := filepath.Join(debs, "root")
	if _, err := command(ctx, debs, "dpkg-deb", "-x", found[0], root); err != nil {
		return nil, err
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

// kernelPackage is the package that the newest kernel for clouds is in.
func kernelPackage(ctx context.Context) (string, error) {
	const meta = "linux-image-cloud-amd64"
	find := func() (string, error) {
		out, err := command(ctx, "/", "apt-cache", "depends", meta)
		if err != nil {
			return "", err
		}
		for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); {
			if f := strings.Fields(s.Text()); len(f) == 2 && f[0] == "Depends:" && strings.HasPrefix(f[1], "linux-image-") {
				return f[1], nil
			}
		}
		return "", fmt.Errorf("apt knows no package %s", meta)
	}
	if name, err := find(); err == nil {
		return name, nil
	}
	if _, err := command(ctx, "/", "apt-get", "update", "-q"); err != nil {
		return "", err
	}
	return find()
}

// command runs a program of the machine and returns its output.
func command(ctx context.Context, dir, name string, arguments ...string) (string, error) {
	path, err := lookUp(name)
	if err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, path, arguments...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, out)
	}
	return string(out), nil
}

// packages are those that the programs which are needed come with.
var packages = map[string]string{
	"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "depmod": "kmod", "dpkg-deb": "dpkg",
	"apt-get": "apt", "apt-cache": "apt", "ldd": "libc-bin",
}

func lookUp(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	// It is an administrator's program, and PATH may be a user's.
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if unix.Access(dir+name, unix.X_OK) == nil {
			return dir + name, nil
		}
	}
	if p, ok := packages[name]; ok {
		return "", fmt.Errorf("%w: apt-get install %s", err, p)
	}
	return "", err
}
