package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test's program be a process that shares a cache: it gets the
// entries that its arguments name, and says of each when it has it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CACHE_TEST_DIR"); dir != "" {
		c := Cache{Dir: dir, Size: 64 << 10, Patience: 30 * time.Second}
		for _, name := range os.Args[1:] {
			if err := use(context.Background(), c, name); err != nil {
				fmt.Println(name, "failed:", err)
				os.Exit(1)
			}
			fmt.Println(name)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// contentOf is what the entry of that name has: up to 16 KB.
func contentOf(name string) []byte {
	n, _ := strconv.Atoi(name)
	return bytes.Repeat([]byte(name+","), 1+n*1000/len(name))
}

// use gets an entry as fetching processes do, in small steps, and looks whether
// it is whole.
func use(ctx context.Context, c Cache, name string) error {
	e, err := c.Get(ctx, Key("", name), func() {}, func(s *Sink) error {
		content := contentOf(name)
		if len(content)%2 == 0 {
			if err := s.Expect(int64(len(content))); err != nil {
				return err
			}
		}
		for part := range slicesOf(content, 500) {
			if _, err := s.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, ErrNoRoom) || errors.Is(err, ErrFailed) {
		return nil // nothing wrong: it would be fetched without
	}
	if err != nil {
		return err
	}
	got, err := io.ReadAll(io.NewSectionReader(e, 0, 1<<20))
	if err == nil && !bytes.Equal(got, contentOf(name)) {
		err = fmt.Errorf("has %d bytes, and not the %d that it should", len(got), len(contentOf(name)))
	}
	return errors.Join(err, e.Close())
}

func slicesOf(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 && yield(b[:min(n, len(b))]) {
			b = b[min(n, len(b)):]
		}
	}
}

func filled(content string) func(*Sink) error {
	return func(s *Sink) error { _, err := io.WriteString(s, content); return err }
}

func unfillable(t *testing.T) func(*Sink) error {
	return func(*Sink) error { t.Error("it is fetched again"); return errors.New("fetched again") }
}

func get(t *testing.T, c Cache, key string, fill func(*Sink) error) *Entry {
	t.Helper()
	e, err := c.Get(t.Context(), Key("", key), func() {}, fill)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // some are closed already
	return e
}

func TestGet(t *testing.T) {
	c := Cache{Dir: filepath.Join(t.TempDir(), "made", "here"), Size: 100}
	first := get(t, c, "a", filled("content"))
	again := get(t, c, "a", unfillable(t))
	if !first.Fresh || again.Fresh {
		t.Errorf("fresh: %v, then %v", first.Fresh, again.Fresh)
	}
	for _, e := range []*Entry{first, again} {
		if got, err := io.ReadAll(io.NewSectionReader(e, 0, 100)); string(got) != "content" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if used, err := c.Used(); used != 7 || err != nil {
		t.Errorf("%d bytes used, %v", used, err)
	}
	if err := errors.Join(c.Drop(Key("", "a")), c.Drop(Key("", "a"))); err != nil {
		t.Error(err)
	}
	if !get(t, c, "a", filled("other")).Fresh {
		t.Error("what was dropped is there")
	}
	if Key("a", "b") == Key("", "ab") || Key("a", "b") == Key("b", "a") {
		t.Error("keys are not of the user and the URI")
	}
	info, err := os.Stat(c.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may look into the cache: %v, %v", info.Mode(), err)
	}
}

func TestFailureLeavesNothing(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 100}
	errServer := errors.New("the server")
	_, err := c.Get(t.Context(), Key("", "a"), func() {}, func(s *Sink) error {
		_, werr := io.WriteString(s, "half")
		return errors.Join(werr, errServer)
	})
	if !errors.Is(err, errServer) {
		t.Errorf("got %v", err)
	}
	if used, err := c.Used(); used != 0 || err != nil {
		t.Errorf("%d bytes used, %v", used, err)
	}
	if e := get(t, c, "a", filled("whole")); !e.Fresh {
		t.Error("a failure is kept")
	}
}

func TestEvictsWhatWasNotUsedForLongest(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 30}
	for i, name := range []string{"a", "b", "c"} {
		e := get(t, c, name, filled("0123456789"))
		old := time.Unix(int64(1000+i), 0)
		if err := errors.Join(os.Chtimes(filepath.Join(c.Dir, Key("", name)), old, old), e.Close()); err != nil {
			t.Fatal(err)
		}
	}
	used := get(t, c, "a", unfillable(t)) // is now the newest
	if err := get(t, c, "d", filled("01234")).Close(); err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if _, err := os.Stat(filepath.Join(c.Dir, Key("", name))); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is in use stays, however old, and however much room is wanted.
	old := time.Unix(1, 0)
	if err := os.Chtimes(filepath.Join(c.Dir, Key("", "a")), old, old); err != nil {
		t.Fatal(err)
	}
	get(t, c, "e", filled(strings.Repeat("x", 20)))
	if _, err := c.Get(t.Context(), Key("", "f"), func() {}, filled("x")); !errors.Is(err, ErrNoRoom) {
		t.Errorf("got %v", err)
	}
	if got, err := io.ReadAll(used); string(got) != "0123456789" || err != nil {
		t.Errorf("what is in use became %q, %v", got, err)
	}
}

func TestNoRoom(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 30}
	get(t, c, "small", filled("x")).Close()
	for name, fill := range map[string]func(*Sink) error{
		"expected": func(s *Sink) error { return s.Expect(31) },
		"written":  filled(strings.Repeat("x", 31)),
		"in pieces": func(s *Sink) error {
			for range 31 {
				if _, err := s.Write([]byte("x")); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		if _, err := c.Get(t.Context(), Key("", name), func() {}, fill); !errors.Is(err, ErrNoRoom) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if !get(t, c, "just", filled(strings.Repeat("x", 30))).Fresh {
		t.Error("what just fits is not taken")
	}
}

// TestShorterThanExpected: what was promised to a download is free when it is less.
func TestShorterThanExpected(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 30}
	get(t, c, "a", func(s *Sink) error {
		if err := s.Expect(25); err != nil {
			return err
		}
		if used, err := c.Used(); used != 25 || err != nil {
			t.Errorf("%d promised, %v", used, err)
		}
		return filled("12345")(s)
	})
	if used, err := c.Used(); used != 5 || err != nil {
		t.Errorf("%d used, %v", used, err)
	}
}

// TestWaiters: one makes it, and the others have it; when it fails, each is told at
// once, and does not try in turn.
func TestWaiters(t *testing.T) {
	for _, failure := range []error{nil, errors.New("the server")} {
		c := Cache{Dir: t.TempDir(), Size: 100}
		var fills atomic.Int64
		var waiting, done sync.WaitGroup
		waiting.Add(9)
		for range 10 {
			done.Go(func() {
				e, err := c.Get(t.Context(), Key("", "a"), waiting.Done, func(s *Sink) error {
					fills.Add(1)
					waiting.Wait()
					return errors.Join(filled("content")(s), failure)
				})
				switch {
				case failure == nil && err == nil:
					e.Close()
				case failure == nil, !errors.Is(err, failure) && !errors.Is(err, ErrFailed):
					t.Errorf("got %v", err)
				}
			})
		}
		done.Wait()
		if n := fills.Load(); n != 1 {
			t.Errorf("failure %v: fetched %d times", failure, n)
		}
	}
}

func TestWaitingEnds(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 100, Patience: time.Millisecond}
	release, held := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		get(t, c, "a", func(s *Sink) error { close(held); <-release; return nil })
	})
	<-held
	if _, err := c.Get(t.Context(), Key("", "a"), func() {}, unfillable(t)); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.Patience = 0
	if _, err := c.Get(ctx, Key("", "a"), cancel, unfillable(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	done.Wait()
}

// TestLockIsHeld: who stops while it has the lock of the folder holds nobody up for
// long.
func TestLockIsHeld(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 100}
	if err := c.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(c.Dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if err := c.locked(t.Context(), func() error { return nil }); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
	})
}

