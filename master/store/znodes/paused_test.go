package znodes_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
	"troupe/master/store/znodes"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// childVariable makes the test binary a master that writes, at the URL it has.
const childVariable = "TROUPE_TEST_LEAD_AT"

func TestMain(m *testing.M) {
	if url := os.Getenv(childVariable); url != "" {
		fmt.Println("END", leadAndWrite(url))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// childSession is long enough for a busy machine, and short enough to wait for.
const childSession = 3 * time.Second

// leadAndWrite prints every id once its record is durable. It writes on as long
// as it can, whatever it hears of its term.
func leadAndWrite(url string) error {
	place, err := masters.ParseZooKeeper(url)
	if err != nil {
		return err
	}
	id, number := "child", uint32(1)
	c := zookeeper.NewContest(zookeeper.Options{Place: place, SessionTimeout: childSession},
		&mesos.MasterInfo{Id: &id, Ip: &number, Port: &number}, znodes.Open)
	term, err := c.Lead(context.Background())
	if err != nil {
		return err
	}
	s, err := term.Registry(context.Background(), election.Opening{NewCluster: "c"})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("child-%d", i)
		if err := s.Write(context.Background(), admit(id)); err != nil {
			return err
		}
		fmt.Println(id)
	}
}

// child is a leader in a process of its own.
type child struct {
	cmd     *exec.Cmd
	written []string
	lines   *bufio.Scanner
}

func startChild(t *testing.T, url string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	return &child{cmd: cmd, lines: bufio.NewScanner(out)}
}

// read reads what it writes until there are n, or until it ends, and returns
// why it did.
func (c *child) read(n int) string {
	for len(c.written) < n && c.lines.Scan() {
		if why, ended := strings.CutPrefix(c.lines.Text(), "END "); ended {
			return why
		}
		c.written = append(c.written, c.lines.Text())
	}
	return ""
}

// A leader that is stopped for longer than its session and goes on writes
// nothing more, in the middle of writes that it was about to make; what it was
// told to be durable is there.
func TestAPausedLeaderWritesNoMore(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	w := newWorld(t, e)
	c := startChild(t, e.URL(w.o.Place.Path))
	if why := c.read(50); why != "" {
		t.Fatal(why)
	}
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s := open(t, w.elect(t))
	defer shut(t, s)
	before := idsOf(t, s)
	mustWrite(t, s, admit("second"))
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	why := c.read(1 << 30)
	if !strings.Contains(why, "does not lead any more") {
		t.Errorf("it ended with %q", why)
	}
	for _, id := range c.written {
		if !slices.Contains(before, id) {
			t.Errorf("%s was acknowledged, and the next leader had not found it", id)
		}
	}
	w.depose(t)
	last := open(t, w.elect(t))
	defer shut(t, last)
	if after := idsOf(t, last); !slices.Equal(after, append(before, "second")) {
		t.Errorf("there are %d records; the second leader found %d and wrote one", len(after), len(before))
	}
}

func idsOf(t *testing.T, s election.Registry) []string {
	t.Helper()
	records, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range records {
		ids = append(ids, r.GetAgent().GetAgent().GetId().GetValue())
	}
	return ids
}

// Servers of ZooKeeper may die in the middle of writes, of small batches and of
// such as take several transactions: each is there as a whole, and once.
func TestServersDieUnderWrites(t *testing.T) {
	e := zookeepertest.Start(t, 3)
	w := newWorld(t, e)
	s := open(t, w.elect(t))
	ctx, cancel := context.WithCancel(t.Context())
	var batches atomic.Int64
	ended := make(chan error, 1)
	large := many(700)
	go func() {
		for i := 0; ; i++ {
			batch := admit(fmt.Sprintf("S%d", i))
			if i%20 == 19 {
				batch = append(batch, large...)
			}
			if err := s.Write(ctx, batch); err != nil {
				ended <- err
				return
			}
			batches.Store(int64(i + 1))
		}
	}()
	more := func(n int64) {
		t.Helper()
		began := batches.Load()
		until(t, "batches are written", func() bool { return batches.Load() >= began+n })
	}
	for range 3 {
		more(60)
		victim := e.Leader()
		e.Kill(victim)
		more(20)
		e.Restart(victim)
		e.AwaitServing(victim)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	shut(t, s)
	w.depose(t)
	s = open(t, w.elect(t))
	defer shut(t, s)
	want := int(batches.Load()) + len(large)
	// The last may have been written without an answer.
	if n := count(t, s); n != want && n != want+1 {
		t.Errorf("%d records, %d were acknowledged", n, want)
	}
}

// BenchmarkWrite measures writes of one agent each, one after the other, as a
// registrar makes them that has nothing else waiting.
func BenchmarkWrite(b *testing.B) {
	for _, servers := range []int{1, 3} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			s := open(b, newWorld(b, zookeepertest.Start(b, servers)).elect(b))
			defer func() { _ = s.Close() }()
			b.ResetTimer()
			for i := range b.N {
				mustWrite(b, s, admit(fmt.Sprintf("S%d", i)))
			}
		})
	}
}

// BenchmarkAdmit50000 admits fifty thousand agents, a thousand at a time, and
// recovers them as the next leader does.
func BenchmarkAdmit50000(b *testing.B) {
	w := newWorld(b, zookeepertest.Start(b, 3))
	for range b.N {
		w.depose(b)
		s := open(b, w.elect(b))
		began := time.Now()
		for i := range 50 {
			batch := make([]string, 0, 1000)
			for j := range 1000 {
				batch = append(batch, fmt.Sprintf("68efc341-25d3-4305-8cde-0d13ba972218-S%d", 1000*i+j))
			}
			mustWrite(b, s, admit(batch...))
		}
		b.ReportMetric(50000/time.Since(began).Seconds(), "admissions/s")
		_ = s.Close()
		w.depose(b)
		term := w.elect(b)
		began = time.Now()
		s = open(b, term)
		if n := count(b, s); n != 50000 {
			b.Fatalf("%d records", n)
		}
		b.ReportMetric(time.Since(began).Seconds()*1000, "ms/recovery")
		_ = s.Close()
	}
}
