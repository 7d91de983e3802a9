// Package seccomp holds programs to the system calls that a profile allows:
// files in the format of OCI and Docker, compiled to the kernel's filters.
// Imported by wiring.
package seccomp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/linux/capabilities"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "linux/seccomp"

// Settings are the operator's.
type Settings struct {
	// Dir is the folder of profiles, absolute (--seccomp_config_dir).
	Dir string
	// Profile is the file in it for containers that do not say
	// (--seccomp_profile_name); empty leaves these unconfined.
	Profile string
}

// Isolator sets filters. It keeps no state but the default profile, as it was
// when the isolator was made.
type Isolator struct {
	dir      string
	profile  *profile
	kernel   version
	bounding capabilities.Set
}

// New fails when the kernel has no filters, when there is no folder of profiles,
// and when the default profile cannot be used on this machine.
func New(s Settings) (*Isolator, error) {
	if s.Dir == "" {
		return nil, errors.New(Name + " needs --seccomp_config_dir, the folder of profiles")
	}
	if info, err := os.Stat(s.Dir); err != nil || !info.IsDir() || !filepath.IsAbs(s.Dir) {
		return nil, field.Invalid("--seccomp_config_dir", s.Dir, "must be a folder, by an absolute path")
	}
	i := &Isolator{dir: s.Dir}
	if err := i.look(); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	if s.Profile == "" {
		return i, nil
	}
	p, err := i.read(s.Profile)
	if err == nil {
		_, err = compile(p, i.machine(nil))
	}
	if err != nil {
		return nil, field.In("--seccomp_profile_name", named(s.Profile, err))
	}
	i.profile = p
	return i, nil
}

// look learns what of the machine profiles ask for.
func (i *Isolator) look() error {
	for name, action := range actions {
		a := uint32(action)
		if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&a))); errno != 0 {
			return fmt.Errorf("the kernel does not have %s: %w", name, errno)
		}
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	var err error
	if i.kernel, err = toVersion(unix.ByteSliceToString(u.Release[:])); err != nil {
		return err
	}
	held, err := capabilities.Hold()
	i.bounding = held.Bounding
	return err
}

func (i *Isolator) machine(c *plan.Capabilities) machine {
	m := machine{goarch: runtime.GOARCH, kernel: i.kernel, bounding: i.bounding}
	if c != nil {
		m.bounding &= capabilities.Set(c.Bounding)
	}
	return m
}

// Name is as --isolation has it.
func (i *Isolator) Name() string { return Name }

// Prepare plans the filter. What of the profile depends on capabilities goes by
// the bounding set that is planned so far. Errors name the profile.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	profile, err := i.choose(c.Info.GetLinuxInfo().GetSeccomp())
	if err != nil {
		return field.In("container.linux_info.seccomp", err)
	}
	if profile == nil {
		return nil
	}
	code, err := compile(profile, i.machine(p.Capabilities))
	if err != nil {
		return field.In("container.linux_info.seccomp", named(c.Info.GetLinuxInfo().GetSeccomp().GetProfileName(), err))
	}
	p.Seccomp = code
	return nil
}

// choose is nil for a container without a filter.
func (i *Isolator) choose(s *mesos.SeccompInfo) (*profile, error) {
	switch {
	case s == nil:
		return i.profile, nil
	case s.GetUnconfined() && s.ProfileName != nil:
		return nil, field.Invalid("profile_name", s.GetProfileName(), "cannot be set with unconfined")
	case s.GetUnconfined():
		return nil, nil
	case s.ProfileName == nil:
		return nil, field.Missing("profile_name")
	}
	p, err := i.read(s.GetProfileName())
	if err != nil {
		return nil, field.In("profile_name", named(s.GetProfileName(), err))
	}
	return p, nil
}

func named(name string, err error) error {
	return field.Invalid("", name, "%s", err)
}

// read reads a profile; no name leads out of the folder.
func (i *Isolator) read(name string) (_ *profile, err error) {
	root, err := os.OpenRoot(i.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // nor waits for a pipe's writer
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("is not a file"))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err != nil {
		return nil, err
	}
	return parse(data)
}
