package posix

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// Survey measures what runs in sandboxes, all of them in one look at the
// kernel's list of processes. For the agent, which knows hosts and sandboxes but
// not what runs in them. The zero value is ready. It may be used from several
// goroutines; one looks at a time.
type Survey struct {
	mu sync.Mutex
	// places are where children of hosts work, by pid, so that each is asked once.
	places map[int]place
	// names and file are room for what is read.
	names, file []byte
	seen        []sighting
	index       map[int]int // of a pid in seen
}

// place is the sandbox of a process, or a path in it.
type place struct {
	started uint64 // with the pid it is unique
	path    string
}

// sighting is a process that was seen, with the indices of its first child and of the
// next of its parent; -1 is none.
type sighting struct {
	pid, child, next int
	stat             stat
	counted          bool
}

// Measure attributes each child of the process hosts, with its descendants, to
// the innermost of the sandboxes that it works in. Sandboxes without a process
// are absent.
func (s *Survey) Measure(hosts []int, sandboxes []string) (map[string]container.Usage, error) {
	wanted := setOf(sandboxes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.look(); err != nil {
		return nil, err
	}
	usage := make(map[string]container.Usage, len(sandboxes))
	places := make(map[int]place, len(s.places))
	for _, host := range hosts {
		at, there := s.index[host]
		if !there {
			continue
		}
		for child := s.seen[at].child; child >= 0; child = s.seen[child].next {
			p := s.placeOf(child, wanted)
			if sandbox := within(p.path, wanted); sandbox != "" {
				u := usage[sandbox]
				s.add(&u, child)
				usage[sandbox] = u
				places[s.seen[child].pid] = p
			}
		}
	}
	s.places = places
	return usage, nil
}

// placeOf asks a process that was not placed in one of the sandboxes before; one
// may be seen before it has become the program that it is to run.
func (s *Survey) placeOf(at int, wanted map[string]bool) place {
	p := &s.seen[at]
	known := s.places[p.pid]
	if known.started == p.stat.started && within(known.path, wanted) != "" {
		return known
	}
	fresh := place{started: p.stat.started, path: worksAt(p.pid, wanted)}
	for child := p.child; fresh.path == "" && child >= 0; child = s.seen[child].next {
		fresh.path = worksAt(s.seen[child].pid, wanted) // of an init it tells more
	}
	return fresh
}

// add counts a process and its descendants, each once: processes that come and go
// during a look may seem to be their own ancestors.
func (s *Survey) add(u *container.Usage, at int) {
	if s.seen[at].counted {
		return
	}
	s.seen[at].counted = true
	u.Add(usageIn(s.seen[at].stat))
	for child := s.seen[at].child; child >= 0; child = s.seen[child].next {
		s.add(u, child)
	}
}

// look reads the stat file of every process.
func (s *Survey) look() error {
	proc, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /proc: %w", err)
	}
	defer unix.Close(proc) // it was only read
	if s.names == nil {
		s.names, s.file, s.index = make([]byte, 64<<10), make([]byte, 1<<10), map[int]int{}
	}
	s.seen = s.seen[:0]
	clear(s.index)
	for {
		n, err := unix.Getdents(proc, s.names)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("list /proc: %w", err)
		case n == 0:
			s.link()
			return nil
		}
		eachName(s.names[:n], func(name []byte) {
			if pid, err := strconv.Atoi(string(name)); err == nil {
				s.read(proc, pid)
			}
		})
	}
}

// read adds a process, unless it is gone.
func (s *Survey) read(proc, pid int) {
	file, err := unix.Openat(proc, strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	n, err := unix.Read(file, s.file)
	unix.Close(file) // it was only read
	if err != nil || n <= 0 {
		return
	}
	if st, err := parseStat(s.file[:n]); err == nil {
		s.index[pid] = len(s.seen)
		s.seen = append(s.seen, sighting{pid: pid, child: -1, next: -1, stat: st})
	}
}

// link makes the tree.
func (s *Survey) link() {
	for i := range s.seen {
		if parent, there := s.index[s.seen[i].stat.ppid]; there && parent != i {
			s.seen[i].next, s.seen[parent].child = s.seen[parent].child, i
		}
	}
}

// eachName calls f with the name of every entry of what getdents64(2) has read.
func eachName(entries []byte, f func(name []byte)) {
	const length, head = 16, 19 // offsets of the entry's length and of its name
	for len(entries) > head {
		size := int(binary.NativeEndian.Uint16(entries[length:]))
		if size <= head || size > len(entries) {
			return
		}
		name := entries[head:size]
		for i, c := range name {
			if c == 0 {
				name = name[:i]
				break
			}
		}
		f(name)
		entries = entries[size:]
	}
}

// usageIn is what one process uses.
func usageIn(s stat) container.Usage {
	u := container.Usage{
		User:   time.Duration(s.utime+s.cutime) * tick,
		System: time.Duration(s.stime+s.cstime) * tick,
		RSS:    s.rss * page,
	}
	if s.state != 'Z' {
		u.Processes, u.Threads = 1, s.threads
	}
	return u
}
