package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"troupe/master/store/pages"
)

// lockTimeout is how long Open waits for another process to let the file go.
const lockTimeout = time.Second

var (
	headerBucket = []byte("header")
	headerKey    = []byte("header")
	countKey     = []byte("records")
	recordBucket = []byte("records")
)

// File is an open file. Its methods may be called from one goroutine at a time.
type File struct {
	path  string
	kind  Kind
	db    *bbolt.DB
	count uint64 // of records
}

// Change is of one record; Data nil removes it, if it is there.
type Change struct {
	Key  string
	Data []byte
}

// Open opens the file at path, which has to be there: see Create. It fails,
// with an error that says what to do, for a file that is in use, is damaged or
// is something else; it never changes such a file.
func Open(path string, kind Kind) (*File, error) {
	f := &File{path: path, kind: kind}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) open() (err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return f.kind.Damaged(errors.New("the file is empty"))
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer f.kind.recovered(&err)
	db, err := bbolt.Open(f.path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return errors.New("another process uses it: " + f.kind.Busy)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return f.kind.Damaged(err)
	case err != nil:
		return err
	}
	f.db = db
	if err := pages.Check(f.path); err != nil {
		return errors.Join(f.kind.Damaged(err), db.Close())
	}
	var older *Older
	err = db.View(func(tx *bbolt.Tx) (err error) {
		older, err = f.readHeader(tx, info.Size())
		return err
	})
	if err == nil && older != nil {
		err = db.Update(func(tx *bbolt.Tx) error { return f.upgrade(tx, older) })
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// readHeader tells whether the file has a form before this one.
func (f *File) readHeader(tx *bbolt.Tx, size int64) (*Older, error) {
	if tx.Size() > size {
		return nil, f.kind.Damaged(fmt.Errorf("the file has %d bytes, and should have %d", size, tx.Size()))
	}
	b := tx.Bucket(headerBucket)
	if b == nil {
		return nil, f.kind.Damaged(errElse)
	}
	data, err := unsealed(b.Get(headerKey))
	if err != nil {
		return nil, f.kind.Damaged(fmt.Errorf("header: %w", err))
	}
	older, err := f.kind.Accept(data)
	if err != nil {
		return nil, err
	}
	holds := string(recordBucket)
	if older != nil {
		holds = older.Bucket
	}
	if tx.Bucket([]byte(holds)) == nil {
		return nil, f.kind.absent(holds)
	}
	if data, err = unsealed(b.Get(countKey)); err != nil || len(data) != 8 {
		return nil, f.kind.Damaged(fmt.Errorf("count of records: %d bytes: %w", len(data), err))
	}
	f.count = binary.BigEndian.Uint64(data)
	return older, nil
}

// upgrade turns a file of a form before this one into this.
func (f *File) upgrade(tx *bbolt.Tx, o *Older) error {
	b, err := tx.CreateBucket(recordBucket)
	if err != nil {
		return f.kind.Damaged(err)
	}
	err = f.read(tx.Bucket([]byte(o.Bucket)), func(key string, data []byte) error {
		newKey, newData, err := o.Turn(key, data)
		if err != nil {
			return f.kind.Damaged(fmt.Errorf("record %q: %w", key, err))
		}
		_, err = put(b, Change{newKey, newData})
		return err
	})
	if err != nil {
		return err
	}
	if err := tx.DeleteBucket([]byte(o.Bucket)); err != nil {
		return err
	}
	return tx.Bucket(headerBucket).Put(headerKey, sealed(o.Header))
}

// Each calls each for every record, ordered by key, until it fails. The data
// are valid, and must not be changed, during the call. Damaged is for it to
// wrap data in that make no sense.
func (f *File) Each(each func(key string, data []byte) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer f.kind.recovered(&err)
	return f.db.View(func(tx *bbolt.Tx) error { return f.read(tx.Bucket(recordBucket), each) })
}

// read calls each for all records of a bucket, and holds their order and
// number against what was written.
func (f *File) read(b *bbolt.Bucket, each func(key string, data []byte) error) error {
	last, n := "", uint64(0)
	err := b.ForEach(func(k, value []byte) error {
		key := string(k)
		if key <= last {
			return f.kind.Damaged(fmt.Errorf("record %q stands behind %q", key, last))
		}
		last = key
		n++
		data, err := unsealed(value)
		if err != nil {
			return f.kind.Damaged(fmt.Errorf("record %q: %w", key, err))
		}
		return each(key, data)
	})
	if err == nil && n != f.count {
		return f.kind.Damaged(fmt.Errorf("%d records are there, %d were written", n, f.count))
	}
	return err
}

// Write makes changes durable, in their order, all of them or none. After an
// error the file must not be written again by this process: it is not known
// what it holds.
func (f *File) Write(changes []Change) (err error) {
	defer f.kind.recovered(&err)
	count := f.count
	err = f.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(recordBucket)
		for _, c := range changes {
			more, err := put(b, c)
			if err != nil {
				return fmt.Errorf("record %q: %w", c.Key, err)
			}
			count += more
		}
		return putCount(tx, count)
	})
	if err == nil {
		f.count = count
	}
	return err
}

// put makes one change, and says how many records there are more; one less is
// the largest number.
func put(b *bbolt.Bucket, c Change) (more uint64, err error) {
	key := []byte(c.Key)
	had := b.Get(key) != nil
	switch {
	case c.Data == nil && !had:
		return 0, nil
	case c.Data == nil:
		return ^uint64(0), b.Delete(key)
	}
	if !had {
		more = 1
	}
	return more, b.Put(key, sealed(c.Data))
}

// Size is how many bytes the file has.
func (f *File) Size() int64 {
	info, err := os.Stat(f.path)
	if err != nil {
		return 0 // it was moved away under us; what is open still counts
	}
	return info.Size()
}

// Close lets the file go.
func (f *File) Close() error { return f.db.Close() }
