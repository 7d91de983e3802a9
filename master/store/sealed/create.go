package sealed

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Create makes a file without records, in a way that a crash leaves none or a
// whole one. One that is there is replaced.
func Create(path string, header []byte) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(fresh, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error { return initialize(tx, header) })
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func initialize(tx *bbolt.Tx, header []byte) error {
	if _, err := tx.CreateBucket(recordBucket); err != nil {
		return err
	}
	b, err := tx.CreateBucket(headerBucket)
	if err != nil {
		return err
	}
	if err := putCount(tx, 0); err != nil {
		return err
	}
	return b.Put(headerKey, sealed(header))
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
