package mem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator/cgroups"
)

// eventfd asks the kernel (version 1) to count events of a file. The result is
// non-blocking.
func eventfd(dir, file, arguments string) (int, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1, fmt.Errorf("eventfd: %w", err)
	}
	of, err := unix.Open(dir+"/"+file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		return -1, &os.PathError{Op: "open", Path: dir + "/" + file, Err: err}
	}
	// The kernel keeps the registration, not this descriptor.
	defer unix.Close(of)
	text := strconv.Itoa(fd) + " " + strconv.Itoa(of) + arguments
	if err := cgroups.Write(dir, "cgroup.event_control", text); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// watch1 calls seen at each event, until that says that it is enough, or ctx
// ends. The end of the group is an event too.
func (i *Isolator) watch1(ctx context.Context, dir string, seen func() bool) error {
	fd, err := eventfd(dir, "memory.oom_control", "")
	if err != nil {
		return err
	}
	// Go's poller waits for it: no thread does.
	f := os.NewFile(uintptr(fd), dir+"/memory.oom_control (eventfd)")
	stop := context.AfterFunc(ctx, func() { f.Close() })
	go func() {
		defer stop()
		defer f.Close()
		var count [8]byte
		for !seen() { // what was before is no event
			if _, err := f.Read(count[:]); err != nil {
				return // ctx has ended
			}
			if settled(ctx, dir, seen) {
				return
			}
		}
	}()
	return nil
}

// settled calls seen, which is again asked while the kernel is between its word
// of the event and the kill.
func settled(ctx context.Context, dir string, seen func() bool) bool {
	if seen() {
		return true
	}
	for retry := (cgroups.Pause{}); retry.Waited() < killWait; {
		if retry.Wait(ctx) != nil || !cgroups.Exists(dir, "memory.oom_control") || seen() {
			return true
		}
	}
	return false
}

// drain reads what was counted since it was last read.
func drain(fd int) (uint64, error) {
	var b [8]byte
	n, err := unix.Read(fd, b[:])
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	if err != nil || n != len(b) {
		return 0, fmt.Errorf("eventfd: %w", err)
	}
	return nativeUint64(b), nil
}
