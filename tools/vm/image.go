package vm

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// image writes an initramfs: a cpio archive in the "newc" format.
type image struct {
	w    *bufio.Writer
	n    int64
	err  error
	made map[string]bool
	ino  int
}

func newImage(w io.Writer) *image {
	return &image{w: bufio.NewWriter(w), made: map[string]bool{"/": true, ".": true}}
}

func (i *image) write(s string) {
	if i.err == nil {
		_, i.err = i.w.WriteString(s)
		i.n += int64(len(s))
	}
}

func (i *image) pad() {
	if over := i.n % 4; over > 0 {
		i.write("\x00\x00\x00"[:4-over])
	}
}

// header of an entry; see cpio(5).
func (i *image) header(name string, mode uint32, size int64) {
	i.ino++
	i.write("070701")
	for _, field := range []int64{int64(i.ino), int64(mode), 0, 0, 1, 0, size, 0, 0, 0, 0, int64(len(name) + 1), 0} {
		i.write(fmt.Sprintf("%08X", field))
	}
	i.write(name + "\x00")
	i.pad()
}

// folder makes one with all above it.
func (i *image) folder(name string) {
	name = path.Clean("/" + name)
	if i.made[name] {
		return
	}
	i.folder(path.Dir(name))
	i.made[name] = true
	i.header(name[1:], unix.S_IFDIR|0o755, 0)
}

// text makes a file.
func (i *image) text(name, content string, mode uint32) {
	if name = path.Clean("/" + name); i.made[name] {
		return
	}
	i.folder(path.Dir(name))
	i.made[name] = true
	i.header(name[1:], unix.S_IFREG|mode, int64(len(content)))
	i.write(content)
	i.pad()
}

// file copies one of the machine's, or a folder with all that is in it.
func (i *image) file(name, from string) {
	if i.err != nil {
		return
	}
	i.err = filepath.WalkDir(from, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		target := path.Join(name, below)
		if d.IsDir() {
			i.folder(target)
			return i.err
		}
		data, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		info, err := os.Stat(at) // what a link leads to
		if err != nil {
			return err
		}
		i.text(target, string(data), uint32(info.Mode().Perm()))
		return i.err
	})
}

func (i *image) close() error {
	i.header("TRAILER!!!", 0, 0)
	if i.err == nil {
		i.err = i.w.Flush()
	}
	if i.err != nil {
		return fmt.Errorf("vm: image: %w", i.err)
	}
	return nil
}

// moduleFiles are those of kernel modules with all that they need, in the order
// in which they are loaded. Names may have - or _. What is built in needs none.
func moduleFiles(k kernel, names []string) ([]string, error) {
	dep, err := os.ReadFile(filepath.Join(k.modules(), "modules.dep"))
	if err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	builtin, err := os.ReadFile(filepath.Join(k.modules(), "modules.builtin"))
	if err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	needs := map[string][]string{} // by name: its own file, and those of what it needs
	for line := range strings.Lines(string(dep)) {
		file, after, _ := strings.Cut(strings.TrimSpace(line), ":")
		needs[moduleName(file)] = append([]string{file}, strings.Fields(after)...)
	}
	var files []string
	for _, name := range names {
		list, ok := needs[moduleName(name)]
		if !ok {
			if slices.ContainsFunc(strings.Fields(string(builtin)), func(f string) bool { return moduleName(f) == moduleName(name) }) {
				continue
			}
			return nil, fmt.Errorf("vm: kernel %s has no module %s", k.version, name)
		}
		// What is needed first comes last.
		for _, f := range slices.Backward(list) {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files, nil
}

func moduleName(file string) string {
	base, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(base, "-", "_")
}
