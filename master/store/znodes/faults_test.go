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
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
	"troupe/master/registry"
	"troupe/master/store/znodes"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// childVariable makes the test binary a master that writes, at the URL it has;
// batchVariable says how many records at a time, sessionVariable how long its
// session is.
const (
	childVariable   = "TROUPE_TEST_LEAD_AT"
	batchVariable   = "TROUPE_TEST_BATCH"
	sessionVariable = "TROUPE_TEST_SESSION"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childVariable); url != "" {
		n, err := strconv.Atoi(os.Getenv(batchVariable))
		session, err2 := time.ParseDuration(os.Getenv(sessionVariable))
		if err = errors.Join(err, err2); err == nil {
			err = leadAndWrite(url, n, session)
		}
		fmt.Println("END", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// leadAndWrite prints the number of every batch once it is durable. It writes on
// as long as it can, whatever it hears of its term.
func leadAndWrite(url string, size int, session time.Duration) error {
	place, err := masters.ParseZooKeeper(url)
	if err != nil {
		return err
	}
	id, number := "child", uint32(1)
	c := zookeeper.NewContest(zookeeper.Options{Place: place, SessionTimeout: session},
		&mesos.MasterInfo{Id: &id, Ip: &number, Port: &number}, znodes.Open)
	term, err := c.Lead(context.Background())
	if err != nil {
		return err
	}
	s, err := term.Registry(context.Background(), election.Opening{NewCluster: "c"})
	if err != nil {
		return err
	}
	records, err := s.Load(context.Background())
	if err != nil {
		return err
	}
	for i := len(records) / size; ; i++ {
		if err := s.Write(context.Background(), batch(i, size)); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// batch is of agents of about a kilobyte each, whose ids begin with its number.
func batch(i, size int) []registry.Change {
	all := many(size)
	for j := range all {
		id := fmt.Sprintf("%d-%d", i, j)
		all[j].Key = registry.AgentKey(id)
		all[j].Record.GetAgent().Agent.Id.Value = &id
	}
	return all
}

// child is a leader in a process of its own.
type child struct {
	cmd     *exec.Cmd
	written []string // numbers of batches
	lines   *bufio.Scanner
}

func startChild(t *testing.T, url string, size int, session time.Duration) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+url, batchVariable+"="+strconv.Itoa(size), sessionVariable+"="+session.String())
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
	c := startChild(t, e.URL(w.o.Place.Path), 1, 5*time.Second)
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
	for _, number := range c.written {
		if !slices.Contains(before, number+"-0") {
			t.Errorf("batch %s was acknowledged, and the next leader had not found it", number)
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

// A leader that is killed anywhere, between the transactions of a batch or while
// it writes a snapshot, leaves whole batches, and all that it acknowledged.
func TestAKilledLeaderLeavesWholeBatches(t *testing.T) {
	const size = 600 // five segments
	e := zookeepertest.Start(t, 1)
	w := newWorld(t, e)
	for round := range 4 {
		c := startChild(t, e.URL(w.o.Place.Path), size, time.Minute)
		if why := c.read(3 + 2*round); why != "" {
			t.Fatal(why)
		}
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.read(1 << 30) // what it had said before
		w.depose(t)
		s := open(t, w.elect(t))
		found := map[string]int{}
		for _, id := range idsOf(t, s) {
			number, _, _ := strings.Cut(id, "-")
			found[number]++
		}
		for number, n := range found {
			if n != size {
				t.Errorf("round %d: %d records are left of batch %s", round, n, number)
			}
		}
		for _, number := range c.written {
			if found[number] == 0 {
				t.Errorf("round %d: batch %s was acknowledged and is lost", round, number)
			}
		}
		shut(t, s)
		w.depose(t)
	}
	if len(snapshots(w.children(t, "/registry"))) == 0 {
		t.Error("no snapshot was written")
	}
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
