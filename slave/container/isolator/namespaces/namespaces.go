// Package namespaces is what the isolators below it share: whether this machine has
// a kind of namespaces, and whether this process may make one. Imported by them.
package namespaces

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Check says why an isolator cannot have namespaces of the kind that /proc/PID/ns
// calls so; nil if it can.
func Check(isolator, kind string) error {
	_, err := os.Stat("/proc/self/ns/" + kind)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: the kernel has no %s namespaces", isolator, kind)
	case err != nil:
		return fmt.Errorf("%s: %w", isolator, err)
	}
	return Privileged(isolator)
}

// Privileged says why an isolator may not make namespaces and mounts; nil if it may.
func Privileged(isolator string) error {
	const admin = unix.CAP_SYS_ADMIN
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("%s: asking for the own capabilities: %w", isolator, err)
	}
	if sets[0].Effective&(1<<admin) == 0 {
		return fmt.Errorf("%s: the agent must run as root, or with the capability CAP_SYS_ADMIN", isolator)
	}
	return nil
}
