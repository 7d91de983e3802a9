package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Pause is for asking the kernel again and again: it grows from a millisecond to
// a fiftieth of a second. The zero value is ready.
type Pause struct{ last, sum time.Duration }

// Waited is for how long all its waits together were to be.
func (p *Pause) Waited() time.Duration { return p.sum }

// Wait returns early, with an error, when ctx ends.
func (p *Pause) Wait(ctx context.Context) error {
	p.last = min(max(p.last*2, time.Millisecond), 20*time.Millisecond)
	p.sum += p.last
	t := time.NewTimer(p.last)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Remove removes a folder of control groups with all below it, the innermost
// first. The kernel holds a group for a moment after its last process is gone;
// Remove tries again until ctx ends, and then says what is still in there. A
// folder that is gone is no error.
func Remove(ctx context.Context, dir string) error {
	var p Pause
	for {
		err := remove(dir)
		if err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		if p.Wait(ctx) != nil {
			pids, perr := Processes(dir)
			return errors.Join(fmt.Errorf("cgroups: %w; processes in it: %s", err, describe(pids)), perr)
		}
	}
}

func remove(dir string) error {
	// On version 1 most have nothing below, and this is all.
	err := rmdir(dir)
	if err == nil {
		return nil
	}
	none := true
	if lerr := each(dir, func(below string) error {
		none = false
		return remove(below)
	}); lerr != nil {
		return lerr
	}
	if none {
		return err
	}
	return rmdir(dir)
}

func rmdir(dir string) error {
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}

// longPath is a length in bytes below which a path can have another name behind it,
// and a file's behind that: the kernel takes paths of less than 4096. Who is root in
// a container can make groups in groups beyond it.
const longPath = 2048

// each visits the groups directly below one; none if it is gone.
func each(dir string, visit func(below string) error) error {
	if len(dir) >= longPath {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if IsGone(err) {
			return nil
		}
		if err != nil {
			return &fs.PathError{Op: "open", Path: dir, Err: err}
		}
		defer unix.Close(fd)
		dir = "/proc/self/fd/" + strconv.Itoa(fd)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !IsGone(err) {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := visit(dir + "/" + e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// Walk visits a folder and all below it; those that go meanwhile are left out.
func Walk(dir string, visit func(dir string) error) error {
	if err := visit(dir); err != nil && !IsGone(err) {
		return err
	}
	return each(dir, func(below string) error { return Walk(below, visit) })
}

// Processes lists those in a folder and in all below it. A folder that is gone
// has none. Of threaded groups it lists the threads, each of which stands for its
// process to the kernel.
func Processes(dir string) ([]int, error) {
	var pids []int
	add := func(b []byte) error {
		for f := range strings.FieldsSeq(string(b)) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				return fmt.Errorf("no pid: %.20q", f)
			}
			// 0 is one of another pid namespace, that cannot be seen from here.
			if pid > 0 {
				pids = append(pids, pid)
			}
		}
		return nil
	}
	err := Walk(dir, func(dir string) error {
		err := Read(dir, "cgroup.procs", add)
		if errors.Is(err, unix.EOPNOTSUPP) { // as of a threaded one of version 2
			err = Read(dir, "cgroup.threads", add)
		}
		return err
	})
	return pids, err
}

// Kill ends every process in a folder and all below it, whatever it has become,
// and returns when none is left, or when ctx ends with an error that names them.
// On version 1 the folder is one of the freezer's.
func Kill(ctx context.Context, dir string) error {
	if unix.Access(dir, unix.F_OK) != nil {
		return nil
	}
	var p Pause
	for {
		left, err := killOnce(ctx, dir)
		if err != nil {
			return fmt.Errorf("cgroups: kill %s: %w", dir, err)
		}
		if len(left) == 0 {
			return nil
		}
		if p.Wait(ctx) != nil {
			return fmt.Errorf("cgroups: kill %s: %w; still there: %s", dir, ctx.Err(), describe(left))
		}
	}
}

// killOnce returns what was left a few milliseconds after the signals.
func killOnce(ctx context.Context, dir string) ([]int, error) {
	switch {
	case Exists(dir, "cgroup.kill"):
		err := Write(dir, "cgroup.kill", "1")
		if errors.Is(err, unix.EOPNOTSUPP) { // who is root in there has made it threaded
			err = killFrozen(ctx, dir, freezer2)
		}
		if err != nil && !IsGone(err) {
			return nil, err
		}
	case Exists(dir, "freezer.state"):
		if err := killFrozen(ctx, dir, freezer1); err != nil {
			return nil, err
		}
	case Exists(dir, "cgroup.freeze"): // version 2 before Linux 5.14
		if err := killFrozen(ctx, dir, freezer2); err != nil {
			return nil, err
		}
	case Exists(dir, "cgroup.procs"):
		return nil, errors.New("it is neither of the freezer nor of version 2")
	default:
		return nil, nil // it is gone
	}
	var left []int
	for p := (Pause{}); p.Waited() < 15*time.Millisecond; {
		var err error
		if left, err = Processes(dir); err != nil || len(left) == 0 {
			return nil, err
		}
		if p.Wait(ctx) != nil {
			break
		}
	}
	return left, nil
}

// freezer says how a group is stopped.
type freezer struct{ file, freeze, thaw string }

var (
	freezer1 = freezer{"freezer.state", "FROZEN", "THAWED"}
	freezer2 = freezer{"cgroup.freeze", "1", "0"}
)

// killFrozen signals processes while they cannot fork, so that a fork storm has
// no survivors. One that cannot be frozen in time, as it waits for a disk, is
// signalled all the same.
func killFrozen(ctx context.Context, dir string, f freezer) error {
	if err := Write(dir, f.file, f.freeze); err != nil && !IsGone(err) {
		return err
	}
	for p := (Pause{}); p.Waited() < 31*time.Millisecond && !frozen(dir, f); {
		if p.Wait(ctx) != nil {
			break
		}
	}
	pids, err := Processes(dir)
	for _, pid := range pids {
		if kerr := unix.Kill(pid, unix.SIGKILL); kerr != nil && !errors.Is(kerr, unix.ESRCH) {
			err = errors.Join(err, fmt.Errorf("signal %d: %w", pid, kerr))
		}
	}
	// What a container froze itself, below, must thaw to die.
	return errors.Join(err, Walk(dir, func(dir string) error { return Write(dir, f.file, f.thaw) }))
}

func frozen(dir string, f freezer) bool {
	if f == freezer1 {
		state, err := os.ReadFile(filepath.Join(dir, f.file))
		return err != nil || strings.TrimSpace(string(state)) == f.freeze
	}
	is := false
	err := Keyed(dir, "cgroup.events", func(key []byte, value uint64) { is = is || string(key) == "frozen" && value == 1 })
	return err != nil || is
}

// describe names a few processes, with their states: one in D waits for the
// kernel.
func describe(pids []int) string {
	if len(pids) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, pid := range pids {
		if i == 10 {
			fmt.Fprintf(&b, " and %d more", len(pids)-i)
			break
		}
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		state := "gone"
		if end := strings.LastIndexByte(string(stat), ')'); err == nil && end >= 0 && len(stat) > end+2 {
			state = string(stat[end+2])
		}
		fmt.Fprintf(&b, " %d (%s)", pid, state)
	}
	return b.String()[1:]
}
