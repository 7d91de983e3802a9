package nested

import (
	"errors"
	"io"
	"os"
	"strconv"

	"troupe/executor/program"
	"troupe/messages/mesos/agent"
)

// tailed is a file that a program's output goes to.
type tailed struct {
	kind agent.ProcessIO_Data_Type
	spec program.Spec
	path string
	file *os.File
	at   int64 // what is before has been passed on, or is not the visitor's
}

// newTailed begins where the file ends now.
func newTailed(kind agent.ProcessIO_Data_Type, s program.Spec, path string) (*tailed, error) {
	f := &tailed{kind: kind, spec: s, path: path}
	var err error
	if f.file, err = openOutput(s, path, os.O_RDONLY); err != nil {
		return nil, err
	}
	info, err := f.file.Stat()
	if err != nil {
		return nil, errors.Join(err, f.file.Close())
	}
	f.at = info.Size()
	return f, nil
}

// read is how much there is of what was not read yet.
func (f *tailed) read(buffer []byte) (int, error) {
	for {
		n, err := f.file.ReadAt(buffer, f.at)
		if n > 0 {
			f.at += int64(n)
			return n, nil // an error comes again
		}
		if !errors.Is(err, io.EOF) {
			return 0, err
		}
		if more, err := f.follow(); err != nil || !more {
			return 0, err
		}
	}
}

// follow goes on with what was begun anew: the same file, when it has become shorter,
// or the one that is next where files are rotated. It says whether there may be more.
func (f *tailed) follow() (bool, error) {
	mine, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	if mine.Size() < f.at {
		f.at = 0
		return mine.Size() > 0, nil
	}
	path := f.after(mine)
	if path == "" {
		return false, nil
	}
	next, err := openOutput(f.spec, path, os.O_RDONLY)
	if err != nil {
		return false, nil // it is not there yet, or the program has put something else there
	}
	// Nothing is added to a file that another has followed, but maybe just before.
	if mine, err = f.file.Stat(); err != nil || mine.Size() > f.at {
		return err == nil, errors.Join(err, next.Close())
	}
	err = f.file.Close()
	f.file, f.at = next, 0
	return err == nil, err
}

// maxRotated bounds how many older files are looked at.
const maxRotated = 100

// after is the path of the file that follows the one that is read; empty if none does.
func (f *tailed) after(mine os.FileInfo) string {
	next := f.path
	named, err := os.Lstat(next)
	if err != nil || os.SameFile(named, mine) {
		return ""
	}
	for n := 1; n <= maxRotated; n++ {
		older := f.path + "." + strconv.Itoa(n)
		if named, err = os.Lstat(older); err != nil {
			break
		}
		if os.SameFile(named, mine) {
			return next
		}
		next = older
	}
	return f.path // it is gone
}
