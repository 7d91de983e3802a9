package du

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/disk"
	"troupe/slave/container/plan"
)

const mb = 1 << 20

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fill(t testing.TB, path string, size int) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	must(t, err)
	_, err = f.Write(bytes.Repeat([]byte{1}, size))
	must(t, err)
	must(t, errors.Join(f.Sync(), f.Close()))
}

// world has an isolator, and what it told of limits.
type world struct {
	*testing.T
	du       *Isolator
	top      string
	limits   heard[*isolator.Limit]
	failures heard[error]
}

// heard is what was told so far, by any goroutine.
type heard[T any] struct {
	mu   sync.Mutex
	list []T
}

func (h *heard[T]) add(t T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, t)
}

func (h *heard[T]) all() []T {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

func newWorld(t *testing.T, enforce bool) *world {
	t.Helper()
	w := &world{T: t, top: t.TempDir()}
	i, err := New(Options{
		Records: disk.Records{Dir: filepath.Join(w.top, "records")}, Interval: 15 * time.Second, Enforce: enforce,
		Failed: func(err error) { w.failures.add(err) },
	})
	must(t, err)
	w.du = i
	return w
}

func (w *world) container(id string, quota uint64) *isolator.Container {
	w.Helper()
	c := &isolator.Container{ID: []string{id}, Sandbox: filepath.Join(w.top, "sandboxes", id), Amounts: isolator.Amounts{Disk: quota}}
	must(w, os.MkdirAll(c.Sandbox, 0o755))
	return c
}

func (w *world) nested(parent *isolator.Container, id string, quota uint64) *isolator.Container {
	w.Helper()
	c := &isolator.Container{
		ID: append(append([]string{}, parent.ID...), id), Parent: parent, Amounts: isolator.Amounts{Disk: quota},
		Sandbox: filepath.Join(parent.Sandbox, "containers", id),
	}
	must(w, os.MkdirAll(c.Sandbox, 0o755))
	return c
}

func (w *world) volume(id string, quota float64) isolator.Volume {
	w.Helper()
	v := isolator.Volume{Source: filepath.Join(w.top, "volumes", id), Resource: &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(quota)},
		Disk: &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String(id)}},
	}}
	must(w, os.MkdirAll(v.Source, 0o755))
	return v
}

// start prepares and watches until the test ends or end is called.
func (w *world) start(c *isolator.Container) (end func()) {
	w.Helper()
	must(w, w.du.Prepare(w.Context(), c, &plan.Plan{}))
	ctx, end := context.WithCancel(w.Context())
	must(w, w.du.Watch(ctx, c, func(l *isolator.Limit) { w.limits.add(l) }))
	return end
}

func (w *world) used(c *isolator.Container) *mesos.ResourceStatistics {
	w.Helper()
	u := &mesos.ResourceStatistics{}
	must(w, w.du.Usage(&isolator.Container{ID: c.ID, Sandbox: c.Sandbox}, u))
	return u
}

// pass lets what is due be done, and then so much time go by.
func pass(d time.Duration) {
	synctest.Wait()
	<-time.After(d)
	synctest.Wait()
}

func TestQuota(t *testing.T) {
	for _, enforce := range []bool{true, false} {
		t.Run(fmt.Sprint("enforce=", enforce), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { quota(newWorld(t, enforce), enforce) })
		})
	}
}

func quota(w *world, enforce bool) {
	c, neighbour := w.container("c", mb), w.container("n", mb)
	w.start(neighbour)
	w.start(c)
	pass(0)
	if u := w.used(c); u.GetDiskLimitBytes() != mb || u.DiskUsedBytes == nil || u.GetDiskUsedBytes() > mb/2 {
		w.Errorf("an empty sandbox: %v", u)
	}
	fill(w, filepath.Join(c.Sandbox, "file"), mb+4096)
	pass(16 * time.Second)
	if u := w.used(c); u.GetDiskUsedBytes() <= mb || len(u.DiskStatistics) != 1 {
		w.Errorf("statistics are %v", u)
	}
	limit, err := w.du.Check(c)
	must(w, err)
	if !enforce {
		if len(w.limits.all()) != 0 || limit != nil {
			w.Errorf("told without enforcement: %v, %v", w.limits.all(), limit)
		}
		return
	}
	if len(w.limits.all()) != 1 || limit == nil || w.limits.all()[0].Reason != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK {
		w.Fatalf("told %v, %v", w.limits.all(), limit)
	}
	got := w.limits.all()[0]
	if !strings.HasPrefix(got.Message, "disk usage 1.0") || !strings.HasSuffix(got.Message, " exceeds its quota 1MB") || got.Message != limit.Message {
		w.Errorf("message is %q", got.Message)
	}
	if v := got.Resources[0].GetScalar().GetValue(); v <= 1 || v > 1.1 {
		w.Errorf("used %v", v)
	}
	if l, err := w.du.Check(neighbour); l != nil || err != nil {
		w.Errorf("the neighbour has %v, %v", l, err)
	}
	if pass(time.Minute); len(w.limits.all()) != 1 {
		w.Errorf("told %d times", len(w.limits.all()))
	}
}

