package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// TestMain lets a test start this program again as one that writes a journal
// and says what is durable, until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CHECKPOINT_TEST_DIR"); dir != "" {
		if err := scribble(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// scribble appends numbers, and prints each when it is durable. Now and then
// it rewrites.
func scribble(dir string) error {
	o, err := Open(dir, true)
	if err != nil {
		return err
	}
	// Without this, a write above the limit on files ends the process.
	signal.Notify(make(chan os.Signal, 1), unix.SIGXFSZ)
	o.Journal.OnStall(func(err error) { fmt.Println("stalled", err != nil) })
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM)
	go func() {
		<-stop
		if err := o.Journal.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("closed")
		os.Exit(0)
	}()
	numbers := decodeNumbers(o.Records)
	next := len(numbers)
	printed := make(chan int, 64)
	go func() {
		for {
			n := next
			next++
			numbers = append(numbers, n)
			done := func(err error) {
				if err == nil {
					printed <- n
				}
			}
			o.Journal.Append(recordsOf(n), done)
			if n%50 == 49 { // what is there already: it may find no room
				o.Journal.Rewrite(recordsOf(numbers...), func(error) {})
			}
		}
	}()
	for n := range printed {
		fmt.Println(n)
	}
	return nil
}

func recordsOf(numbers ...int) []*cluster.JournalRecord {
	var records []*cluster.JournalRecord
	for _, n := range numbers {
		records = append(records, &cluster.JournalRecord{Record: &cluster.JournalRecord_FrameworkForgotten{
			FrameworkForgotten: &cluster.FrameworkForgotten{FrameworkId: &mesos.FrameworkID{Value: proto.String(fmt.Sprint(n))}},
		}})
	}
	return records
}

func decodeNumbers(records []*cluster.JournalRecord) []int {
	var numbers []int
	for _, r := range records {
		n := -1
		fmt.Sscan(r.GetFrameworkForgotten().GetFrameworkId().GetValue(), &n)
		numbers = append(numbers, n)
	}
	return numbers
}

