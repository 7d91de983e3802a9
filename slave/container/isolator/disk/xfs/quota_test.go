//go:build vm

package xfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/disk"
	"troupe/slave/container/plan"
)

const mb = 1 << 20

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// mounted makes a file system of XFS.
func mounted(t testing.TB, options string) string {
	t.Helper()
	dir := t.TempDir()
	image, at := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 400*mb))
	run(t, "/usr/sbin/mkfs.xfs", "-q", image)
	must(t, os.Mkdir(at, 0o755))
	run(t, "mount", "-t", "xfs", "-o", "loop"+options, image, at)
	t.Cleanup(func() { run(t, "umount", at) })
	return at
}

type world struct {
	*testing.T
	top string
	o   Options
	x   *Isolator
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{T: t, top: mounted(t, ",prjquota")}
	w.o = Options{
		WorkDir: w.top, Records: disk.Records{Dir: filepath.Join(w.top, "records")}, First: 5000, Last: 5009,
		Failed: func(err error) { t.Error(err) },
	}
	for _, f := range change {
		f(&w.o)
	}
	w.x = w.another()
	return w
}

// another is the isolator of another process.
func (w *world) another() *Isolator {
	w.Helper()
	x, err := New(w.o)
	must(w, err)
	return x
}

func (w *world) container(id string, quota uint64) *isolator.Container {
	w.Helper()
	c := &isolator.Container{ID: []string{id}, Sandbox: filepath.Join(w.top, "sandboxes", id), Amounts: isolator.Amounts{Disk: quota}}
	must(w, os.MkdirAll(c.Sandbox, 0o755))
	return c
}

func (w *world) prepared(id string, quota uint64) *isolator.Container {
	w.Helper()
	c := w.container(id, quota)
	must(w, w.x.Prepare(w.Context(), c, &plan.Plan{}))
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

func (w *world) usage(c *isolator.Container) *mesos.ResourceStatistics {
	w.Helper()
	u := &mesos.ResourceStatistics{}
	must(w, w.x.Usage(&isolator.Container{ID: c.ID, Sandbox: c.Sandbox}, u))
	return u
}

func (w *world) project(path string) uint32 {
	w.Helper()
	var id uint32
	must(w, in(path, func(fd int) (err error) {
		id, _, err = project(fd)
		return err
	}))
	return id
}

// write makes a file, and returns how much of it could be written.
func write(path string, size int) (int, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, err
	}
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	n := 0
	piece := bytes.Repeat([]byte{1}, mb/4)
	for n < size && err == nil {
		var m int
		m, err = f.Write(piece)
		n += m
	}
	if err == nil {
		err = f.Sync()
	}
	return n, errors.Join(err, f.Close())
}

func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// TestQuota: the kernel refuses what is more than the quota, to a program that
// is started in the sandbox too, and to nobody else. Without a quota it does not.
func TestQuota(t *testing.T) {
	w := newWorld(t)
	c, neighbour, free := w.prepared("c", 8*mb), w.prepared("n", 8*mb), w.prepared("free", 0)
	n, err := write(filepath.Join(c.Sandbox, "a/file"), 20*mb)
	if !isFull(err) || n > 8*mb || n < 7*mb {
		t.Errorf("%d bytes were written, %v", n, err)
	}
	dd := exec.Command("dd", "if=/dev/zero", "of=more", "bs=1M", "count=1")
	dd.Dir = c.Sandbox
	if out, err := dd.CombinedOutput(); err == nil || !strings.Contains(string(out), "No space left") {
		t.Errorf("a program could write: %v, %s", err, out)
	}
	if u := w.usage(c); u.GetDiskLimitBytes() != 8*mb || u.GetDiskUsedBytes() < 7*mb || u.GetDiskUsedBytes() > 8*mb {
		t.Errorf("statistics are %v", u)
	}
	if _, err := write(filepath.Join(neighbour.Sandbox, "file"), 4*mb); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
	if _, err := write(filepath.Join(free.Sandbox, "file"), 20*mb); err != nil {
		t.Errorf("without a quota: %v", err)
	}
	if u := w.usage(free); u.DiskLimitBytes != nil || u.GetDiskUsedBytes() < 20*mb {
		t.Errorf("statistics are %v", u)
	}
	if l, err := w.x.Check(c); l != nil || err != nil {
		t.Errorf("limit is %v, %v", l, err)
	}
	c.Amounts.Disk = 30 * mb
	must(t, w.another().Update(c))
	if n, err := write(filepath.Join(c.Sandbox, "a/file"), 20*mb); err != nil {
		t.Errorf("with more: %d, %v", n, err)
	}
}

