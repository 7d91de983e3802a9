package recordio

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// all reads until an error.
func all(r *Reader) (records []string, err error) {
	for {
		record, err := r.Next()
		if err != nil {
			return records, err
		}
		records = append(records, string(record))
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOf(rapid.StringN(0, 300, 1<<10)).Draw(t, "records")
		var stream bytes.Buffer
		w := NewWriter(&stream, 1<<10)
		for _, record := range records {
			stream.WriteString(strings.Repeat("\n", rapid.IntRange(0, 2).Draw(t, "blank lines")))
			if n, err := w.Write([]byte(record)); err != nil || n != len(record) {
				t.Fatalf("writing %d bytes: %d, %v", len(record), n, err)
			}
		}
		var in io.Reader = &stream
		if rapid.Bool().Draw(t, "in single bytes") {
			in = iotest.OneByteReader(in)
		}
		got, err := all(NewReader(in, 1<<10))
		if err != io.EOF || strings.Join(got, "|") != strings.Join(records, "|") || len(got) != len(records) {
			t.Fatalf("wrote %q, read %q, %v", records, got, err)
		}
	})
}

func TestLargeRecord(t *testing.T) {
	record := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var stream bytes.Buffer
	w := NewWriter(&stream, 1<<20)
	for range 3 {
		if _, err := w.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	got, err := all(NewReader(&stream, 1<<20))
	if err != io.EOF || len(got) != 3 || got[2] != string(record) {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func TestBrokenStreams(t *testing.T) {
	for stream, want := range map[string]error{
		"":                          io.EOF,
		"\n\n":                      io.EOF,
		"3\nabc\n":                  io.EOF,
		"3":                         ErrTruncated,
		"3\n":                       ErrTruncated,
		"3\nab":                     ErrTruncated,
		"x\n":                       ErrLength,
		"-3\nabc":                   ErrLength,
		"3 \nabc":                   ErrLength,
		"3\r\nabc":                  ErrLength,
		"0x3\nabc":                  ErrLength,
		"3\nabcd":                   ErrLength,
		"101\n":                     ErrTooLarge,
		"18446744073709551615\n":    ErrTooLarge,
		"99999999999999999999\n":    ErrTooLarge,
		"000000000000000000003\nab": ErrTooLarge,
	} {
		r := NewReader(strings.NewReader(stream), 100)
		_, err := all(r)
		if !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", stream, err, want)
		}
		if _, again := r.Next(); again != err {
			t.Errorf("%q: after %v came %v", stream, err, again)
		}
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	_, err := all(NewReader(strings.NewReader("3\nabc5x"), 100))
	if err == nil || !strings.Contains(err.Error(), `"5x" at byte 7`) {
		t.Errorf("got %v", err)
	}
}

func TestErrorsOfTheSourcePass(t *testing.T) {
	broken := errors.New("broken")
	for _, start := range []string{"", "3", "3\na"} {
		if _, err := all(NewReader(io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken)), 100)); !errors.Is(err, broken) {
			t.Errorf("after %q: %v", start, err)
		}
	}
}

func TestAnAnnouncedLengthReservesNothing(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := all(NewReader(strings.NewReader("1000000000\nx"), 1<<30)); !errors.Is(err, ErrTruncated) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 100*4*step {
		t.Errorf("%d bytes for 100 records of which one byte came", used)
	}
}

func TestWriterRefusesWhatIsTooLarge(t *testing.T) {
	var out bytes.Buffer
	if _, err := NewWriter(&out, 3).Write([]byte("abcd")); !errors.Is(err, ErrTooLarge) || out.Len() > 0 {
		t.Errorf("got %v and %q", err, out.String())
	}
}

func TestOneWritePerRecord(t *testing.T) {
	var sizes []int
	w := NewWriter(writerFunc(func(p []byte) (int, error) { sizes = append(sizes, len(p)); return len(p), nil }), 100)
	for _, record := range []string{"abc", "", strings.Repeat("x", 20)} {
		if _, err := w.Write([]byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	if len(sizes) != 3 || sizes[0] != 5 || sizes[1] != 2 || sizes[2] != 23 {
		t.Errorf("writes of %v bytes", sizes)
	}
	broken := errors.New("broken")
	if _, err := NewWriter(writerFunc(func([]byte) (int, error) { return 0, broken }), 10).Write(nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"", "3\nabc", "\n\n3\nabc0\n5\nhello", "x", "99999999999999999999\n", "12"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 1000
		var again []byte
		r := NewReader(bytes.NewReader(stream), limit)
		for {
			record, err := r.Next()
			if err != nil {
				break
			}
			if len(record) > limit {
				t.Fatalf("a record of %d bytes", len(record))
			}
			again = Append(again, record)
		}
		first, _ := all(NewReader(bytes.NewReader(stream), limit))
		second, err := all(NewReader(bytes.NewReader(again), limit))
		if err != io.EOF || strings.Join(first, "|") != strings.Join(second, "|") {
			t.Errorf("%q is %q, written again %q, %v", stream, first, second, err)
		}
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	record := bytes.Repeat([]byte("x"), 300)
	var stream bytes.Buffer
	w := NewWriter(&stream, 1<<20)
	r := NewReader(&stream, 1<<20)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Write(record); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
