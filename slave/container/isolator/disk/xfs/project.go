package xfs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// attributes is struct fsxattr.
type attributes struct {
	flags   uint32
	extents [8]byte
	project uint32
	rest    [12]byte
}

const (
	getAttributes = 0x801c581f // FS_IOC_FSGETXATTR
	setAttributes = 0x401c5820 // FS_IOC_FSSETXATTR
	inherited     = 0x200      // FS_XFLAG_PROJINHERIT
)

func control(fd int, request uintptr, a *attributes) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(a))); errno != 0 {
		return errno
	}
	return nil
}

// project is the one that an open file or folder belongs to, 0 being that of
// all; and whether what is made in the folder will.
func project(fd int) (id uint32, inherit bool, err error) {
	var a attributes
	err = control(fd, getAttributes, &a)
	return a.project, a.flags&inherited != 0, err
}

func setProject(fd int, id uint32, inherit bool) error {
	var a attributes
	if err := control(fd, getAttributes, &a); err != nil {
		return err
	}
	was := a
	a.project = id
	a.flags &^= inherited
	if inherit {
		a.flags |= inherited
	}
	if a == was {
		return nil
	}
	return control(fd, setAttributes, &a)
}
