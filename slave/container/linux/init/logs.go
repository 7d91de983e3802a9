package main

import (
	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// log copies what a program writes to a file that is kept short: one that has grown
// to its size becomes NAME.1, and so on.
type log struct {
	from   int // the reading end of the program's stream; -1 when it has ended
	to     int // the file
	dir    int // of the file
	name   string
	limit  uint64
	keep   int
	buffer []byte
}

// piece is how much is copied at a time: what a pipe holds.
const piece = 64 << 10

// openLogs puts a pipe between the program and each file that is bounded.
func (s *server) openLogs(p *plan.Program) *failure {
	if p.Plan.Logs == nil {
		return nil
	}
	for i, limit := range []uint64{p.Plan.Logs.StdoutSize, p.Plan.Logs.StderrSize} {
		if p.Logs[i] < 0 || limit == 0 {
			continue
		}
		var pipe [2]int
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			return failed(plan.StepLogs, p.LogNames[i], err)
		}
		if err := unix.SetNonblock(pipe[0], true); err != nil {
			return failed(plan.StepLogs, p.LogNames[i], err)
		}
		s.logs[i] = &log{from: pipe[0], to: p.Streams[1+i], dir: p.Logs[i], name: p.LogNames[i], limit: limit, keep: p.Plan.Logs.Keep}
		p.Streams[1+i] = pipe[1]
	}
	return nil
}

// copy moves what is there to the file. What the disk does not take is lost: a full
// disk must not stop the program.
func (l *log) copy() {
	if l == nil || l.from < 0 {
		return
	}
	if l.buffer == nil {
		l.buffer = make([]byte, piece)
	}
	for range 16 { // then other things have their turn
		n, err := unix.Read(l.from, l.buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return
		case err != nil || n == 0:
			unix.Close(l.from)
			l.from = -1
			return
		}
		l.write(l.buffer[:n])
	}
}

// write appends, in a new file where the old one would become too large.
func (l *log) write(b []byte) {
	for len(b) > 0 {
		room := l.room()
		part := b
		if uint64(len(part)) > room {
			part = part[:room]
			// A line is not torn when it can be helped.
			if end := lastLine(part); end > 0 {
				part = part[:end]
			} else if room < l.limit && l.rotate() {
				continue
			}
		}
		n, err := unix.Write(l.to, part)
		if err != nil && err != unix.EINTR {
			return
		}
		b = b[max(n, 0):]
	}
}

// lastLine is the length of what ends with the last line end.
func lastLine(b []byte) int {
	for i := len(b); i > 0; i-- {
		if b[i-1] == '\n' {
			return i
		}
	}
	return 0
}

// room is how much the file may still take, after a rotation if it is full.
func (l *log) room() uint64 {
	for range 2 {
		l.follow()
		var stat unix.Stat_t
		if unix.Fstat(l.to, &stat) != nil {
			return l.limit
		}
		if size := uint64(stat.Size); size < l.limit {
			return l.limit - size
		}
		l.rotate()
	}
	return l.limit // it cannot be rotated: rather too long than lost
}

// follow opens the file anew when somebody else has put another in its place, as
// who shares it does when it rotates.
func (l *log) follow() {
	var mine, named unix.Stat_t
	if unix.Fstat(l.to, &mine) != nil {
		return
	}
	err := unix.Fstatat(l.dir, l.name, &named, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil && same(&mine, &named) {
		return
	}
	if err == nil && named.Mode&unix.S_IFMT != unix.S_IFREG {
		return // the program's own doing
	}
	l.open(&mine)
}

// open makes the file's name lead to a file that takes what comes.
func (l *log) open(old *unix.Stat_t) {
	fd, err := unix.Openat(l.dir, l.name, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return
	}
	var stat unix.Stat_t
	if unix.Fstat(fd, &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFREG || stat.Nlink > 1 {
		unix.Close(fd) // a program may have put anything there
		return
	}
	if stat.Uid != old.Uid || stat.Gid != old.Gid {
		_ = unix.Fchown(fd, int(old.Uid), int(old.Gid)) // it is as readable as before
	}
	unix.Close(l.to)
	l.to = fd
}

// rotate moves files up by one, and says whether that has begun a new one. Who else
// writes to the same file is kept from doing so at the same time; nobody is waited
// for, as a program may hold that lock, too, or have put something in the way.
func (l *log) rotate() bool {
	held := l.to
	var old, named, now unix.Stat_t
	if unix.Fstat(held, &old) != nil || unix.Flock(held, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false
	}
	if unix.Fstatat(l.dir, l.name, &named, unix.AT_SYMLINK_NOFOLLOW) == nil && same(&named, &old) {
		l.moveUp()
	}
	if l.open(&old); l.to == held {
		_ = unix.Flock(held, unix.LOCK_UN) // a new file has closed this one, and with it the lock
	}
	return unix.Fstat(l.to, &now) == nil && !same(&now, &old)
}

// same says whether two are of one file.
func same(a, b *unix.Stat_t) bool { return a.Ino == b.Ino && a.Dev == b.Dev }

// moveUp renames; what cannot be moved grows on.
func (l *log) moveUp() {
	if l.keep <= 0 {
		_ = unix.Unlinkat(l.dir, l.name, 0)
	}
	for n := l.keep; n > 0; n-- {
		from := l.name
		if n > 1 {
			from += "." + decimal(n-1)
		}
		_ = unix.Renameat(l.dir, from, l.dir, l.name+"."+decimal(n)) // there may be none yet
	}
}
