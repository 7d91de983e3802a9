package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

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
// It is safe for concurrent use. While there is no room on the disk it answers
// nothing and tries again; after any other failure nothing is written any
// more, and everything is answered with that failure.
type Journal struct {
	dir  string // of the journal
	lock *os.File

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []request
	closed  bool
	stalled func(error) // see OnStall
	size    int64       // of the file, as far as it is durable
	settled int64       // the same after the last rewrite
	closing chan struct{}
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
	j.lock, j.closing, j.done = held, make(chan struct{}), make(chan struct{})
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
	frame, err := AppendFrame(nil, c.records)
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

// Rewrite replaces everything that was appended before with records, which say
// the same. Without room for them it is answered with an error, and all stays
// as it was.
func (j *Journal) Rewrite(records []*cluster.JournalRecord, done func(error)) {
	j.ask(request{records: records, rewrite: true, done: done})
}

// Grown tells that a Rewrite would pay off.
func (j *Journal) Grown() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size > max(minRewrite, rewriteFactor*j.settled)
}

// OnStall has f called when the disk has no room, with the error, and when it
// has again, with nil. It is called from the journal's goroutine, and must not
// block.
func (j *Journal) OnStall(f func(error)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stalled = f
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
	close(j.closing)
	<-j.done
	return errors.Join(j.file.Close(), j.lock.Close())
}
