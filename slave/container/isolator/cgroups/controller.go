package cgroups

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// Controller is one that can be used. Version 1 has a folder per container in
// each one's hierarchy, ROOT/ID; version 2 has one for all, whose own processes
// are in ROOT/ID/leaf, as no group there has both processes and groups below
// that are held to something. Nested containers are in ROOT/ID/mesos/CHILD.
type Controller struct {
	tree *Tree
	name string
	base string
	// cpus says that its hierarchy is that of cpuset too, as of version 1.
	cpus bool
}

// Trial begins the names of folders, beside those of containers, in which it is
// tried what the kernel can do.
const Trial = ".trial-"

// Names of folders in that of a container.
const (
	leaf   = "leaf"
	nested = "mesos"
)

// Unified says that it is one of version 2.
func (c *Controller) Unified() bool { return c.tree.unified != nil }

// Base is the folder that holds those of all containers.
func (c *Controller) Base() string { return c.base }

// Dir is the folder of a container.
func (c *Controller) Dir(id []string) string {
	return c.base + "/" + strings.Join(id, "/"+nested+"/")
}

// Procs is the folder of a container's own processes.
func (c *Controller) Procs(id []string) string {
	if c.Unified() {
		return c.Dir(id) + "/" + leaf
	}
	return c.Dir(id)
}

// Create makes the folder of a container, and has its programs join it. Nothing
// is left of an attempt that fails. A folder that is there already is taken as
// it is: an attempt before a crash has left it.
func (c *Controller) Create(id []string, p *plan.Plan) (dir string, err error) {
	if err := checkID(id); err != nil {
		return "", err
	}
	dir = c.Dir(id)
	if c.Unified() {
		err = c.create2(id)
	} else {
		err = c.mkdirAll(c.base, strings.Join(id, "/"+nested+"/"))
	}
	if err != nil {
		return "", fmt.Errorf("cgroups: folder of a container: %w", errors.Join(err, c.undo(dir)))
	}
	if procs := c.Procs(id); !slices.Contains(p.Cgroups, procs) {
		p.Cgroups = append(p.Cgroups, procs)
	}
	return dir, nil
}

func checkID(id []string) error {
	if len(id) == 0 {
		return errors.New("cgroups: a container without an id")
	}
	for _, name := range id {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00\n") {
			return fmt.Errorf("cgroups: container id %q: no plain file name", name)
		}
	}
	return nil
}

// undo removes what a failed Create has made.
func (c *Controller) undo(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.tree.settings.DestroyTimeout)
	defer cancel()
	return Remove(ctx, dir)
}

// mkdirAll makes each folder of a relative path that is missing.
func (c *Controller) mkdirAll(from, path string) error {
	for part := range strings.SplitSeq(path, "/") {
		from += "/" + part
		if err := mkdir(from); err != nil {
			return err
		}
		if c.cpus {
			if err := inherit(from); err != nil {
				return err
			}
		}
	}
	return nil
}

// inherit gives a folder the CPUs and memory nodes of the one above, unless it has
// some. On version 1 a group begins without, and no process can join it, though it
// may be there for another controller of the same hierarchy.
func inherit(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		var has, above string
		if err := readText(dir, file, &has); err != nil || has != "" {
			return err
		}
		if err := readText(filepath.Dir(dir), file, &above); err != nil {
			return err
		}
		if err := Write(dir, file, above); err != nil {
			return err
		}
	}
	return nil
}

func readText(dir, file string, to *string) error {
	return Read(dir, file, func(b []byte) error {
		*to = string(bytes.TrimSpace(b))
		return nil
	})
}

// create2 enables the controller only for groups that hold a nested container:
// a leaf needs none, and what each costs the kernel is not small.
func (c *Controller) create2(id []string) error {
	dir := c.base
	for i, name := range id {
		if i > 0 {
			if err := c.enable(dir); err != nil {
				return err
			}
			dir += "/" + nested
			if err := mkdir(dir); err != nil {
				return err
			}
			if err := c.enable(dir); err != nil {
				return err
			}
		}
		dir += "/" + name
		if err := mkdir(dir); err != nil {
			return err
		}
	}
	return mkdir(dir + "/" + leaf)
}

func mkdir(path string) error {
	if err := unix.Mkdir(path, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return &os.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// Cleanup removes the folder of a container. It waits until the kernel lets go of
// it, for the DestroyTimeout at most.
func (c *Controller) Cleanup(ctx context.Context, id []string) error {
	if err := checkID(id); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.tree.settings.DestroyTimeout)
	defer cancel()
	return Remove(ctx, c.Dir(id))
}

// Recover lists the containers that have a folder, outer ones first.
func (c *Controller) Recover() ([][]string, error) {
	return containersIn(c.base, nil)
}

func containersIn(dir string, outer []string) ([][]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cgroups: containers: %w", err)
	}
	var found [][]string
	for _, e := range entries {
		if len(dir)+len(e.Name()) >= longPath {
			break // no container's: it would be nested hundreds deep
		}
		if !e.IsDir() || strings.HasPrefix(e.Name(), Trial) {
			continue
		}
		id := append(slices.Clone(outer), e.Name())
		inner, err := containersIn(filepath.Join(dir, e.Name(), nested), id)
		if err != nil {
			return nil, err
		}
		found = append(append(found, id), inner...)
	}
	return found, nil
}
