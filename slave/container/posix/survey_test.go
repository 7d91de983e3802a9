package posix

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"troupe/slave/container"
)

// surveyed is what the processes of a host use by now.
func surveyed(t *testing.T, s *Survey, host int, sandboxes ...string) map[string]container.Usage {
	t.Helper()
	usage, err := s.Measure([]int{host}, sandboxes)
	if err != nil {
		t.Fatal(err)
	}
	return usage
}

// What has a sandbox of its own within another's is told apart from it, also
// when that is heard of later.
func TestSurveyTellsSandboxesApart(t *testing.T) {
	l, dir, other := newLauncher(t), t.TempDir(), t.TempDir()
	inner := filepath.Join(dir, "containers", "c")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	launch(t, l, shell(dir, "sleep 1000 & echo up; while :; do :; done"))
	launch(t, l, shell(inner, "echo up; exec sleep 1000"))
	readFile(t, dir, "stdout")
	readFile(t, inner, "stdout")
	s := new(Survey)
	eventually(t, "all is the outer's", func() bool {
		u := surveyed(t, s, os.Getpid(), dir, other)
		return len(u) == 1 && u[dir].Processes == 3
	})
	eventually(t, "the inner has its own", func() bool {
		u := surveyed(t, s, os.Getpid(), dir, other, inner)
		return len(u) == 2 && u[dir].Processes == 2 && u[dir].User > 0 && u[inner].Processes == 1 && u[inner].RSS > 0
	})
	if u := surveyed(t, s, 1<<30, dir); len(u) != 0 {
		t.Errorf("processes of a host that is not there use %v", u)
	}
	if u := surveyed(t, s, os.Getpid(), other); len(u) != 0 || len(s.places) != 0 {
		t.Errorf("processes of others are taken for those of %s: %v; %v is remembered", other, u, s.places)
	}
}

// A ring of parents, as reading while processes come and go may show, ends.
func TestSurveyOfARing(t *testing.T) {
	s := &Survey{index: map[int]int{}}
	for i, parent := range []int{3, 1, 2} {
		s.index[i+1] = i
		s.seen = append(s.seen, sighting{pid: i + 1, child: -1, next: -1, stat: stat{state: 'S', ppid: parent, threads: 1}})
	}
	s.link()
	var u container.Usage
	s.add(&u, 1)
	if u.Processes != 3 {
		t.Errorf("%d processes are counted", u.Processes)
	}
}

func entry(name string) []byte {
	size := 19 + len(name) + 1
	b := make([]byte, size)
	binary.NativeEndian.PutUint16(b[16:], uint16(size))
	copy(b[19:], name)
	return b
}

func names(entries []byte) (list []string) {
	eachName(entries, func(name []byte) { list = append(list, string(name)) })
	return list
}

func TestEntriesOfAFolder(t *testing.T) {
	whole := slices.Concat(entry("1"), entry("self"), entry("4711"))
	if got := names(whole); !slices.Equal(got, []string{"1", "self", "4711"}) {
		t.Errorf("names are %q", got)
	}
	if got := names(whole[:len(whole)-1]); !slices.Equal(got, []string{"1", "self"}) {
		t.Errorf("names of a part are %q", got)
	}
}

func FuzzEntriesOfAFolder(f *testing.F) {
	f.Add(slices.Concat(entry("1"), entry("self")))
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range names(data) {
			if len(name) > len(data) {
				t.Errorf("%q is in %q", name, data)
			}
		}
	})
}

// BenchmarkSurvey measures 500 containers, and whatever else the machine runs,
// which is told beside it.
func BenchmarkSurvey(b *testing.B) {
	l, err := New(nil)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	var sandboxes []string
	for i := range 500 {
		sandbox := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(sandbox, 0o755); err != nil {
			b.Fatal(err)
		}
		if _, err := l.Launch(shell(sandbox, "exec sleep 1000")); err != nil {
			b.Fatal(err)
		}
		sandboxes = append(sandboxes, sandbox)
	}
	s, measured := new(Survey), 0
	b.ReportAllocs()
	for b.Loop() {
		u, err := s.Measure([]int{os.Getpid()}, sandboxes)
		if err != nil {
			b.Fatal(err)
		}
		measured = len(u)
	}
	if measured != len(sandboxes) {
		b.Error(fmt.Sprint(measured, " of ", len(sandboxes), " are measured"))
	}
	b.ReportMetric(float64(len(s.seen)), "processes")
	if err := l.Close(); err != nil {
		b.Error(err)
	}
}