func mustOpen(t testing.TB, dir string) Opened {
	t.Helper()
	o, err := Open(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// write asks, and waits until it is durable.
func write(t testing.TB, ask func([]*cluster.JournalRecord, func(error)), numbers ...int) {
	t.Helper()
	done := make(chan error, 1)
	ask(recordsOf(numbers...), func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func closeJournal(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func wantNumbers(t *testing.T, o Opened, want ...int) {
	t.Helper()
	if got := decodeNumbers(o.Records); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the journal holds %v, want %v", got, want)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	o := mustOpen(t, dir)
	wantNumbers(t, o)
	write(t, o.Journal.Append, 1, 2)
	write(t, o.Journal.Append, 3)
	closeJournal(t, o.Journal)
	closeJournal(t, o.Journal)

	o = mustOpen(t, dir)
	wantNumbers(t, o, 1, 2, 3)
	write(t, o.Journal.Rewrite, 2)
	write(t, o.Journal.Append, 4)
	closeJournal(t, o.Journal)

	o = mustOpen(t, dir)
	defer closeJournal(t, o.Journal)
	wantNumbers(t, o, 2, 4)
	if o.Torn != 0 || o.Rebooted {
		t.Errorf("torn %d, rebooted %v", o.Torn, o.Rebooted)
	}
}

func TestAppendsAreAnsweredInOrder(t *testing.T) {
	dir := t.TempDir()
	o := mustOpen(t, dir)
	var mu sync.Mutex
	var answered []int
	var wg sync.WaitGroup
	for n := range 500 {
		wg.Add(1)
		ask := o.Journal.Append
		if n == 250 {
			ask = o.Journal.Rewrite
		}
		ask(recordsOf(n), func(err error) {
			defer wg.Done()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			answered = append(answered, n)
		})
	}
	wg.Wait()
	closeJournal(t, o.Journal)
	for i, n := range answered {
		if i != n {
			t.Fatalf("answer %d is to append %d", i, n)
		}
	}
	o = mustOpen(t, dir)
	defer closeJournal(t, o.Journal)
	if got := decodeNumbers(o.Records); len(got) != 250 || got[0] != 250 || got[249] != 499 {
		t.Errorf("the journal holds %v", got)
	}
}

func TestCloseAnswersWhatWaits(t *testing.T) {
	o := mustOpen(t, t.TempDir())
	answers := make(chan error, 100)
	for n := range 100 {
		o.Journal.Append(recordsOf(n), func(err error) { answers <- err })
	}
	closeJournal(t, o.Journal)
	for range 100 {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
	o.Journal.Append(recordsOf(1), func(err error) { answers <- err })
	if err := <-answers; !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestAFailureIsForGood(t *testing.T) {
	o := mustOpen(t, t.TempDir())
	if err := o.Journal.file.Close(); err != nil { // as if the disk were gone
		t.Fatal(err)
	}
	for range 2 {
		answer := make(chan error, 1)
		o.Journal.Append(recordsOf(1), func(err error) { answer <- err })
		if err := <-answer; err == nil || !strings.Contains(err.Error(), "appending to the journal") {
			t.Errorf("error is %v", err)
		}
	}
	if err := o.Journal.Close(); err == nil {
		t.Error("Close says nothing of the failure")
	}
}

func TestGrownAsksForARewrite(t *testing.T) {
	o := mustOpen(t, t.TempDir())
	defer closeJournal(t, o.Journal)
	if o.Journal.Grown() {
		t.Error("an empty journal is held for grown")
	}
	big := []*cluster.JournalRecord{{Record: &cluster.JournalRecord_Update{Update: &cluster.UpdateAccepted{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("F")},
		Status: &mesos.TaskStatus{
			TaskId: &mesos.TaskID{Value: proto.String("T")}, State: mesos.TaskState_TASK_RUNNING.Enum(),
			Data: make([]byte, minRewrite),
		},
	}}}}
	done := make(chan error)
	o.Journal.Append(big, func(err error) { done <- err })
	if err := <-done; err != nil || !o.Journal.Grown() {
		t.Errorf("%v, grown %v", err, o.Journal.Grown())
	}
	write(t, o.Journal.Rewrite, 1)
	if o.Journal.Grown() {
		t.Error("still grown after the rewrite")
	}
}

func TestTwoAgentsInOneDirectory(t *testing.T) {
	dir := t.TempDir()
	o := mustOpen(t, dir)
	_, err := Open(dir, true)
	if want := fmt.Sprintf("work directory %q: the work directory is in use by the agent with pid %d", dir, os.Getpid()); !errors.Is(err, ErrInUse) || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	closeJournal(t, o.Journal)
	closeJournal(t, mustOpen(t, dir).Journal)
}

func TestDirectoriesThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, "/proc/self/nothing", "/dev/null/x"} {
		if _, err := Open(dir, true); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error is %v", dir, err)
		}
	}
}

func TestAnUnfinishedRewriteIsRemoved(t *testing.T) {
	dir := t.TempDir()
	o := mustOpen(t, dir)
	write(t, o.Journal.Append, 1)
	closeJournal(t, o.Journal)
	fresh := filepath.Join(dir, "meta", "journal.new")
	if err := os.WriteFile(fresh, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	o = mustOpen(t, dir)
	defer closeJournal(t, o.Journal)
	wantNumbers(t, o, 1)
	if _, err := os.Stat(fresh); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestARebootIsNoticed(t *testing.T) {
	dir := t.TempDir()
	closeJournal(t, mustOpen(t, dir).Journal)
	if err := os.WriteFile(filepath.Join(dir, "meta", "boot_id"), []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		o := mustOpen(t, dir)
		if o.Rebooted != want {
			t.Errorf("rebooted is %v", o.Rebooted)
		}
		closeJournal(t, o.Journal)
	}
}

// threeFrames is a journal's content with the offsets where its frames end.
func threeFrames(t testing.TB) (content []byte, ends []int) {
	t.Helper()
	for _, numbers := range [][]int{{1, 2}, {3}, {4, 5, 6}} {
		var err error
		if content, err = AppendFrame(content, recordsOf(numbers...)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(content))
	}
	return content, ends
}

var heldAfter = map[int][]int{0: nil, 1: {1, 2}, 2: {1, 2, 3}, 3: {1, 2, 3, 4, 5, 6}}

// TestCutAnywhere: a journal that ends at any byte is read up to its last
// whole frame, and can be appended to.
func TestCutAnywhere(t *testing.T) {
	content, ends := threeFrames(t)
	dir := t.TempDir()
	for cut := range len(content) + 1 {
		frames := 0
		for _, end := range ends {
			if cut >= end {
				frames++
			}
		}
		put(t, dir, content[:cut])
		o := mustOpen(t, dir)
		wantNumbers(t, o, heldAfter[frames]...)
		write(t, o.Journal.Append, 7)
		closeJournal(t, o.Journal)
		o = mustOpen(t, dir)
		wantNumbers(t, o, append(append([]int(nil), heldAfter[frames]...), 7)...)
		closeJournal(t, o.Journal)
	}
}

// TestDamageAnywhere: a byte that is changed in a frame that others follow is
// refused, with its offset; in the last frame it looks like a torn one.
func TestDamageAnywhere(t *testing.T) {
	content, ends := threeFrames(t)
	starts := append([]int{0}, ends[:2]...)
	for at := range content {
		damaged := bytes.Clone(content)
		damaged[at] ^= 0x41
		frame := 0
		for frame < 2 && at >= ends[frame] {
			frame++
		}
		c := decode("FILE", damaged)
		got := fmt.Sprint(decodeNumbers(c.records))
		if frame == 2 {
			if len(c.damage) != 0 || got != "[1 2 3]" || c.whole != int64(ends[1]) {
				t.Fatalf("byte %d: %s, %d, %v", at, got, c.whole, c.damage)
			}
			continue
		}
		want := [...]string{"[3 4 5 6]", "[1 2 4 5 6]"}[frame]
		if len(c.damage) != 1 || got != want || c.whole != int64(ends[2]) {
			t.Fatalf("byte %d: %s, want %s; whole %d; %v", at, got, want, c.whole, c.damage)
		}
		if d := c.damage[0]; d.Offset != int64(starts[frame]) || d.Frame != frame+1 || d.Path != "FILE" {
			t.Fatalf("byte %d: %v", at, d)
		}
	}
}

// TestDamageIsRefusedOrLeftOut: strict means that an operator decides; otherwise
// the rest is kept, and so is the file as it was.
func TestDamageIsRefusedOrLeftOut(t *testing.T) {
	content, ends := threeFrames(t)
	content[ends[0]+headerSize] ^= 1
	dir := t.TempDir()
	put(t, dir, content)
	_, err := Open(dir, true)
	var damage *DamageError
	if !errors.As(err, &damage) || damage.Frame != 2 || damage.Offset != int64(ends[0]) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("strict: %v", err)
	}
	o, err := Open(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, o, 1, 2, 4, 5, 6)
	if len(o.Damage) != 1 || o.Damage[0].Frame != 2 || o.Torn != 0 {
		t.Errorf("damage is %v, torn %d", o.Damage, o.Torn)
	}
	write(t, o.Journal.Append, 7)
	closeJournal(t, o.Journal)
	kept, err := os.ReadFile(filepath.Join(dir, "meta", "journal.damaged"))
	if err != nil || !bytes.Equal(kept, content) {
		t.Errorf("the damaged journal is not kept: %v", err)
	}
	o = mustOpen(t, dir)
	defer closeJournal(t, o.Journal)
	wantNumbers(t, o, 1, 2, 4, 5, 6, 7)
}

func put(t *testing.T, dir string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "meta"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "meta", "journal"), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	content, ends := threeFrames(f)
	f.Add(content)
	f.Add(content[:ends[1]+5])
	f.Add(append(bytes.Clone(content), make([]byte, 100)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := decode("FILE", data)
		again := decode("FILE", data[:c.whole])
		if again.whole != c.whole || len(again.damage) != len(c.damage) || len(again.records) != len(c.records) {
			t.Errorf("of the %d bytes that were whole, %d are then; damage %v, and then %v", c.whole, again.whole, c.damage, again.damage)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			o := mustOpen(b, b.TempDir())
			defer closeJournal(b, o.Journal)
			slots := make(chan struct{}, writers)
			records := recordsOf(1)
			for b.Loop() {
				slots <- struct{}{}
				o.Journal.Append(records, func(error) { <-slots })
			}
		})
	}
}
