package store_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/store"
	"troupe/master/store/storetest"
)

// childVariable makes the test binary a writer of the registry it names.
const childVariable = "TROUPE_TEST_WRITE_REGISTRY"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver prints every id once its record is durable.
func writeForEver(path string) error {
	f, err := store.Open(path, "c")
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		var batch []registry.Change
		for j := range 3 {
			id := fmt.Sprintf("S%d-%d", i, j)
			batch = append(batch, storetest.Admit(id))
		}
		if err := f.Write(context.Background(), batch); err != nil {
			return err
		}
		for _, c := range batch {
			fmt.Println(strings.TrimPrefix(c.Key, "agent/"))
		}
	}
}

func TestMemoryConformance(t *testing.T) {
	stores := make(map[string]*store.Memory)
	storetest.Run(t, func(t *testing.T) storetest.Store {
		if stores[t.Name()] == nil {
			stores[t.Name()] = store.NewMemory("c")
		}
		return stores[t.Name()]
	})
}

func TestFileConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return open(t, filepath.Join(folderOf(t), "registry.db"))
	})
}

// folderOf is one folder for all calls in one test.
func folderOf(t *testing.T) string {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("troupe-store-%d", os.Getpid()), strings.ReplaceAll(t.Name(), "/", "_"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(dir)) })
	return dir
}

func open(t *testing.T, path string) *store.File {
	t.Helper()
	f, err := store.Open(path, "c")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	for round := range 3 {
		acknowledged := killWriter(t, path, 20*(round+1))
		f := open(t, path)
		records, err := f.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		have := make(map[string]bool)
		for _, r := range records {
			have[r.GetAgent().GetAgent().GetId().GetValue()] = true
		}
		for _, id := range acknowledged {
			if !have[id] {
				t.Errorf("round %d: record %s was acknowledged and is lost", round, id)
			}
		}
		for _, r := range records {
			batch, _, _ := strings.Cut(r.GetAgent().GetAgent().GetId().GetValue(), "-")
			for j := range 3 {
				if !have[fmt.Sprintf("%s-%d", batch, j)] {
					t.Errorf("round %d: batch %s was written in part", round, batch)
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killWriter lets another process write until it acknowledged n records, kills
// it, and returns all that it acknowledged.
func killWriter(t *testing.T, path string, n int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		ids = append(ids, lines.Text())
		if len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(ids) < n {
		t.Fatalf("the writer ended after %d records: %v", len(ids), err)
	}
	return ids
}

func TestOpenRefusesWhatIsNoRegistry(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string){
		"empty file": func(t *testing.T, path string) { overwrite(t, path, nil) },
		"text":       func(t *testing.T, path string) { overwrite(t, path, []byte(strings.Repeat("no database\n", 5000))) },
		"truncated": func(t *testing.T, path string) {
			if err := os.Truncate(path, int64(2*os.Getpagesize())); err != nil {
				t.Fatal(err)
			}
		},
		"zeroes behind the head": func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			clear(data[2*os.Getpagesize():])
			overwrite(t, path, data)
		},
		"database of something else": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"record without checksum":   func(t *testing.T, path string) { putRaw(t, path, "records", "agent/S1", "abc") },
		"record that was changed":   func(t *testing.T, path string) { putRaw(t, path, "records", "agent/S1", "\x00\x00\x00\x00abc") },
		"record that is no message": func(t *testing.T, path string) { putRaw(t, path, "records", "agent/S1", seal("\xff\xff")) },
		"record of another agent": func(t *testing.T, path string) {
			putRaw(t, path, "records", "agent/S2", seal("\x0a\x0b\x0a\x07\x0a\x01h\x32\x02\x0a\x00\x10\x00"))
		},
		"header that is no message": func(t *testing.T, path string) { putRaw(t, path, "header", "header", seal("\xff")) },
		"header without checksum":   func(t *testing.T, path string) { putRaw(t, path, "header", "header", "") },
		"count that is none":        func(t *testing.T, path string) { putRaw(t, path, "header", "records", seal("1")) },
		"count of other records": func(t *testing.T, path string) {
			putRaw(t, path, "header", "records", seal("\x00\x00\x00\x00\x00\x00\x00\x02"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "registry.db")
			f := open(t, path)
			if err := f.Write(t.Context(), []registry.Change{storetest.Admit("S1")}); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			spoil(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			err = openAndLoad(t, path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away") {
				t.Errorf("got %v, want an error that names the file and says what to do", err)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

// seal puts the checksum of a value before it.
func seal(value string) string {
	sum := crc32.Checksum([]byte(value), crc32.MakeTable(crc32.Castagnoli))
	return string(binary.BigEndian.AppendUint32(nil, sum)) + value
}

// FuzzDamage spoils a registry at one place and cuts it off at another. What
// is read then, if anything is, is what was written: all, or as it was before
// the last batch, whose page of the two that lead to the rest a crash may have
// torn before the batch was acknowledged.
func FuzzDamage(f *testing.F) {
	path := filepath.Join(f.TempDir(), "registry.db")
	r, err := store.Open(path, "c")
	if err != nil {
		f.Fatal(err)
	}
	var changes []registry.Change
	for i := range 300 {
		id := fmt.Sprintf("S%03d", i)
		changes = append(changes, storetest.Admit(id))
	}
	if err := errors.Join(r.Write(f.Context(), changes), r.Close()); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for _, at := range []uint{0, 16, 100, 4096, 4200, 8192, 8208, 12288, 16384, 16400, 20480, 30000} {
		f.Add(at, []byte{0xff}, uint(0))
		f.Add(at, []byte{1, 2, 3, 4, 5, 6, 7, 8}, at)
	}
	f.Fuzz(func(t *testing.T, at uint, with []byte, cut uint) {
		data := slices.Clone(whole)
		copy(data[at%uint(len(data)):], with)
		data = data[:uint(len(data))-cut%uint(len(data))]
		spoiled := filepath.Join(t.TempDir(), "registry.db")
		overwrite(t, spoiled, data)
		r, err := store.Open(spoiled, "c")
		if err != nil {
			return
		}
		records, err := r.Load(t.Context())
		if before := 0; err == nil && len(records) != len(changes) && len(records) != before {
			t.Errorf("%d records are left of %d, without an error", len(records), len(changes))
		}
		for i, record := range records {
			if err == nil && !proto.Equal(record, changes[i].Record) {
				t.Errorf("record %d is %v", i, record)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func openAndLoad(t *testing.T, path string) error {
	f, err := store.Open(path, "c")
	if err != nil {
		return err
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, err = f.Load(t.Context())
	return err
}

func overwrite(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func putRaw(t *testing.T, path, bucket, key, value string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put([]byte(key), []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesALaterFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	putRaw(t, path, "header", "header", seal("\x0a\x01c\x10\x63"))
	if _, err := store.Open(path, "c"); err == nil || !strings.Contains(err.Error(), "header.format: 99") {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefusesAFileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	f := open(t, path)
	defer f.Close()
	if _, err := store.Open(path, "c"); err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("got %v", err)
	}
}

func TestOpenNeedsAFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent", "registry.db")
	if _, err := store.Open(path, "c"); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	f, err := store.Open(filepath.Join(b.TempDir(), "registry.db"), "c")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for i := range b.N {
		id := fmt.Sprintf("S%d", i)
		if err := f.Write(b.Context(), []registry.Change{storetest.Admit(id)}); err != nil {
			b.Fatal(err)
		}
	}
}