// TestUpdate: quotas change under way, and without a quota there is no limit.
func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		c := w.container("c", 0)
		w.start(c)
		fill(t, filepath.Join(c.Sandbox, "file"), 2*mb)
		pass(16 * time.Second)
		if u := w.used(c); u.DiskLimitBytes != nil || u.GetDiskUsedBytes() < 2*mb || len(w.limits.all()) != 0 {
			t.Errorf("statistics are %v, told %v", u, w.limits.all())
		}
		c.Amounts.Disk = 4 * mb
		must(t, w.du.Update(c))
		if u := w.used(c); u.GetDiskLimitBytes() != 4*mb || u.GetDiskUsedBytes() < 2*mb {
			t.Errorf("statistics are %v", u)
		}
		c.Amounts.Disk = mb
		must(t, w.du.Update(c))
		if pass(16 * time.Second); len(w.limits.all()) != 1 {
			t.Errorf("told %v", w.limits.all())
		}
	})
}

// TestNested: a nested container's sandbox counts for its parent, and on its own.
func TestNested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		c := w.container("c", 10*mb)
		w.start(c)
		pass(0)
		in := w.nested(c, "in", mb)
		w.start(in)
		shared := w.nested(c, "shared", mb)
		shared.Shared = true
		w.start(shared)
		fill(t, filepath.Join(in.Sandbox, "file"), 2*mb)
		fill(t, filepath.Join(shared.Sandbox, "file"), 4*mb)
		pass(16 * time.Second)
		if got := w.used(in).GetDiskUsedBytes() / mb; got != 2 {
			t.Errorf("the nested one uses %d MB", got)
		}
		if u := w.used(shared); u.GetDiskUsedBytes()/mb != 4 || u.DiskLimitBytes != nil {
			t.Errorf("the shared one: %v", u)
		}
		if got := w.used(c).GetDiskUsedBytes() / mb; got != 6 {
			t.Errorf("the outer one uses %d MB", got)
		}
		if len(w.limits.all()) != 1 || !strings.Contains(w.limits.all()[0].Message, "quota 1MB") {
			t.Errorf("told %v", w.limits.all())
		}
		// A sandbox that its user has replaced by a link measures nothing else.
		must(t, os.Rename(in.Sandbox, in.Sandbox+"-away"))
		must(t, os.Symlink("/usr", in.Sandbox))
		pass(16 * time.Second)
		if got := w.used(in).GetDiskUsedBytes(); got != 0 {
			t.Errorf("a link uses %d bytes", got)
		}
	})
}

// TestVolumes: each has its own quota and figures, and counts for nobody's
// sandbox that links to it.
func TestVolumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		c := w.container("c", mb)
		c.Volumes = []isolator.Volume{w.volume("v1", 1), w.volume("v2", 8)}
		must(t, os.Symlink(c.Volumes[1].Source, filepath.Join(c.Sandbox, "data")))
		w.start(c)
		fill(t, filepath.Join(c.Sandbox, "data/file"), 4*mb)
		pass(16 * time.Second)
		u := w.used(c)
		if len(w.limits.all()) != 0 || u.GetDiskUsedBytes() > mb/2 || len(u.DiskStatistics) != 3 || u.DiskStatistics[2].GetUsedBytes()/mb != 4 {
			t.Errorf("told %v, statistics %v", w.limits.all(), u)
		}
		fill(t, filepath.Join(c.Volumes[0].Source, "file"), 2*mb)
		pass(16 * time.Second)
		if len(w.limits.all()) != 1 || !strings.Contains(w.limits.all()[0].Message, `volume "v1"`) || w.limits.all()[0].Resources[0].GetDisk().GetPersistence().GetId() != "v1" {
			t.Errorf("told %v", w.limits.all())
		}
	})
}