// TestKill: where more than the quota ends the container there is some room for
// it.
func TestKill(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Kill, o.Headroom, o.Interval = true, 4*mb, 50*time.Millisecond })
	c, neighbour := w.prepared("c", 8*mb), w.prepared("n", 8*mb)
	told := make(chan *isolator.Limit, 2)
	must(t, w.x.Watch(t.Context(), c, func(l *isolator.Limit) { told <- l }))
	must(t, w.x.Watch(t.Context(), neighbour, func(*isolator.Limit) { t.Error("the neighbour was told of") }))
	if l, err := w.x.Check(c); l != nil || err != nil {
		t.Errorf("limit is %v, %v", l, err)
	}
	if _, err := write(filepath.Join(c.Sandbox, "file"), 9*mb); err != nil {
		t.Fatal(err)
	}
	l := <-told
	// What the file system has set aside for a file that grows counts.
	if l.Reason != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK || !strings.HasPrefix(l.Message, "disk usage ") ||
		!strings.HasSuffix(l.Message, "MB exceeds its quota 8MB") || l.Resources[0].GetScalar().GetValue() <= 8 {
		t.Errorf("limit is %+v", l)
	}
	if l, err := w.x.Check(c); l == nil || err != nil {
		t.Errorf("limit is %v, %v", l, err)
	}
	if n, err := write(filepath.Join(c.Sandbox, "more"), 20*mb); !isFull(err) || n > 3*mb {
		t.Errorf("%d bytes more were written, %v", n, err)
	}
	if u := w.usage(c); u.GetDiskLimitBytes() != 8*mb {
		t.Errorf("statistics are %v", u)
	}
}

// TestTricks: what is deleted but open counts, holes do not, and what belongs to
// another cannot be linked in.
func TestTricks(t *testing.T) {
	w := newWorld(t)
	c, other := w.prepared("c", 8*mb), w.prepared("o", 8*mb)
	path := filepath.Join(c.Sandbox, "file")
	_, err := write(path, 6*mb)
	must(t, err)
	held, err := os.Open(path)
	must(t, err)
	must(t, os.Remove(path))
	if n, err := write(path, 6*mb); !isFull(err) || n > 2*mb {
		t.Errorf("%d bytes were written beside a deleted file: %v", n, err)
	}
	must(t, os.Remove(path))
	must(t, held.Close())
	must(t, os.WriteFile(path, nil, 0o644))
	must(t, os.Truncate(path, 1<<40))
	until(t, func() bool { return w.usage(c).GetDiskUsedBytes() < mb }) // the kernel deletes when it likes; a hole takes nothing
	theirs := filepath.Join(other.Sandbox, "file")
	_, err = write(theirs, 2*mb)
	must(t, err)
	if err := os.Link(theirs, filepath.Join(c.Sandbox, "linked")); !errors.Is(err, unix.EXDEV) {
		t.Errorf("a link to another project's: %v", err)
	}
	if err := os.Rename(path, filepath.Join(other.Sandbox, "moved")); !errors.Is(err, unix.EXDEV) {
		t.Errorf("a file was moved to another project: %v", err)
	}
	must(t, os.Symlink(theirs, filepath.Join(c.Sandbox, "soft")))
	if got := w.usage(c).GetDiskUsedBytes(); got > mb {
		t.Errorf("a link takes %d bytes", got)
	}
}

// TestTaken: whoever owns a folder can change its project, but by that nobody
// else's quota.
func TestTaken(t *testing.T) {
	w := newWorld(t)
	c, other := w.prepared("c", 8*mb), w.prepared("o", 8*mb)
	theirs := w.project(other.Sandbox)
	must(t, in(c.Sandbox, func(fd int) error { return setProject(fd, theirs, true) }))
	c.Amounts.Disk = 100 * mb
	must(t, w.another().Update(c))
	if got := w.usage(other).GetDiskLimitBytes(); got != 8*mb {
		t.Errorf("the other's quota is %d", got)
	}
	if n, err := write(filepath.Join(other.Sandbox, "file"), 20*mb); !isFull(err) {
		t.Errorf("the other could write %d, %v", n, err)
	}
	must(t, w.x.Cleanup(t.Context(), c))
	if got := w.project(other.Sandbox); got != theirs {
		t.Errorf("the other's project is %d", got)
	}
}

