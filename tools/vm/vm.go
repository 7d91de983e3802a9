// Package vm runs programs, usually tests, on another kernel than the machine's:
// a virtual machine without hardware support, with control groups of version 2 or
// 1 or both, XFS with quotas, and netem, that boots in a few seconds. Imported by
// tests.
//
// The kernel is Debian's for clouds, fetched once and kept in the user's cache;
// what the machine has is a busybox and what it is given. Time passes much slower
// for programs in it than outside. It may be of another architecture (Machine.Arch).
package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Machine is what a virtual machine has. The zero value is useful.
type Machine struct {
	// Arch is its architecture, amd64 or arm64; empty is this machine's. Programs must
	// be built for it.
	Arch string
	// Memory in MiB; 0 is 768.
	Memory int
	// CPUs; 0 is 2.
	CPUs int
	// Timeout of a run, booting included; 0 is eight minutes, within the ten that go
	// test has.
	Timeout time.Duration
	// Modules of the kernel that are loaded, with those that they need, such as
	// "xfs", "loop", "overlay", "sch_netem".
	Modules []string
	// Files and folders of the real machine, by their path in the virtual one.
	Files map[string]string
	// Binaries are programs of the real machine, with the libraries that they need;
	// they are at the same path. Of another architecture they are those of Packages.
	Binaries []string
	// Packages are Debian's, with Binaries of another architecture and all libraries
	// that those need.
	Packages []string
	// Arguments of the kernel, such as "hugepages=16".
	Arguments []string
	// Groups are the control groups; those of version 2 unless others are named.
	Groups Groups
}

// Program is one to run in the machine, as root, in /work, where nothing else is.
type Program struct {
	// Path on the real machine, of a program without dynamic libraries.
	Path string
	Args []string
	// Env is added, as NAME=value.
	Env []string
}

// Result is how programs ended.
type Result struct {
	// Codes are the exit statuses, one per program.
	Codes []int
	// Console is all that they and the kernel wrote.
	Console string
	// Out is what they wrote to /dev/ttyS1, such as a profile.
	Out []byte
}

// Run boots the machine and runs programs one after the other, all of them once
// more if its kernel gets stuck. The error is of the machine; programs have their
// Codes.
func (m Machine) Run(ctx context.Context, programs ...Program) (r *Result, err error) {
	for range boots {
		if r, err = m.run(ctx, programs); !errors.Is(err, errStuck) {
			break
		}
	}
	return r, err
}

func (m Machine) run(ctx context.Context, programs []Program) (*Result, error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	ctx, cancel := context.WithTimeout(ctx, or(m.Timeout, 8*time.Minute))
	defer cancel()
	arch, err := architecture(m.Arch)
	if err != nil {
		return nil, err
	}
	qemu, err := lookUp(arch.qemu)
	if err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	k, err := fetchKernel(ctx, arch, m.Packages)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "troupe-vm")
	if err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	defer os.RemoveAll(dir)
	initrd := filepath.Join(dir, "initrd")
	if err := m.makeImage(ctx, k, initrd, programs); err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "out")
	c := exec.CommandContext(ctx, qemu, m.arguments(k, initrd, out)...)
	c.WaitDelay = 5 * time.Second
	// It ends with this process, however that does: the kernel sends the signal
	// when the thread ends that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := console{stuck: end}
	c.Stdout, c.Stderr = &said, &said
	ended := c.Run()
	r := &Result{Console: strings.ReplaceAll(said.text.String(), "\r", "")}
	if r.Out, err = os.ReadFile(out); err != nil && !errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("vm: %w", err)
	}
	return r, r.verdict(ctx, len(programs), ended)
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// arguments are qemu's. Without the CPU's help (TCG) it runs everywhere.
func (m Machine) arguments(k kernel, initrd, out string) []string {
	kernel := slices.Concat(k.arch.arguments, []string{
		"quiet", "loglevel=3", "panic=-1", "psi=1", "mitigations=off", "random.trust_cpu=on",
	}, m.Groups.arguments(), m.Arguments)
	return slices.Concat(k.arch.machine, []string{
		"-accel", "tcg,thread=multi", "-smp", strconv.Itoa(or(m.CPUs, 2)), "-m", strconv.Itoa(or(m.Memory, 768)),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none",
		"-kernel", k.image(), "-initrd", initrd, "-append", strings.Join(kernel, " "),
		"-serial", "stdio", "-chardev", "file,id=out,path=" + out,
	})
}

// exitLine is how the machine's init tells of the end of a program.
var exitLine = regexp.MustCompile(`(?m)^VM-EXIT (\d+) (\d+)$`)

func (r *Result) verdict(ctx context.Context, programs int, ended error) error {
	for _, line := range exitLine.FindAllStringSubmatch(r.Console, -1) {
		code, err := strconv.Atoi(line[2])
		if err != nil {
			return fmt.Errorf("vm: %q: %w", line[0], err)
		}
		r.Codes = append(r.Codes, code)
	}
	switch {
	case len(r.Codes) == programs:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("vm: %w after %d of %d programs; its console:\n%s", context.Cause(ctx), len(r.Codes), programs, r.Console)
	default:
		return fmt.Errorf("vm: it ended (%v) after %d of %d programs; its console:\n%s", ended, len(r.Codes), programs, r.Console)
	}
}
