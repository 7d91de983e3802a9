package pages_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"troupe/master/store/pages"
)

// sound is a file with branches, long values, a small bucket, one within
// another, and free pages.
func sound(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 4 {
		err = errors.Join(err, db.Update(func(tx *bbolt.Tx) error { return fill(tx, round) }))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func fill(tx *bbolt.Tx, round int) error {
	big, err := tx.CreateBucketIfNotExists([]byte("big"))
	if err != nil {
		return err
	}
	small, err := tx.CreateBucketIfNotExists([]byte("small"))
	if err != nil {
		return err
	}
	within, err := big.CreateBucketIfNotExists([]byte("within"))
	if err != nil {
		return err
	}
	for i := range 400 {
		err = errors.Join(err, big.Put(fmt.Appendf(nil, "key %d", i), bytes.Repeat([]byte{byte(round)}, 40)))
	}
	return errors.Join(err, small.Put([]byte("k"), []byte("v")), within.Put([]byte("long"), make([]byte, 20_000)))
}

func TestSoundFiles(t *testing.T) {
	if err := pages.Check(sound(t)); err != nil {
		t.Error(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.db")
	db, err := bbolt.Open(empty, 0o600, &bbolt.Options{NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), pages.Check(empty)); err != nil {
		t.Error(err)
	}
}

// What bbolt itself makes of any puts and deletes is sound.
func TestWhatBboltWritesIsSound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(t.TempDir(), "written.db")
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 6).Draw(rt, "transactions") {
			first, n := rapid.IntRange(0, 300).Draw(rt, "first"), rapid.IntRange(0, 300).Draw(rt, "keys")
			value := bytes.Repeat([]byte{1}, rapid.SampledFrom([]int{0, 10, 100, 5000}).Draw(rt, "bytes"))
			remove := rapid.Bool().Draw(rt, "delete")
			err = errors.Join(err, db.Update(func(tx *bbolt.Tx) error {
				b, err := tx.CreateBucketIfNotExists([]byte("b"))
				for i := first; i < first+n && err == nil; i++ {
					if key := fmt.Appendf(nil, "key %03d", i); remove {
						err = b.Delete(key)
					} else {
						err = b.Put(key, value)
					}
				}
				return err
			}))
		}
		if err := errors.Join(err, db.Close(), pages.Check(path)); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestNoFile(t *testing.T) {
	if err := pages.Check(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzCheck spoils a file anywhere. What is found sound can be read by bbolt,
// to its end.
func FuzzCheck(f *testing.F) {
	whole, err := os.ReadFile(sound(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint(0), []byte{}, uint(1))
	for at := uint(0); at < uint(len(whole)); at += 4096 {
		f.Add(at, []byte{0xff}, uint(0))
		f.Add(at+10, []byte{1, 2, 3, 4, 5, 6, 7, 8}, uint(0))
		f.Add(at+24, []byte{byte(at >> 12)}, at)
	}
	f.Fuzz(func(t *testing.T, at uint, with []byte, cut uint) {
		data := slices.Clone(whole)
		copy(data[at%uint(len(data)):], with)
		data = data[:uint(len(data))-cut%uint(len(data))]
		path := filepath.Join(t.TempDir(), "spoiled.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if pages.Check(path) != nil {
			return
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			return // what only bbolt knows, such as its own flags
		}
		err = db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
				if b == nil {
					return errors.New("a value that is no bucket")
				}
				return b.ForEach(func(_, _ []byte) error { return nil })
			})
		})
		if err := errors.Join(err, db.Update(func(tx *bbolt.Tx) error { return fill(tx, 9) }), db.Close()); err != nil {
			t.Log(err)
		}
	})
}
