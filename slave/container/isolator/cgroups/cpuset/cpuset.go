// Package cpuset is cgroups/cpuset: each container has a group there, with all
// CPUs and memory nodes of the group above, that operators may narrow. Imported
// by wiring.
package cpuset

import (
	"bytes"
	"path/filepath"

	"troupe/slave/container/isolator/cgroups"
)

// Isolator places containers.
type Isolator struct{ *cgroups.Place }

// New fails when the kernel has no cpusets.
func New(t *cgroups.Tree) (*Isolator, error) {
	// On version 1 a group begins without CPUs, and no process can join it.
	p, err := t.PlacePrepared("cgroups/cpuset", inherit, "cpuset")
	if err != nil {
		return nil, err
	}
	return &Isolator{p}, nil
}

func inherit(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		var has, above string
		if err := read(dir, file, &has); err != nil || has != "" {
			return err
		}
		if err := read(filepath.Dir(dir), file, &above); err != nil {
			return err
		}
		if err := cgroups.Write(dir, file, above); err != nil {
			return err
		}
	}
	return nil
}

func read(dir, file string, to *string) error {
	return cgroups.Read(dir, file, func(b []byte) error {
		*to = string(bytes.TrimSpace(b))
		return nil
	})
}
