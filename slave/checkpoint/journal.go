package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"troupe/messages/cluster"
)

// ErrClosed answers what is asked of a journal after Close.
var ErrClosed = errors.New("the journal is closed")

// A rewrite pays off when the journal is larger than minRewrite, and than
// rewriteFactor times what the last one left.
const (
	minRewrite    = 16 << 20
	rewriteFactor = 4
)

// Journal appends in the order it is asked to, off its callers' goroutines.
// It is safe for concurrent use. After the first failure nothing is written
// any more, and everything is answered with that failure.
type Journal struct {
	dir  string // of the journal
	lock *os.File

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []request
	closed  bool
	size    int64 // of the file, as far as it is durable
	settled int64 // the same after the last rewrite
	done    chan struct{}

	// The writer's own.
	file   *os.File
	buffer []byte
	failed error
}

// request is an append, or a rewrite that replaces all that came before it.
type request struct {
	records []*cluster.JournalRecord
	rewrite bool
	done    func(error)
}

// Opened is what Open found.
type Opened struct {
	Journal *Journal
	Records []*cluster.JournalRecord
	// Rebooted: the machine was started anew since the journal was last open.
	Rebooted bool
	// Torn bytes were cut off the end: an append that was never answered.
	Torn int64
	// Damage was left out; the file as it was is beside the journal, with the
	// ending .damaged.
	Damage []*DamageError
}

// Open takes the work directory, which is made if need be, for this process,
// and reads its journal. Errors name the file; one wraps ErrInUse when another
// process has the directory. What cannot be read is a *DamageError if strict,
// and otherwise left out.
func Open(workDir string, strict bool) (Opened, error) {
	dir := filepath.Join(workDir, "meta")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Opened{}, fmt.Errorf("work directory %q: %w", workDir, err)
	}
	held, err := lock(workDir)
	if err != nil {
		return Opened{}, err
	}
	opened, err := open(workDir, dir, strict)
	if err != nil {
		return Opened{}, errors.Join(err, held.Close())
	}
	j := opened.Journal
	j.lock, j.done = held, make(chan struct{})
	j.wake = sync.NewCond(&j.mu)
	go j.write()
	return opened, nil
}

func open(workDir, dir string, strict bool) (Opened, error) {
	rebooted, err := bootID(workDir)
	if err != nil {
		return Opened{}, err
	}
	if err := os.Remove(filepath.Join(dir, "journal.new")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Opened{}, fmt.Errorf("removing an unfinished rewrite: %w", err)
	}
	path := filepath.Join(dir, "journal")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return Opened{}, fmt.Errorf("opening the journal: %w", err)
	}
	j := &Journal{dir: dir, file: file}
	opened, err := j.read(path, strict)
	if err != nil {
		return Opened{}, errors.Join(err, j.file.Close())
	}
	opened.Journal, opened.Rebooted = j, rebooted
	return opened, nil
}

// read leaves the file with what was read of it, and nothing else.
func (j *Journal) read(path string, strict bool) (Opened, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Opened{}, fmt.Errorf("reading the journal: %w", err)
	}
	c := decode(path, data)
	o := Opened{Records: c.records, Torn: int64(len(data)) - c.whole, Damage: c.damage}
	switch {
	case len(c.damage) == 0:
		j.size, j.settled = c.whole, c.whole
		return o, settle(j.file, j.dir, c.whole)
	case strict:
		return Opened{}, c.damage[0]
	}
	if err := putAside(path); err != nil {
		return Opened{}, err
	}
	frame, err := appendFrame(nil, c.records)
	if err != nil {
		return Opened{}, err
	}
	return o, j.replace(frame)
}

// putAside keeps the file under another name.
func putAside(path string) error {
	if err := os.Remove(path + ".damaged"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing an older damaged journal: %w", err)
	}
	if err := os.Link(path, path+".damaged"); err != nil {
		return fmt.Errorf("keeping the damaged journal: %w", err)
	}
	return nil
}

// settle cuts a torn end off, and makes sure that what was read stays.
func settle(file *os.File, dir string, whole int64) error {
	if err := file.Truncate(whole); err != nil {
		return fmt.Errorf("cutting the journal at %d: %w", whole, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("syncing the journal: %w", err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing the journal's folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing the journal's folder: %w", err)
	}
	return nil
}

// Append makes records durable, all or none. done is called from the journal's
// goroutine, in the order of the appends; it must not block.
func (j *Journal) Append(records []*cluster.JournalRecord, done func(error)) {
	j.ask(request{records: records, done: done})
}

// Rewrite replaces everything that was appended before with records.
func (j *Journal) Rewrite(records []*cluster.JournalRecord, done func(error)) {
	j.ask(request{records: records, rewrite: true, done: done})
}

// Grown tells that a Rewrite would pay off.
func (j *Journal) Grown() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size > max(minRewrite, rewriteFactor*j.settled)
}

func (j *Journal) ask(r request) {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		r.done(ErrClosed)
		return
	}
	j.waiting = append(j.waiting, r)
	j.mu.Unlock()
	j.wake.Signal()
}

// Close answers what waits, then gives the work directory up.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		<-j.done
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	j.wake.Signal()
	<-j.done
	return errors.Join(j.file.Close(), j.lock.Close())
}

// write is the journal's goroutine: one sync for all that wait.
func (j *Journal) write() {
	defer close(j.done)
	for {
		j.mu.Lock()
		for len(j.waiting) == 0 && !j.closed {
			j.wake.Wait()
		}
		requests := j.waiting
		j.waiting = nil
		j.mu.Unlock()
		if len(requests) == 0 {
			return
		}
		for len(requests) > 0 {
			n := together(requests)
			err := j.commit(requests[:n])
			for _, r := range requests[:n] {
				r.done(err)
			}
			requests = requests[n:]
		}
	}
}

// together counts the requests that can be one frame: a rewrite begins anew.
func together(requests []request) int {
	for i, r := range requests {
		if r.rewrite && i > 0 {
			return i
		}
	}
	return len(requests)
}

// commit makes requests durable. The first may be a rewrite.
func (j *Journal) commit(requests []request) error {
	if j.failed != nil {
		return j.failed
	}
	var records []*cluster.JournalRecord
	for _, r := range requests {
		records = append(records, r.records...)
	}
	frame, err := appendFrame(j.buffer[:0], records)
	if err == nil {
		if requests[0].rewrite {
			err = j.replace(frame)
		} else {
			err = j.append(frame)
		}
	}
	if cap(frame) <= minRewrite {
		j.buffer = frame[:0]
	}
	j.failed = err
	return err
}

func (j *Journal) append(frame []byte) error {
	if _, err := j.file.Write(frame); err != nil {
		return fmt.Errorf("appending to the journal: %w", err)
	}
	if err := unix.Fdatasync(int(j.file.Fd())); err != nil {
		return fmt.Errorf("syncing the journal: %w", err)
	}
	j.mu.Lock()
	j.size += int64(len(frame))
	j.mu.Unlock()
	return nil
}

// replace puts a journal of one frame in the place of the old one.
func (j *Journal) replace(frame []byte) error {
	fresh := filepath.Join(j.dir, "journal.new")
	file, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("rewriting the journal: %w", err)
	}
	_, err = file.Write(frame)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(fresh, filepath.Join(j.dir, "journal"))
	}
	if err == nil {
		err = syncDir(j.dir)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("rewriting the journal: %w", err), file.Close())
	}
	err = j.file.Close() // of the old one, which nobody reads any more
	j.file = file
	j.mu.Lock()
	j.size, j.settled = int64(len(frame)), int64(len(frame))
	j.mu.Unlock()
	return err
}
