package xfs

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What quotactl(2) wants for project quotas of XFS.
const (
	projects       = 2 // PRJQUOTA
	getQuota       = 'X'<<8 + 3
	setLimits      = 'X'<<8 + 4
	getStatus      = 'X'<<8 + 5
	getNextQuota   = 'X'<<8 + 9
	quotaEnforced  = 1 << 5 // FS_QUOTA_PDQ_ENFD
	limitsSoft     = 1 << 2 // FS_DQ_BSOFT
	limitsHard     = 1 << 3 // FS_DQ_BHARD
	version        = 1
	projectsFlag   = 2 // FS_PROJ_QUOTA
	block          = 512
	statusBytes    = 80
	statusFlagsPos = 2
)

// diskQuota is struct fs_disk_quota.
type diskQuota struct {
	version   int8
	flags     int8
	fields    uint16
	id        uint32
	blockHard uint64 // in blocks of 512 bytes, as is all below
	blockSoft uint64
	inodeHard uint64
	inodeSoft uint64
	blocks    uint64
	inodes    uint64
	_         [12]byte // timers and warnings
	_         [4]byte
	_         [24]byte // of real-time devices
	_         [16]byte
}

// quotactl works on the file system of an open file, so that its device need not
// be found.
func quotactl(fd, command int, id uint32, addr unsafe.Pointer) error {
	_, _, errno := unix.Syscall6(unix.SYS_QUOTACTL_FD, uintptr(fd), uintptr(command<<8|projects), uintptr(id), uintptr(addr), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// hasQuotactlFD tells a kernel without the call from one without quotas.
func hasQuotactlFD() bool {
	return !errors.Is(quotactl(-1, getStatus, 0, nil), unix.ENOSYS)
}

func quotaFlags(fd int) (uint16, error) {
	var status [statusBytes / 8]uint64
	status[0] = version
	if err := quotactl(fd, getStatus, 0, unsafe.Pointer(&status)); err != nil {
		return 0, err
	}
	return *(*uint16)(unsafe.Add(unsafe.Pointer(&status), statusFlagsPos)), nil
}

// quota of a project; that of one which nothing uses is zero.
func quota(fd int, id uint32) (diskQuota, error) {
	var q diskQuota
	err := quotactl(fd, getQuota, id, unsafe.Pointer(&q))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return diskQuota{id: id}, nil
	}
	return q, err
}

// next is the quota of the first project from id on that has one.
func next(fd int, id uint32) (q diskQuota, found bool, err error) {
	err = quotactl(fd, getNextQuota, id, unsafe.Pointer(&q))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return q, false, nil
	}
	return q, err == nil, err
}

// limit sets what a project may use, in bytes; 0 is no limit. Over soft it has a
// week by the kernel's default, over hard nothing.
func limit(fd int, id uint32, soft, hard uint64) error {
	q := diskQuota{
		version: version, flags: projectsFlag, fields: limitsSoft | limitsHard, id: id,
		blockSoft: blocks(soft), blockHard: blocks(hard),
	}
	return quotactl(fd, setLimits, id, unsafe.Pointer(&q))
}

// blocks rounds up: a limit that is less than a block is not none.
func blocks(bytes uint64) uint64 { return bytes/block + (bytes%block+block-1)/block }
