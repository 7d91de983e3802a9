package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// source is where Debian's packages of an architecture come from: the machine's own
// mirrors. For another architecture apt has lists of its own, so that nothing of the
// machine's changes.
type source struct {
	arch    *arch
	scratch string
	options []string
}

// newSource has a folder below dir for what it downloads, until it is closed.
func newSource(a *arch, dir string) (*source, error) {
	scratch, err := os.MkdirTemp(dir, "deb")
	if err != nil {
		return nil, err
	}
	s := &source{arch: a, scratch: scratch}
	// apt downloads as a user of its own.
	if err := os.Chmod(scratch, 0o777); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if a.native() {
		return s, nil
	}
	own := filepath.Join(dir, "apt")
	for _, folder := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(own, folder), 0o755); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	status := filepath.Join(own, "status") // of what is installed: nothing
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for _, o := range []string{
		"Dir::State=" + filepath.Join(own, "state"), "Dir::State::status=" + status, "Dir::Cache=" + filepath.Join(own, "cache"),
		"APT::Architecture=" + a.name, "APT::Architectures::=" + a.name, "APT::Sandbox::User=root",
		"Dir::Cache::pkgcache=pkgcache.bin", "Dir::Cache::srcpkgcache=srcpkgcache.bin", // which images for Docker leave out
		"Acquire::Languages=none", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
	} {
		s.options = append(s.options, "-o", o)
	}
	return s, nil
}

func (s *source) close() error { return os.RemoveAll(s.scratch) }

// apt runs a command of apt, and once more with new lists if it fails: there may be
// none, or they name what the mirrors no longer have.
func (s *source) apt(ctx context.Context, name string, arguments ...string) (string, error) {
	out, err := command(ctx, s.scratch, name, slices.Concat(s.options, arguments)...)
	if err == nil {
		return out, nil
	}
	if _, uerr := command(ctx, s.scratch, "apt-get", slices.Concat(s.options, []string{"update", "-q"})...); uerr != nil {
		return "", errors.Join(err, uerr)
	}
	return command(ctx, s.scratch, name, slices.Concat(s.options, arguments)...)
}

// unpack downloads a package and makes the folder to with what it has.
func (s *source) unpack(ctx context.Context, name, to string) error {
	if _, err := s.apt(ctx, "apt-get", "download", name); err != nil {
		return err
	}
	found, err := filepath.Glob(s.scratch + "/" + name + "_*.deb")
	if err != nil || len(found) != 1 {
		return fmt.Errorf("apt-get download %s: %d packages, %v", name, len(found), err)
	}
	_, err = command(ctx, s.scratch, "dpkg-deb", "-x", found[0], to)
	return err
}

// kernel is the package that the newest kernel for clouds is in.
func (s *source) kernel(ctx context.Context) (string, error) {
	meta := "linux-image-cloud-" + s.arch.name
	out, err := s.apt(ctx, "apt-cache", "depends", meta)
	if err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "Depends:" && strings.HasPrefix(f[1], "linux-image-") {
			return f[1], nil
		}
	}
	return "", fmt.Errorf("apt knows no package %s", meta)
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
	"qemu-system-x86_64": "qemu-system-x86", "qemu-system-aarch64": "qemu-system-arm", "busybox": "busybox-static",
	"depmod": "kmod", "dpkg-deb": "dpkg", "apt-get": "apt", "apt-cache": "apt", "ldd": "libc-bin",
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