// TestTooDeep: who has a quota cannot hide what he has.
func TestTooDeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		deep := strings.Repeat("/d", 600)
		c, free := w.container("c", 64*mb), w.container("free", 0)
		must(t, os.MkdirAll(c.Sandbox+deep, 0o755))
		must(t, os.MkdirAll(free.Sandbox+deep, 0o755))
		w.start(c)
		w.start(free)
		if pass(0); len(w.limits.all()) != 1 || !strings.Contains(w.limits.all()[0].Message, c.Sandbox+" cannot be held to its quota 64MB: its folders are more than") {
			t.Errorf("told %v", w.limits.all())
		}
	})
}

// TestTurns: a small tree is measured while a large one still is.
func TestTurns(t *testing.T) {
	w := newWorld(t, true)
	large, small := w.container("a", mb), w.container("b", mb)
	for i := range 10 * slice {
		must(t, os.MkdirAll(filepath.Join(large.Sandbox, fmt.Sprint(i%100), fmt.Sprint(i)), 0o755))
	}
	m := newMeter(w.du.o)
	m.running = true // this test takes the steps
	m.hold(large, nil)
	m.hold(small, nil)
	var going []*tree
	if _, more := m.next(&going); !more || len(going) != 2 || going[0].path != large.Sandbox {
		t.Fatalf("measured are %v", going)
	}
	if m.step(going[0]) || !m.step(going[1]) {
		t.Error("the small tree waits for the large one")
	}
	m.forget(large.ID)
	m.forget(small.ID)
	if going = m.current(going[:1]); len(going) != 0 {
		t.Error("what nobody wants is still measured")
	}
	if _, more := m.next(&going); more {
		t.Error("the goroutine goes on without trees")
	}
}

// TestEase: what is expensive to measure is measured less often.
func TestEase(t *testing.T) {
	m := newMeter(Options{Interval: 15 * time.Second})
	now := time.Now()
	for cost, want := range map[time.Duration]time.Duration{time.Millisecond: 15 * time.Second, 3 * time.Second: time.Minute} {
		tr := &tree{began: now, cost: cost}
		if m.rest(tr); tr.due.Sub(now) != want {
			t.Errorf("after %v it is due in %v, want %v", cost, tr.due.Sub(now), want)
		}
	}
}

// TestGone: a sandbox that is collected while it is measured is no failure, and
// nothing is known of a container that was cleaned up.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		c, other := w.container("c", mb), w.container("o", mb)
		end := w.start(c)
		w.start(other)
		pass(0)
		must(t, os.RemoveAll(c.Sandbox))
		if pass(16 * time.Second); len(w.failures.all()) != 0 {
			t.Errorf("failed: %v", w.failures.all())
		}
		end()
		ids, err := w.du.Recover(t.Context())
		must(t, err)
		if len(ids) != 2 {
			t.Errorf("there are %v", ids)
		}
		for range 2 {
			must(t, w.du.Cleanup(t.Context(), c))
		}
		if u := w.used(c); u.DiskUsedBytes != nil || len(u.DiskStatistics) != 0 {
			t.Errorf("statistics are %v", u)
		}
		if pass(16 * time.Second); w.used(other).DiskUsedBytes == nil {
			t.Error("the other is not measured any more")
		}
	})
}

// TestFailure: a folder that cannot be measured is told of, at each interval, and
// holds up nobody.
func TestFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		bad, good := w.container("bad", mb), w.container("good", mb)
		must(t, os.Remove(bad.Sandbox))
		must(t, os.WriteFile(bad.Sandbox, nil, 0o644))
		w.start(bad)
		w.start(good)
		pass(15 * time.Second)
		if len(w.failures.all()) != 2 || !strings.Contains(w.failures.all()[0].Error(), "measure "+bad.Sandbox) {
			t.Errorf("failed: %v", w.failures.all())
		}
		if w.used(good).DiskUsedBytes == nil {
			t.Error("the other was not measured")
		}
	})
}

func TestOptions(t *testing.T) {
	if _, err := New(Options{Records: disk.Records{Dir: "/x"}}); err == nil || !strings.Contains(err.Error(), "container_disk_watch_interval") {
		t.Errorf("error is %v", err)
	}
	if _, err := New(Options{Interval: 1, Records: disk.Records{Dir: "x"}}); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("error is %v", err)
	}
	w := newWorld(t, true)
	if err := w.du.Prepare(t.Context(), &isolator.Container{ID: []string{".."}}, &plan.Plan{}); err == nil {
		t.Error("a container of that name was prepared")
	}
}