// TestReboot: entries of before the machine's start may be torn.
func TestReboot(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 100}
	get(t, c, "a", filled("content")).Close()
	if err := os.WriteFile(filepath.Join(c.Dir, "boot"), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !get(t, c, "a", filled("anew")).Fresh {
		t.Error("an entry outlives the machine's start")
	}
}

// TestFolderOfAnother: who could write to the folder could give tasks anything.
func TestFolderOfAnother(t *testing.T) {
	open, theirs := t.TempDir(), t.TempDir()
	link, file := filepath.Join(t.TempDir(), "link"), filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.Chmod(open, 0o777), os.Chown(theirs, 65534, 65534), os.Symlink(t.TempDir(), link), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{open, theirs, link, file} {
		_, err := Cache{Dir: dir, Size: 100}.Get(t.Context(), Key("", "a"), func() {}, unfillable(t))
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got %v", dir, err)
		}
	}
}

func TestCounts(t *testing.T) {
	c := Cache{Dir: filepath.Join(t.TempDir(), "cache")}
	if got, err := c.Counts(); got != (Tally{}) || err != nil {
		t.Errorf("nothing yet: %v, %v", got, err)
	}
	if used, err := c.Used(); used != 0 || err != nil {
		t.Errorf("nothing yet: %v, %v", used, err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := c.Count(t.Context(), Tally{Succeeded: uint64(i % 2), Failed: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := c.Counts(); got != (Tally{10, 20}) || err != nil {
		t.Errorf("counted %+v, %v", got, err)
	}
	if err := os.Truncate(filepath.Join(c.Dir, "counts"), 3); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Counts(); got != (Tally{}) || err != nil {
		t.Errorf("torn: %+v, %v", got, err)
	}
}

// TestKilledProcesses: processes share a cache and are killed at any moment. What one
// gets is whole nevertheless, the cache never grows beyond its size, and nothing that
// the dead have left keeps the living from anything.
func TestKilledProcesses(t *testing.T) {
	for round := range uint64(15) {
		dir := t.TempDir()
		var all sync.WaitGroup
		for i := range uint64(4) {
			all.Go(func() {
				chance := rand.New(rand.NewPCG(round, i))
				var list []int
				for range 3 + chance.IntN(8) {
					list = append(list, 1+chance.IntN(16))
				}
				if err := spawn(t.Context(), dir, list, chance); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		all.Wait()
		c := Cache{Dir: dir, Size: 64 << 10}
		if used, err := c.Used(); used > c.Size || err != nil {
			t.Errorf("round %d: %d bytes of %d are used, %v", round, used, c.Size, err)
		}
		// Who comes now has the whole cache, but for what is complete and right.
		for n := 1; n <= 16; n++ {
			if err := use(t.Context(), c, strconv.Itoa(n)); err != nil {
				t.Errorf("round %d, afterwards: %v", round, err)
			}
		}
		if _, err := c.Get(t.Context(), Key("", "all"), func() {}, func(s *Sink) error { return s.Expect(c.Size) }); err != nil {
			t.Errorf("round %d: what the dead were promised is not free: %v", round, err)
		}
	}
}

// spawn starts a process that uses these entries, kills it after some of them, and
// starts another for the rest.
func spawn(ctx context.Context, dir string, list []int, chance *rand.Rand) error {
	var args []string
	for _, n := range list {
		args = append(args, strconv.Itoa(n))
	}
	for len(args) > 0 {
		c := exec.CommandContext(ctx, "/proc/self/exe", args...)
		c.Env = append(os.Environ(), "CACHE_TEST_DIR="+dir)
		out, err := c.StdoutPipe()
		if err != nil {
			return err
		}
		if err := c.Start(); err != nil {
			return err
		}
		// Dies somewhere in what follows the last line that is waited for.
		lines, most := 0, chance.IntN(len(args)+1)
		buffer := make([]byte, 4096)
		var said strings.Builder
		for lines < most {
			n, err := out.Read(buffer)
			said.Write(buffer[:n])
			if lines = strings.Count(said.String(), "\n"); err != nil {
				break
			}
		}
		if strings.Contains(said.String(), "failed") {
			return errors.Join(errors.New(said.String()), c.Process.Kill(), c.Wait())
		}
		_ = c.Process.Kill() // may have ended
		_ = c.Wait()         // by the signal, as a rule
		args = args[max(1, min(lines, len(args))):]
	}
	return nil
}

func BenchmarkGetHit(b *testing.B) {
	c := Cache{Dir: b.TempDir(), Size: 1 << 30}
	for b.Loop() {
		e, err := c.Get(b.Context(), Key("", "a"), func() {}, filled("content"))
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}
