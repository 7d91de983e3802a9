package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/store/pages"
	"troupe/messages/cluster"
)

// Format is the stored form that this code reads and writes.
const Format = 2

// lockTimeout is how long Open waits for another process to let the file go.
const lockTimeout = time.Second

var (
	headerBucket = []byte("header")
	headerKey    = []byte("header")
	countKey     = []byte("records")
	recordBucket = []byte("records")
)

// ErrForeign is wrapped by the error of a file that holds something else than
// a registry, or a registry that is damaged.
var ErrForeign = errors.New("not a registry that can be read")

// File is a registry in a file. Its methods may be called from one goroutine
// at a time.
type File struct {
	path      string
	db        *bbolt.DB
	clusterID string
	count     uint64 // of records
}

// Open opens the registry at path. Where there is no file it makes one, for a
// cluster called newCluster, in a way that a crash leaves none or a whole one.
// It fails, with an error that says what to do, for a file that is in use, is
// damaged, is something else, or was written by a later version; it never
// begins anew by itself.
func Open(path, newCluster string) (*File, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = create(path, newCluster)
	}
	if err != nil {
		return nil, fmt.Errorf("open registry %s: %w", path, err)
	}
	f := &File{path: path}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("open registry %s: %w", path, err)
	}
	return f, nil
}

// create makes a registry beside path and moves it there.
func create(path, newCluster string) error {
	if newCluster == "" {
		return errors.New("a new registry needs a cluster id")
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(fresh, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error { return initialize(tx, newCluster) })
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func initialize(tx *bbolt.Tx, newCluster string) error {
	if _, err := tx.CreateBucket(recordBucket); err != nil {
		return err
	}
	if _, err := tx.CreateBucket(headerBucket); err != nil {
		return err
	}
	if err := putCount(tx, 0); err != nil {
		return err
	}
	return putHeader(tx, newCluster)
}

func putHeader(tx *bbolt.Tx, clusterID string) error {
	data, err := proto.Marshal(&cluster.RegistryHeader{ClusterId: &clusterID, Format: proto.Uint32(Format)})
	if err != nil {
		return err
	}
	return tx.Bucket(headerBucket).Put(headerKey, sealed(data))
}

func putCount(tx *bbolt.Tx, n uint64) error {
	return tx.Bucket(headerBucket).Put(countKey, sealed(binary.BigEndian.AppendUint64(nil, n)))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *File) open() (err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return damaged(errors.New("the file is empty"))
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recovered(&err)
	db, err := bbolt.Open(f.path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return errors.New("another process uses it: stop that master, or give this one a work directory of its own")
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return damaged(err)
	case err != nil:
		return err
	}
	f.db = db
	if err := pages.Check(f.path); err != nil {
		return errors.Join(damaged(err), db.Close())
	}
	old := false
	err = db.View(func(tx *bbolt.Tx) (err error) {
		old, err = f.readHeader(tx, info.Size())
		return err
	})
	if err == nil && old {
		err = db.Update(f.upgrade)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// readHeader tells whether the file has the form before this one.
func (f *File) readHeader(tx *bbolt.Tx, size int64) (old bool, err error) {
	if tx.Size() > size {
		return false, damaged(fmt.Errorf("the file has %d bytes, and should have %d", size, tx.Size()))
	}
	b := tx.Bucket(headerBucket)
	if b == nil {
		return false, damaged(errors.New("the file is a database of something else"))
	}
	data, err := unsealed(b.Get(headerKey))
	if err != nil {
		return false, damaged(fmt.Errorf("header: %w", err))
	}
	var h cluster.RegistryHeader
	if err := proto.Unmarshal(data, &h); err != nil {
		return false, damaged(fmt.Errorf("header: %w", err))
	}
	holds := recordBucket
	switch h.GetFormat() {
	case Format:
	case agentsOnly:
		old, holds = true, agentBucket
	default:
		return false, fmt.Errorf("header.format: %d: this version reads up to %d: use the version that wrote the file", h.GetFormat(), Format)
	}
	if tx.Bucket(holds) == nil {
		return false, damaged(fmt.Errorf("the bucket %s is absent", holds))
	}
	f.clusterID = h.GetClusterId()
	if data, err = unsealed(b.Get(countKey)); err != nil || len(data) != 8 {
		return false, damaged(fmt.Errorf("count of records: %d bytes: %w", len(data), err))
	}
	f.count = binary.BigEndian.Uint64(data)
	return old, nil
}

// damaged adds what to do about a file that cannot be read.
func damaged(cause error) error {
	return fmt.Errorf("%w: %w: restore the file from a copy, or move it away to begin a new cluster", ErrForeign, cause)
}

// recovered turns a panic over the pages of a damaged file, or a fault in its
// mapping, into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = damaged(fmt.Errorf("%v", p))
	}
}

// ClusterID is the id that the cluster got when its registry was made.
func (f *File) ClusterID() string { return f.clusterID }

// Load returns every record, ordered by key.
func (f *File) Load(context.Context) (records []*cluster.RegistryRecord, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if err != nil {
			records, err = nil, fmt.Errorf("load registry %s: %w", f.path, err)
		}
	}()
	defer recovered(&err)
	err = f.db.View(func(tx *bbolt.Tx) error {
		return f.read(tx.Bucket(recordBucket), func(key string, data []byte) error {
			r, err := recordOf(key, data)
			records = append(records, r)
			return err
		})
	})
	return records, err
}

// read calls each for all records of a bucket, and holds their order and
// number against what was written.
func (f *File) read(b *bbolt.Bucket, each func(key string, data []byte) error) error {
	last, n := "", uint64(0)
	err := b.ForEach(func(k, value []byte) error {
		key := string(k)
		if key <= last {
			return damaged(fmt.Errorf("record %q stands behind %q", key, last))
		}
		last = key
		n++
		data, err := unsealed(value)
		if err != nil {
			return damaged(fmt.Errorf("record %q: %w", key, err))
		}
		return each(key, data)
	})
	if err == nil && n != f.count {
		return damaged(fmt.Errorf("%d records are there, %d were written", n, f.count))
	}
	return err
}

func recordOf(key string, data []byte) (*cluster.RegistryRecord, error) {
	r := new(cluster.RegistryRecord)
	if err := proto.Unmarshal(data, r); err != nil {
		return nil, damaged(fmt.Errorf("record %q: %w", key, err))
	}
	got, err := registry.KeyOf(r)
	if err == nil && got != key {
		err = fmt.Errorf("it is %q", got)
	}
	if err != nil {
		return nil, damaged(fmt.Errorf("record %q: %w", key, err))
	}
	return r, nil
}

// Write makes changes durable, all of them or none. After an error the file
// must not be written again by this process: it is not known what it holds.
func (f *File) Write(_ context.Context, changes []registry.Change) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write registry %s: %w", f.path, err)
		}
	}()
	defer recovered(&err)
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
func put(b *bbolt.Bucket, c registry.Change) (more uint64, err error) {
	key := []byte(c.Key)
	had := b.Get(key) != nil
	switch {
	case c.Record == nil && !had:
		return 0, nil
	case c.Record == nil:
		return ^uint64(0), b.Delete(key)
	}
	data, err := proto.Marshal(c.Record)
	if err != nil {
		return 0, err
	}
	if !had {
		more = 1
	}
	return more, b.Put(key, sealed(data))
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
