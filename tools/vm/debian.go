package vm

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// source is where Debian's packages of an architecture come from: the machine's own
// mirrors. For another architecture apt has lists of its own, so that nothing of the
// machine's changes.
type source struct {
	arch    *arch
	dir     string
	options []string
}

func newSource(ctx context.Context, a *arch, dir string) (*source, error) {
	s := &source{arch: a, dir: dir}
	if a.native() {
		return s, nil
	}
	own := filepath.Join(dir, "apt")
	for _, folder := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(own, folder), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(own, "status"), nil, 0o644); err != nil {
		return nil, err
	}
	for _, o := range []string{
		"Dir::State=" + filepath.Join(own, "state"), "Dir::State::status=" + filepath.Join(own, "status"), "Dir::Cache=" + filepath.Join(own, "cache"),
		"APT::Architecture=" + a.name, "APT::Architectures::=" + a.name, "APT::Sandbox::User=root",
		"Acquire::Languages=none", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
	} {
		s.options = append(s.options, "-o", o)
	}
	_, err := s.apt(ctx, "apt-get", "update", "-q")
	return s, err
}

func (s *source) apt(ctx context.Context, name string, arguments ...string) (string, error) {
	return command(ctx, s.dir, name, append(s.options[:len(s.options):len(s.options)], arguments...)...)
}

// unpack downloads a package and returns the folder with what it has.
func (s *source) unpack(ctx context.Context, name string) (string, error) {
	if _, err := s.apt(ctx, "apt-get", "download", name); err != nil {
		return "", err
	}
	found, err := filepath.Glob(s.dir + "/" + name + "_*.deb")
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("apt-get download %s: %d packages, %v", name, len(found), err)
	}
	root := filepath.Join(s.dir, "root", name)
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	_, err = command(ctx, s.dir, "dpkg-deb", "-x", found[0], root)
	return root, err
}

// kernel is the package that the newest kernel for clouds is in.
func (s *source) kernel(ctx context.Context) (string, error) {
	meta := "linux-image-cloud-" + s.arch.name
	find := func() (string, error) {
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
	if name, err := find(); err == nil {
		return name, nil
	}
	if _, err := s.apt(ctx, "apt-get", "update", "-q"); err != nil {
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
