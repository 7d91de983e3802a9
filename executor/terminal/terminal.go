// Package terminal opens terminals for programs that want one. Executor hosts
// import it.
package terminal

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Terminal is a pair of files: what is written to one is read from the other.
type Terminal struct {
	// Ours is the keyboard and screen.
	Ours *os.File
	// Theirs is what a program has for its standard input, output and error; the
	// opener closes it once the program has it.
	Theirs *os.File
}

// Open opens a new terminal, which belongs to user uid if that is not negative.
func Open(uid int) (_ *Terminal, err error) {
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open a terminal: %w", err), ours.Close())
		}
	}()
	number, err := 0, control(ours, func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) })
	if err != nil {
		return nil, err
	}
	if err := control(ours, func(fd int) (err error) { number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN); return }); err != nil {
		return nil, err
	}
	theirs, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if uid >= 0 {
		if err := theirs.Chown(uid, -1); err != nil {
			return nil, errors.Join(err, theirs.Close())
		}
	}
	return &Terminal{Ours: ours, Theirs: theirs}, nil
}

// Resize says how large the client's window is, in characters; 0 is unknown.
func (t *Terminal) Resize(rows, columns uint32) error {
	size := &unix.Winsize{Row: clip(rows), Col: clip(columns)}
	if err := control(t.Ours, func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size) }); err != nil {
		return fmt.Errorf("resize a terminal: %w", err)
	}
	return nil
}

func clip(n uint32) uint16 { return uint16(min(n, math.MaxUint16)) }

// control leaves the file as it is: asking for its number would make it block.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}