// TestOwner: the kernel lets the owner of a file take it out of its project. This
// is what the design says the quota is no help against; it is to be told when
// that is no longer so.
func TestOwner(t *testing.T) {
	w := newWorld(t)
	c := w.prepared("c", 4*mb)
	must(t, os.Chmod(w.top, 0o755))
	path := filepath.Join(c.Sandbox, "file")
	_, err := write(path, 3*mb)
	must(t, err)
	const nobody = 65534
	must(t, os.Chown(path, nobody, nobody))
	f, err := os.Open(path)
	must(t, err)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		_, _, errno := unix.RawSyscall(unix.SYS_SETUID, nobody, 0, 0)
		if errno != 0 {
			done <- errno
			return
		}
		done <- setProject(int(f.Fd()), 0, false)
	}()
	must(t, <-done)
	must(t, f.Close())
	if got := w.usage(c).GetDiskUsedBytes(); got > mb {
		t.Errorf("%d bytes are still the project's", got)
	}
}

// TestProjects: ids are found again after a crash, are not given away while
// anything uses them, and come back.
func TestProjects(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Last = 5001 })
	a, b := w.prepared("a", mb), w.prepared("b", mb)
	id := w.project(a.Sandbox)
	if other := w.project(b.Sandbox); other == id {
		t.Fatalf("both have project %d", id)
	}
	must(t, w.another().Prepare(t.Context(), a, &plan.Plan{}))
	if got := w.project(a.Sandbox); got != id {
		t.Errorf("project %d became %d", id, got)
	}
	w.free(0, 2)
	c := w.container("c", mb)
	if err := w.x.Prepare(t.Context(), c, &plan.Plan{}); err == nil || !strings.Contains(err.Error(), "none of --xfs_project_range [5000-5001] is free") {
		t.Fatalf("error is %v", err)
	}
	must(t, os.MkdirAll(filepath.Join(a.Sandbox, "x/y"), 0o755))
	_, err := write(filepath.Join(a.Sandbox, "x/y/file"), 100)
	must(t, err)
	must(t, os.Symlink("/nowhere", filepath.Join(a.Sandbox, "x/link")))
	must(t, os.Symlink("x", filepath.Join(a.Sandbox, "link")))
	must(t, os.Lchown(filepath.Join(a.Sandbox, "link"), 7, 8))
	_, err = write(filepath.Join(a.Sandbox, "deleted"), 100)
	must(t, err)
	held, err := os.Open(filepath.Join(a.Sandbox, "deleted"))
	must(t, err)
	must(t, os.Remove(filepath.Join(a.Sandbox, "deleted")))
	must(t, w.another().Cleanup(t.Context(), &isolator.Container{ID: a.ID})) // as of one that is nobody's
	must(t, w.another().Cleanup(t.Context(), &isolator.Container{ID: a.ID}))
	must(t, w.another().Cleanup(t.Context(), a))
	if w.project(a.Sandbox) != 0 || w.project(filepath.Join(a.Sandbox, "x/y")) != 0 {
		t.Error("the ended sandbox still has a project")
	}
	info, err := os.Lstat(filepath.Join(a.Sandbox, "link"))
	must(t, err)
	if to, err := os.Readlink(filepath.Join(a.Sandbox, "link")); to != "x" || err != nil || info.Sys().(*syscall.Stat_t).Uid != 7 {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	w.free(0, 2) // for the file that is deleted and open
	if err := w.x.Prepare(t.Context(), c, &plan.Plan{}); err == nil {
		t.Error("a project that is in use was given away")
	}
	must(t, held.Close())
	until(t, func() bool { return w.x.Prepare(t.Context(), c, &plan.Plan{}) == nil })
	if got := w.project(c.Sandbox); got != id {
		t.Errorf("the project is %d, want %d", got, id)
	}
	must(t, os.RemoveAll(b.Sandbox)) // collected without a cleanup
	until(t, func() bool { free, _, err := w.x.Projects(); return err == nil && free == 1 })
}

func (w *world) free(want, total int) {
	w.Helper()
	if free, n, err := w.x.Projects(); err != nil || free != want || n != total {
		w.Errorf("%d of %d projects are free, %v; want %d of %d", free, n, err, want, total)
	}
	figures := map[string]float64{}
	must(w, isolator.NewSet(w.x).Figures(func(key string, value float64) { figures[key] = value }))
	if figures["containerizer/mesos/disk/project_ids_free"] != float64(want) || figures["containerizer/mesos/disk/project_ids_total"] != float64(total) {
		w.Errorf("figures are %v", figures)
	}
}

