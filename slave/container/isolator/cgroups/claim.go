package cgroups

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Claim makes the root folder of containers one agent's own for as long as the file
// that it returns is open: an agent ends whatever it finds there and does not know,
// so two of them would end each other's containers.
func (t *Tree) Claim() (*os.File, error) {
	name := "freezer"
	if t.unified != nil {
		name = ""
	}
	c, err := t.Controller(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(c.Base())
	if err != nil {
		return nil, fmt.Errorf("cgroups: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		err = fmt.Errorf("cgroups: %s is the root of another agent that runs: give each its own --cgroups_root", c.Base())
	case err != nil:
		err = fmt.Errorf("cgroups: claiming %s: %w", c.Base(), err)
	default:
		return f, nil
	}
	return nil, errors.Join(err, f.Close())
}
