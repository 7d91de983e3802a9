package detect

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/container/mountinfo"
)

// Disks looks after the disks that are not the work directory's. An error names
// the path.
type Disks interface {
	// Folder makes a folder unless it is there.
	Folder(root string) error
	// Mount returns the size, in bytes, of the file system mounted at root, and
	// fails when none is.
	Mount(root string) (uint64, error)
}

// prepare checks the disk that r comes from, makes its folder, and finds the
// size of a mounted one when r does not say it.
func prepare(r *mesos.Resource, disks Disks) error {
	source := r.GetDisk().GetSource()
	switch kind := source.GetType(); {
	case source == nil:
		return nil
	case kind == mesos.Resource_DiskInfo_Source_PATH:
		root := source.GetPath().GetRoot()
		if root == "" {
			return field.Missing("disk.source.path.root")
		}
		return at("disk.source.path.root", root, disks.Folder(root))
	case kind == mesos.Resource_DiskInfo_Source_MOUNT:
		root := source.GetMount().GetRoot()
		if root == "" {
			return field.Missing("disk.source.mount.root")
		}
		size, err := disks.Mount(root)
		if err == nil && r.Scalar == nil {
			r.Type, r.Scalar = mesos.Value_SCALAR.Enum(), &mesos.Value_Scalar{Value: new(float64(size / megabyte))}
		}
		return at("disk.source.mount.root", root, err)
	default:
		return field.Invalid("disk.source.type", kind, "must be PATH or MOUNT")
	}
}

func at(path, root string, err error) error {
	if err == nil {
		return nil
	}
	return field.Invalid(path, root, "%s", err)
}

type disks struct{ workDir string }

// DisksOf are this machine's disks; a path that is not absolute is one in
// workDir.
func DisksOf(workDir string) Disks { return disks{workDir} }

func (d disks) path(root string) string {
	if filepath.IsAbs(root) {
		return filepath.Clean(root)
	}
	return filepath.Join(d.workDir, root)
}

// Folder implements Disks.
func (d disks) Folder(root string) error { return os.MkdirAll(d.path(root), 0o755) }

// Mount implements Disks.
func (d disks) Mount(root string) (uint64, error) {
	path, err := filepath.EvalSymlinks(d.path(root))
	if err != nil {
		return 0, err
	}
	mounts, err := mountinfo.Read()
	if err != nil {
		return 0, err
	}
	if on := mountinfo.On(mounts, path); on == nil || on.Point != path {
		return 0, fmt.Errorf("%s is not where a file system is mounted", path)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(path, &disk); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return disk.Blocks * uint64(disk.Bsize), nil
}
