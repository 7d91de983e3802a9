package vm

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const busyboxPackage = "busybox-static"

// busybox is the program of the machine's architecture.
func (k kernel) busybox() (string, error) {
	if k.arch.native() {
		return lookUp("busybox")
	}
	return k.packaged("/bin/busybox")
}

// unpackPackages downloads those that are not there yet.
func (k kernel) unpackPackages(ctx context.Context, names []string) error {
	s, err := newSource(k.arch, k.dir)
	if err != nil {
		return err
	}
	defer s.close()
	for _, name := range names {
		to := filepath.Join(k.packages(), name)
		if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
			if err != nil {
				return err
			}
			continue
		}
		root := filepath.Join(s.scratch, "root", name)
		if err := os.MkdirAll(root, 0o755); err != nil {
			return err
		}
		if err := s.unpack(ctx, name, root); err != nil {
			return err
		}
		if err := os.Rename(root, to); err != nil {
			return err
		}
	}
	return nil
}

// packaged finds a file of the packages by its path, whether they have the folders
// below /usr or not.
func (k kernel) packaged(name string) (string, error) {
	bare := strings.TrimPrefix(name, "/usr")
	for _, pattern := range []string{"/*" + bare, "/*/usr" + bare} {
		found, err := filepath.Glob(k.packages() + pattern)
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("no package of architecture %s has %s", k.arch.name, name)
}

// addPackaged adds a program, and the libraries that its loader will look for.
func (k kernel) addPackaged(i *image, name string) error {
	if i.made[name] {
		return nil
	}
	from, err := k.packaged(name)
	if err != nil {
		return err
	}
	i.file(name, from)
	needs, err := k.needs(from)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	for _, library := range needs {
		if err := k.addPackaged(i, library); err != nil {
			return fmt.Errorf("%w, which %s needs", err, name)
		}
	}
	return nil
}

// needs are the paths of a program's loader and libraries.
func (k kernel) needs(program string) ([]string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var needs []string
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		loader := make([]byte, p.Filesz)
		if _, err := p.ReadAt(loader, 0); err != nil {
			return nil, err
		}
		needs = append(needs, strings.TrimRight(string(loader), "\x00"))
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, l := range libraries {
		// The loader is among what libraries need as well, and is not where those are.
		if !strings.HasPrefix(l, "ld-linux") {
			needs = append(needs, path.Join("/lib", k.arch.libraries, l))
		}
	}
	return needs, nil
}