// until asks again and again, for a minute.
func until(t testing.TB, done func() bool) {
	t.Helper()
	ticks, over := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer ticks.Stop()
	for !done() {
		select {
		case <-ticks.C:
		case <-over:
			t.Fatal("it does not become so")
		}
	}
}

// TestManyHosts: hosts that take projects at once never take the same.
func TestManyHosts(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Last = 5031 })
	var wait sync.WaitGroup
	for host := range 4 {
		x := w.another()
		wait.Go(func() {
			for n := range 8 {
				c := w.container(fmt.Sprint(host, "-", n), mb)
				if err := x.Prepare(t.Context(), c, &plan.Plan{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	seen := map[uint32]bool{}
	entries, err := os.ReadDir(filepath.Join(w.top, "sandboxes"))
	must(t, err)
	for _, e := range entries {
		seen[w.project(filepath.Join(w.top, "sandboxes", e.Name()))] = true
	}
	if len(seen) != 32 || seen[0] {
		t.Errorf("32 containers have %d projects", len(seen))
	}
	ids, err := w.x.Recover(t.Context())
	must(t, err)
	if len(ids) != 32 {
		t.Errorf("%d are found again", len(ids))
	}
}

// TestVolumes: a volume has a quota of its own, which stays with it, also for what
// was in it before.
func TestVolumes(t *testing.T) {
	w := newWorld(t)
	v := w.volume("v", 8)
	_, err := write(filepath.Join(v.Source, "before/file"), 4*mb)
	must(t, err)
	c := w.container("c", 2*mb)
	c.Volumes = []isolator.Volume{v}
	must(t, w.x.Prepare(t.Context(), c, &plan.Plan{}))
	id := w.project(v.Source)
	if n, err := write(filepath.Join(v.Source, "file"), 20*mb); !isFull(err) || n > 4*mb || n < 3*mb {
		t.Errorf("%d bytes were written, %v", n, err)
	}
	if _, err := write(filepath.Join(c.Sandbox, "file"), mb); err != nil {
		t.Errorf("the sandbox: %v", err)
	}
	u := w.usage(c)
	if len(u.DiskStatistics) != 2 || u.DiskStatistics[1].GetLimitBytes() != 8*mb || u.DiskStatistics[1].GetUsedBytes() < 7*mb || u.GetDiskUsedBytes() > 2*mb {
		t.Errorf("statistics are %v", u)
	}
	must(t, w.x.Cleanup(t.Context(), c))
	if got := w.project(v.Source); got != id {
		t.Errorf("the volume's project %d became %d", id, got)
	}
	next := w.prepared("next", mb)
	next.Volumes = []isolator.Volume{v}
	must(t, w.x.Update(next))
	if got := w.project(v.Source); got != id {
		t.Errorf("the volume's project %d became %d", id, got)
	}
	elsewhere := w.volume("e", 1)
	elsewhere.Source = t.TempDir()
	next.Volumes = []isolator.Volume{elsewhere}
	if err := w.x.Update(next); err == nil || !strings.Contains(err.Error(), elsewhere.Source+" is on ") {
		t.Errorf("a volume that cannot have a quota: %v", err)
	}
	elsewhere.Resource.Disk.Source = &mesos.Resource_DiskInfo_Source{Type: mesos.Resource_DiskInfo_Source_MOUNT.Enum()}
	must(t, w.x.Update(next))
	if u := w.usage(next); u.DiskStatistics[1].UsedBytes == nil || u.DiskStatistics[1].GetSource().GetType() != mesos.Resource_DiskInfo_Source_MOUNT {
		t.Errorf("statistics are %v", u)
	}
}

// TestInterrupted: an attempt that a crash cut off is gone on with, and one that
// failed leaves no project behind.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	c := w.container("c", 2*mb)
	_, err := write(filepath.Join(c.Sandbox, "a/b/file"), mb)
	must(t, err)
	must(t, in(c.Sandbox, func(fd int) error { return setProject(fd, 5004, false) }))
	must(t, w.x.Prepare(t.Context(), c, &plan.Plan{}))
	if got := w.project(filepath.Join(c.Sandbox, "a/b")); got != 5004 {
		t.Errorf("project is %d", got)
	}
	if got := w.usage(c).GetDiskUsedBytes(); got < mb {
		t.Errorf("%d bytes are used", got)
	}
	bad := w.container("bad", mb)
	bad.Volumes = []isolator.Volume{w.volume("gone", 1)}
	must(t, os.Remove(bad.Volumes[0].Source))
	if err := w.x.Prepare(t.Context(), bad, &plan.Plan{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
	w.free(9, 10)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, os.WriteFile(filepath.Join(bad.Sandbox, "file"), nil, 0o644))
	if err := w.x.Prepare(stopped, bad, &plan.Plan{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	w.free(9, 10)
}

// TestHostile: what users leave in a sandbox leads nowhere when it is taken back.
func TestHostile(t *testing.T) {
	w := newWorld(t)
	c, other := w.prepared("c", 8*mb), w.prepared("o", 8*mb)
	must(t, os.Symlink(other.Sandbox, filepath.Join(c.Sandbox, "folder")))
	must(t, unix.Mkfifo(filepath.Join(c.Sandbox, "pipe"), 0o644))
	must(t, os.Mkdir(filepath.Join(c.Sandbox, "bind"), 0o755))
	must(t, unix.Mount(other.Sandbox, filepath.Join(c.Sandbox, "bind"), "", unix.MS_BIND, ""))
	err := w.x.Cleanup(t.Context(), c)
	must(t, unix.Unmount(filepath.Join(c.Sandbox, "bind"), 0))
	must(t, err)
	if w.project(other.Sandbox) == 0 {
		t.Error("another's project was taken")
	}
	if w.project(c.Sandbox) != 0 {
		t.Error("the project was not taken")
	}
	must(t, os.RemoveAll(c.Sandbox))
	must(t, os.Symlink(other.Sandbox, c.Sandbox))
	if err := w.x.Cleanup(t.Context(), c); err == nil || w.project(other.Sandbox) == 0 {
		t.Errorf("a sandbox that is a link: %v", err)
	}
}

// TestTooDeep: what a user has made cannot hold up the end of the container. The
// project is in use until the sandbox is removed.
func TestTooDeep(t *testing.T) {
	var failed []error
	w := newWorld(t, func(o *Options) { o.Failed = func(err error) { failed = append(failed, err) } })
	c := w.prepared("c", 8*mb)
	id := w.project(c.Sandbox)
	must(t, os.MkdirAll(filepath.Join(c.Sandbox, strings.Repeat("deep/", maxDepth+1)), 0o755))
	must(t, w.x.Cleanup(t.Context(), c))
	want := fmt.Sprintf("disk/xfs: project %d is in use until %s is removed: deep: its folders are more than %d deep", id, c.Sandbox, maxDepth)
	if len(failed) != 1 || failed[0].Error() != want {
		t.Errorf("told was %v, want\n%s", failed, want)
	}
	if known, err := w.x.Recover(t.Context()); err != nil || len(known) != 0 {
		t.Errorf("known is %v, %v", known, err)
	}
	w.free(9, 10)
	must(t, os.RemoveAll(c.Sandbox))
	until(t, func() bool { free, _, err := w.x.Projects(); return err == nil && free == 10 })
}

// TestNested: what is in a nested container's sandbox is the parent's.
func TestNested(t *testing.T) {
	w := newWorld(t)
	c := w.prepared("c", 4*mb)
	in := &isolator.Container{ID: []string{"c", "in"}, Parent: c, Sandbox: filepath.Join(c.Sandbox, "containers/in"), Amounts: isolator.Amounts{Disk: 100 * mb}}
	must(t, os.MkdirAll(in.Sandbox, 0o755))
	must(t, w.x.Prepare(t.Context(), in, &plan.Plan{}))
	must(t, w.x.Update(in))
	if n, err := write(filepath.Join(in.Sandbox, "file"), 20*mb); !isFull(err) {
		t.Errorf("%d bytes were written, %v", n, err)
	}
	if u := w.usage(in); u.DiskUsedBytes != nil {
		t.Errorf("statistics are %v", u)
	}
	must(t, w.x.Cleanup(t.Context(), in))
	if w.project(in.Sandbox) == 0 {
		t.Error("a nested container's end took the parent's project")
	}
}

// TestWithoutQuota: an XFS that is mounted without quotas is refused, with what is
// to be changed.
func TestWithoutQuota(t *testing.T) {
	at := mounted(t, "")
	_, err := New(Options{WorkDir: at, Records: disk.Records{Dir: "/records"}, First: 1, Last: 2})
	if err == nil || !strings.Contains(err.Error(), at+" is mounted without the option prjquota") {
		t.Errorf("error is %v", err)
	}
}
