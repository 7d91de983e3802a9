package main

import (
	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// place opens a mount's target, and makes what is missing of it below the folder
// below.
func place(m *plan.Mount, below string) (int, error) {
	file := m.File || m.Content != nil
	if !file {
		return walk(m.Target, below, below != "")
	}
	parent, name := split(m.Target)
	dir, err := walk(parent, below, below != "")
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	if below != "" {
		fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
		if err == nil {
			unix.Close(fd)
		} else if err != unix.EEXIST {
			return -1, err
		}
	}
	flags := unix.O_PATH | unix.O_CLOEXEC
	if below != "" {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Openat(dir, name, flags, 0)
	if err != nil {
		return -1, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		unix.Close(fd)
		return -1, unix.ELOOP
	}
	return fd, nil
}

// walk opens a path of which the beginning below is trusted. After that no symbolic
// link is followed, and what is missing is made if asked for. An empty below
// trusts all of it.
func walk(path, below string, create bool) (int, error) {
	const flags = unix.O_PATH | unix.O_CLOEXEC
	if below == "" || below == "/" {
		return unix.Open(path, flags, 0)
	}
	rest, ok := beyond(path, below)
	if !ok {
		return -1, unix.EXDEV
	}
	at, err := unix.Open(below, flags|unix.O_DIRECTORY, 0)
	for err == nil && rest != "" {
		var name string
		if name, rest = first(rest); name == "" || name == "." {
			continue
		}
		if name == ".." {
			unix.Close(at)
			return -1, unix.EXDEV
		}
		at, err = step(at, name, rest == "", create)
	}
	return at, err
}

// step goes from a folder, which it closes, to what is called name in it.
func step(dir int, name string, last, create bool) (int, error) {
	defer unix.Close(dir)
	for {
		fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		if err == unix.ENOENT && create {
			if err := unix.Mkdirat(dir, name, 0o755); err != nil && err != unix.EEXIST {
				return -1, err
			}
			create = false
			continue
		}
		if err != nil {
			return -1, err
		}
		var stat unix.Stat_t
		if err = unix.Fstat(fd, &stat); err == nil {
			switch {
			case stat.Mode&unix.S_IFMT == unix.S_IFLNK:
				err = unix.ELOOP
			case !last && stat.Mode&unix.S_IFMT != unix.S_IFDIR:
				err = unix.ENOTDIR
			}
		}
		if err != nil {
			unix.Close(fd)
			return -1, err
		}
		return fd, nil
	}
}

// beyond is what of path comes after the folder.
func beyond(path, folder string) (string, bool) {
	for len(folder) > 1 && folder[len(folder)-1] == '/' {
		folder = folder[:len(folder)-1]
	}
	if len(path) < len(folder) || path[:len(folder)] != folder {
		return "", false
	}
	rest := path[len(folder):]
	return rest, rest == "" || rest[0] == '/'
}

// first takes the first part off a path.
func first(path string) (name, rest string) {
	for path != "" && path[0] == '/' {
		path = path[1:]
	}
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i], path[i+1:]
		}
	}
	return path, ""
}
