package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troupe/frameworks/store"
	"troupe/frameworks/store/storetest"
	registry "troupe/master/store"
	"troupe/master/store/sealed"
	"troupe/messages/field"
)

func TestMemory(t *testing.T) {
	stores := make(map[string]*store.Memory)
	storetest.Run(t, func(t *testing.T) store.Store {
		if last := stores[t.Name()]; last != nil {
			stores[t.Name()] = last.Reopen()
		} else {
			stores[t.Name()] = store.NewMemory()
		}
		return stores[t.Name()]
	})
}

func TestMemoryFails(t *testing.T) {
	s := store.NewMemory()
	if err := s.Apply(t.Context(), map[string][]byte{"a": []byte("1")}); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("broken")
	s.FailWith(failure)
	for range 2 {
		if err := s.Apply(t.Context(), map[string][]byte{"a": []byte("2")}); !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
	}
	next := s.Reopen()
	if got, err := next.Load(t.Context()); err != nil || string(got["a"]) != "1" {
		t.Errorf("holds %q, %v", got, err)
	}
	if err := next.Apply(t.Context(), map[string][]byte{"a": nil}); err != nil {
		t.Error(err)
	}
	if next.Size() != 0 {
		t.Errorf("size %d", next.Size())
	}
}

func TestFile(t *testing.T) {
	folders := make(map[string]string)
	storetest.Run(t, func(t *testing.T) store.Store {
		if folders[t.Name()] == "" {
			folders[t.Name()] = t.TempDir()
		}
		return open(t, filepath.Join(folders[t.Name()], "state.db"))
	})
}

func open(t testing.TB, path string) *store.File {
	t.Helper()
	s, err := store.OpenFile(path, "f")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whenever a writer is killed, the acknowledged batches are there, and at most
// the one that was being written beside them.
func TestAKilledWriterLeavesWhatItAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	acknowledged := 0
	for round := range 4 {
		c := storetest.StartChild(t, childVariable+"=file:"+path)
		if end := c.Read(t, 15+7*round); end != "" {
			t.Fatal(end)
		}
		c.Signal(t, os.Kill)
		c.Read(t, -1)
		if c.Acknowledged <= acknowledged {
			t.Fatalf("batch %d, after %d", c.Acknowledged, acknowledged)
		}
		acknowledged = c.Acknowledged
		s := open(t, path)
		storetest.Check(t, s, acknowledged)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What cannot be read is refused with what to do, and stays as it is.
func TestFilesAreRefused(t *testing.T) {
	write := func(data string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		make func(t *testing.T, path string)
		says string
	}{
		"empty": {write(""), "move it away"},
		"text":  {write(strings.Repeat("settings\n", 4000)), "move it away"},
		"of another framework": {func(t *testing.T, path string) {
			s, err := store.OpenFile(path, "other")
			if err != nil || s.Close() != nil {
				t.Fatal(err)
			}
		}, `"other"`},
		"a registry": {func(t *testing.T, path string) {
			s, err := registry.Open(path, "c")
			if err != nil || s.Close() != nil {
				t.Fatal(err)
			}
		}, "move it away"},
		"a value that was changed": {func(t *testing.T, path string) {
			s := open(t, path)
			if err := s.Apply(t.Context(), map[string][]byte{"key": []byte("the value of this key")}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(strings.ReplaceAll(string(data), "the value", "The value"))(t, path)
		}, `record "key"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			test.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := store.OpenFile(path, "f")
			if err == nil {
				_, err = s.Load(t.Context())
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if !errors.Is(err, store.ErrForeign) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

func TestAFileHasOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	defer s.Close()
	if _, err := store.OpenFile(path, "f"); err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("got %v", err)
	}
}

func TestAFileNeedsAFolderAndAnOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent", "state.db")
	for _, owner := range []string{"", "f"} {
		if _, err := store.OpenFile(path, owner); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("owner %q: %v", owner, err)
		}
	}
}

func TestALaterFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := sealed.Create(path, []byte(`{"framework_state":{"owner":"f","format":2}}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenFile(path, "f"); err == nil || !strings.Contains(err.Error(), "header.format: 2") || !strings.Contains(err.Error(), "use the version") {
		t.Errorf("got %v", err)
	}
}

func TestValuesAreBounded(t *testing.T) {
	s := store.NewMemory()
	err := s.Apply(t.Context(), map[string][]byte{"large": make([]byte, store.MaxValue+1)})
	if wrong := new(field.Error); !errors.As(err, &wrong) || wrong.Path != "value" {
		t.Errorf("got %v", err)
	}
}

// A registry is not given away as a state, nor a state as a registry.
func TestAStateIsNoRegistry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Open(path, "c"); !errors.Is(err, registry.ErrForeign) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkFile(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	defer s.Close()
	value := bytes.Repeat([]byte("v"), 1000)
	for i := range b.N {
		if err := s.Apply(b.Context(), map[string][]byte{fmt.Sprintf("key/%d", i%1000): value}); err != nil {
			b.Fatal(err)
		}
	}
}
