// Package nnp keeps programs from gaining privileges: by set-uid files, by
// capabilities of files (PR_SET_NO_NEW_PRIVS). Imported by wiring.
package nnp

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// Name is as --isolation has it.
const Name = "linux/nnp"

// Isolator sets no_new_privs for every container. It keeps no state.
type Isolator struct{}

// New fails on kernels before 3.5.
func New() (Isolator, error) {
	if _, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil {
		return Isolator{}, fmt.Errorf("%s: the kernel has no no_new_privs: %w", Name, err)
	}
	return Isolator{}, nil
}

// Name is as --isolation has it.
func (Isolator) Name() string { return Name }

// Prepare never fails.
func (Isolator) Prepare(_ context.Context, _ *isolator.Container, p *plan.Plan) error {
	p.NoNewPrivileges = true
	return nil
}
