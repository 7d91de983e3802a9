package mem

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// killWait is how long after the kernel's word of an event its kill is waited
// for.
const killWait = 2 * time.Second

func nativeUint64(b [8]byte) uint64 { return binary.NativeEndian.Uint64(b[:]) }

// notifier tells of changes of memory.events for all containers (version 2): a
// machine has few instances of inotify, but many watches.
type notifier struct {
	file  *os.File
	fd    int
	calls map[int32]*watched // by the kernel's number of the watch; guarded by Isolator.mu
}

type watched struct {
	ctx  context.Context
	dir  string
	seen func() bool
}

// watch2 is watch1 of version 2.
func (i *Isolator) watch2(ctx context.Context, dir string, seen func() bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.notify == nil {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			return fmt.Errorf("inotify: %w", err)
		}
		i.notify = &notifier{file: os.NewFile(uintptr(fd), "inotify"), fd: fd, calls: map[int32]*watched{}}
		go i.listen(i.notify)
	}
	n := i.notify
	path := dir + "/memory.events"
	wd, err := unix.InotifyAddWatch(n.fd, path, unix.IN_MODIFY)
	if err != nil {
		i.closeUnused()
		return &os.PathError{Op: "inotify", Path: path, Err: err}
	}
	w := &watched{ctx: ctx, dir: dir, seen: seen}
	n.calls[int32(wd)] = w
	context.AfterFunc(ctx, func() { i.forget(n, int32(wd), w) })
	// What was before is no event.
	go i.tell(n, int32(wd), w)
	return nil
}

// forget ends a watch, and with the last one the instance.
func (i *Isolator) forget(n *notifier, wd int32, w *watched) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.notify != n || n.calls[wd] != w {
		return
	}
	delete(n.calls, wd)
	// The kernel has no such watch any more if the group is gone: all is well then.
	_, _ = unix.InotifyRmWatch(n.fd, uint32(wd))
	i.closeUnused()
}

// closeUnused is called with the lock held.
func (i *Isolator) closeUnused() {
	if len(i.notify.calls) == 0 {
		i.notify.file.Close()
		i.notify = nil
	}
}

// listen reads events until the instance is closed.
func (i *Isolator) listen(n *notifier) {
	buffer := make([]byte, 64*(unix.SizeofInotifyEvent+16))
	for {
		got, err := n.file.Read(buffer)
		if err != nil {
			return
		}
		for _, wd := range events(buffer[:got]) {
			i.mu.Lock()
			w := n.calls[wd]
			i.mu.Unlock()
			if w != nil {
				go i.tell(n, wd, w)
			}
		}
	}
}

// tell asks once: the kernel counts the kill after the failure, and each is a
// change.
func (i *Isolator) tell(n *notifier, wd int32, w *watched) {
	if w.ctx.Err() == nil && w.seen() {
		i.forget(n, wd, w)
	}
}

// events are the watches that the events of a read are of; see inotify(7).
func events(b []byte) []int32 {
	var wds []int32
	for len(b) >= unix.SizeofInotifyEvent {
		wds = append(wds, int32(binary.NativeEndian.Uint32(b)))
		length := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		if length > len(b) {
			break
		}
		b = b[length:]
	}
	return wds
}
