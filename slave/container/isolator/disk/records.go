package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// Records are what hosts know of their containers, a file each:
//
//	DIR/ID/use.json
//	DIR/ID/containers/CHILD/use.json
//
// A file is always whole, and need not survive the machine.
type Records struct {
	// Dir is absolute, and nobody's but the agent's.
	Dir string
}

// In is where the records of an agent are.
func In(workDir string) Records { return Records{Dir: filepath.Join(workDir, "meta", "disk")} }

const (
	record = "use.json"
	nested = "containers"
)

func (r Records) folder(id []string) (string, error) {
	if len(id) == 0 {
		return "", errors.New("a container without an id")
	}
	path := r.Dir
	for i, name := range id {
		if name == "" || name == "." || name == ".." || filepath.Base(name) != name {
			return "", fmt.Errorf("container id %q is no file name", name)
		}
		if i > 0 {
			path = filepath.Join(path, nested)
		}
		path = filepath.Join(path, name)
	}
	return path, nil
}

// Write replaces what is known of a container.
func (r Records) Write(id []string, list []Use) error {
	dir, err := r.folder(id)
	if err != nil {
		return err
	}
	data, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write use of disk: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write use of disk: %w", err)
	}
	fresh := filepath.Join(dir, record+".new")
	if err := os.WriteFile(fresh, data, 0o644); err != nil {
		return fmt.Errorf("write use of disk: %w", err)
	}
	return os.Rename(fresh, filepath.Join(dir, record))
}

// Read returns nothing of a container that is not known.
func (r Records) Read(id []string) ([]Use, error) {
	dir, err := r.folder(id)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, record))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []Use
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("read use of disk: %w", err)
	}
	return list, nil
}

// Remove forgets a container and those in it.
func (r Records) Remove(id []string) error {
	dir, err := r.folder(id)
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// List has the ids of all containers that are known, the outer before the inner.
func (r Records) List() ([][]string, error) {
	return list(r.Dir, nil)
}

func list(dir string, above []string) ([][]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list use of disk: %w", err)
	}
	var found [][]string
	for _, e := range entries {
		id := append(slices.Clone(above), e.Name())
		in, err := list(filepath.Join(dir, e.Name(), nested), id)
		if err != nil {
			return nil, err
		}
		found = append(append(found, id), in...)
	}
	return found, nil
}

// form is a Use as it is in a file: resources are in the form of protobuf.
type form struct {
	Path     string
	Limit    uint64  `json:",omitempty"`
	Used     *uint64 `json:",omitempty"`
	Resource []byte  `json:",omitempty"`
	Project  uint32  `json:",omitempty"`
}

// MarshalJSON is for Records.
func (u Use) MarshalJSON() ([]byte, error) {
	f := form{Path: u.Path, Limit: u.Limit, Used: u.Used, Project: u.Project}
	if u.Resource != nil {
		data, err := proto.Marshal(u.Resource)
		if err != nil {
			return nil, err
		}
		f.Resource = data
	}
	return json.Marshal(f)
}

// UnmarshalJSON is for Records.
func (u *Use) UnmarshalJSON(data []byte) error {
	var f form
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	*u = Use{Path: f.Path, Limit: f.Limit, Used: f.Used, Project: f.Project}
	if f.Resource != nil {
		u.Resource = &mesos.Resource{}
		return proto.Unmarshal(f.Resource, u.Resource)
	}
	return nil
}
