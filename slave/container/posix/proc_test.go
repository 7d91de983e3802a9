package posix

import (
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "12 (a) b (c) S 1 12 13 0 -1 4194304 9 9 9 9 100 200 30 40 20 0 5 0 777 1048576 250 18446744073709551615 1"
	got, err := parseStat([]byte(line))
	want := stat{
		state: 'S', ppid: 1, session: 13, threads: 5, utime: 100, stime: 200,
		cutime: 30, cstime: 40, started: 777, rss: 250,
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "12", "12 (x", "12 (x) S 1 2", "12 (x) S a b c d e f g h i j k l m n o p q r s t u v w"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	self, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(self)
	f.Add([]byte("1 ()) S"))
	f.Add([]byte("1 (sh) \x00 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := parseStat(data); err == nil && s.state == 0 {
			t.Errorf("no state in %q", data)
		}
	})
}

func TestUsageOfATree(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	p := launch(t, l, shell(dir, "sh -c 'while :; do :; done' & echo up; while :; do :; done"))
	readFile(t, dir, "stdout")
	eventually(t, "two processes use CPU", func() bool {
		u, err := p.Usage()
		if err != nil {
			t.Fatal(err)
		}
		return u.Processes == 2 && u.Threads == 2 && u.User+u.System >= 40*time.Millisecond && u.RSS > 0
	})
	p.Kill(0)
	waitDone(t, p)
	if u, err := p.Usage(); err == nil {
		t.Errorf("usage of an ended process is %+v", u)
	}
}
