package nvidia

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups/devices"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
)

// machine is the driver's tree and the folder of claims: this machine's own where
// it has GPUs, so that the tests are of real ones there.
func machine(t testing.TB) Settings {
	t.Helper()
	s := Settings{Claims: t.TempDir()}
	if gpus, err := Discover("/"); err != nil || len(gpus) < 2 {
		s.Root = fake(t)
	}
	return s
}

func isolatorOf(t testing.TB, s Settings) *Isolator {
	t.Helper()
	i, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func box(id string, gpus int) *isolator.Container {
	return &isolator.Container{ID: []string{id}, Amounts: isolator.Amounts{GPUs: gpus}}
}

func prepare(t testing.TB, i *Isolator, c *isolator.Container) *plan.Plan {
	t.Helper()
	p := &plan.Plan{}
	if err := i.Prepare(context.Background(), c, p); err != nil {
		t.Fatal(err)
	}
	return p
}

func free(t testing.TB, i *Isolator) int {
	t.Helper()
	all, err := i.claims.all()
	if err != nil {
		t.Fatal(err)
	}
	return i.Count() - len(all)
}

func TestEachGPUIsOneContainers(t *testing.T) {
	s := machine(t)
	i := isolatorOf(t, s)
	if p := prepare(t, i, box("none", 0)); !p.Plain() || len(p.Env) > 0 {
		t.Errorf("without GPUs: %+v", p)
	}
	rest := i.Count() - 1
	one, others := prepare(t, i, box("one", 1)), prepare(t, i, box("others", rest))
	for _, d := range one.Devices[len(i.control):] {
		if slices.Contains(others.Devices, d) {
			t.Errorf("%+v is given twice", d)
		}
	}
	if len(one.Devices) != len(i.control)+1 || len(others.Devices) != len(i.control)+rest || one.Env[0] != "NVIDIA_VISIBLE_DEVICES="+i.gpus[0].UUID {
		t.Errorf("planned %+v and %+v", one, others)
	}
	// A host that comes later, and one that does it again.
	again := isolatorOf(t, s)
	if p := prepare(t, again, box("one", 1)); !slices.Equal(p.Devices, one.Devices) {
		t.Errorf("planned again: %+v", p)
	}
	if p := prepare(t, again, &isolator.Container{ID: []string{"one", "task"}, Shared: true}); !slices.Equal(p.Devices, one.Devices) {
		t.Errorf("planned for a nested container: %+v", p)
	}
	if err := again.Prepare(context.Background(), box("more", 1), &plan.Plan{}); err == nil || !strings.Contains(err.Error(), "gpus: 1 wanted, 0 of "+strconv.Itoa(i.Count())) {
		t.Errorf("one too many: %v", err)
	}
	if found, err := again.Recover(context.Background()); err != nil || len(found) != 2 || found[0][0] != "one" || found[1][0] != "others" {
		t.Errorf("recovered %v, %v", found, err)
	}
	for range 2 {
		if err := again.Cleanup(context.Background(), &isolator.Container{ID: []string{"one", "task"}}); err != nil {
			t.Fatal(err)
		}
	}
	if free(t, i) != 0 {
		t.Error("the end of a nested container gives back what is not its own")
	}
	for range 2 {
		if err := again.Cleanup(context.Background(), &isolator.Container{ID: []string{"one"}}); err != nil {
			t.Fatal(err)
		}
	}
	if free(t, i) != 1 {
		t.Errorf("%d are free", free(t, i))
	}
}

// What cannot be had as a whole is not held in part.
func TestTooManyTakeNothing(t *testing.T) {
	i := isolatorOf(t, machine(t))
	prepare(t, i, box("one", 1))
	n := i.Count()
	err := i.Prepare(context.Background(), box("all", n), &plan.Plan{})
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(n)+" wanted, "+strconv.Itoa(n-1)+" of "+strconv.Itoa(n)+" are free") {
		t.Errorf("%v", err)
	}
	if free(t, i) != n-1 {
		t.Errorf("%d are free", free(t, i))
	}
}

// Hosts of one agent claim at the same time.
func TestClaimsAtOnce(t *testing.T) {
	s := machine(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []plan.Device
	first := isolatorOf(t, s)
	for n := range 8 {
		i := isolatorOf(t, s)
		wg.Go(func() {
			var p plan.Plan
			if i.Prepare(context.Background(), box(strconv.Itoa(n), 1), &p) == nil {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, p.Devices[len(i.control):]...)
			}
		})
	}
	wg.Wait()
	for n, d := range got {
		if slices.Contains(got[:n], d) {
			t.Errorf("%+v is given twice", d)
		}
	}
	if want := min(8, first.Count()); len(got) != want {
		t.Errorf("%d were given, want %d", len(got), want)
	}
}

// open says which nodes a program in the plan's groups may open.
func open(t *testing.T, i *Isolator, groups *plan.Plan) []bool {
	t.Helper()
	var may []bool
	for _, g := range i.gpus {
		p := &plan.Plan{Cgroups: groups.Cgroups, Devices: groups.Devices}
		r := isolatortest.Shell(t, p, 0, "exec 3<>"+g.Device.Path)
		if r.Code != 0 && !strings.Contains(r.Stderr, "not permitted") {
			t.Fatalf("%s: %+v", g.Device.Path, r)
		}
		may = append(may, r.Code == 0)
	}
	return may
}

// With cgroups/devices a container opens its own GPUs and no others, and without
// the isolators all; more come and go while it runs.
func TestProgramsOpenTheirOwnGPUs(t *testing.T) {
	tree := cgrouptest.Tree(t)
	groups, err := devices.New(tree, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := machine(t)
	s.Grant = groups.Grant
	i := isolatorOf(t, s)
	prepare(t, i, box("other", 1))
	c := box("box", 1)
	p := cgrouptest.Prepare(t, c, i, groups)
	want := make([]bool, i.Count())
	want[1] = true
	if got := open(t, i, p); !slices.Equal(got, want) {
		t.Errorf("the container opens %v, want %v", got, want)
	}
	if got := open(t, i, &plan.Plan{}); slices.Contains(got, false) {
		t.Errorf("without the isolators a program opens %v", got)
	}
	for _, n := range []int{i.Count() - 1, 0, 1} {
		c.Amounts.GPUs = n
		if err := i.Update(c); err != nil {
			t.Fatal(err)
		}
		for k := range want {
			want[k] = k >= 1 && k <= n
		}
		if got := open(t, i, &plan.Plan{Cgroups: p.Cgroups}); !slices.Equal(got, want) {
			t.Errorf("with %d GPUs the container opens %v, want %v", n, got, want)
		}
		if free(t, i) != i.Count()-1-n {
			t.Errorf("with %d, %d are free", n, free(t, i))
		}
	}
	c.Amounts.GPUs = i.Count()
	if err := i.Update(c); err == nil || !strings.Contains(err.Error(), "wanted") || free(t, i) != i.Count()-2 {
		t.Errorf("one too many: %v, %d are free", err, free(t, i))
	}
}

func TestUpdatesThatCannotBe(t *testing.T) {
	s := machine(t)
	i := isolatorOf(t, s)
	prepare(t, i, box("box", 1))
	if err := i.Update(box("box", 1)); err != nil {
		t.Errorf("nothing changes: %v", err)
	}
	if err := i.Update(&isolator.Container{ID: []string{"box", "task"}}); err != nil {
		t.Errorf("a nested container: %v", err)
	}
	if err := i.Update(box("box", 2)); err == nil || !strings.Contains(err.Error(), "cgroups/devices") {
		t.Errorf("without a way to grant: %v", err)
	}
	broken := errors.New("no such group")
	s.Grant = func(*isolator.Container, []plan.Device, []plan.Device) error { return broken }
	i = isolatorOf(t, s)
	for _, n := range []int{0, 2} {
		if err := i.Update(box("box", n)); !errors.Is(err, broken) || free(t, i) != i.Count()-1 {
			t.Errorf("a grant that fails: %v, %d are free", err, free(t, i))
		}
	}
}

// A container with a root folder of its own finds the driver there.
func TestTheDriverInAnotherRoot(t *testing.T) {
	s := Settings{Root: fake(t), Claims: t.TempDir()}
	i := isolatorOf(t, s)
	root := isolatortest.Folder(t)
	for _, dir := range []string{"bin", "dev", "proc", "tmp"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	shell, err := os.ReadFile("/usr/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "bin/sh"), string(shell))
	p := &plan.Plan{Root: root, Dir: "/tmp"}
	if err := i.Prepare(context.Background(), box("box", 1), p); err != nil {
		t.Fatal(err)
	}
	p.Devices = nil // the fake tree's paths are not those of /dev
	const script = `cd /usr/local/nvidia && for f in */*; do echo "$f"; done; while read x; do echo "$x"; done < bin/nvidia-smi; echo "$LD_LIBRARY_PATH"; echo x > bin/nvidia-smi`
	r := isolatortest.Shell(t, p, 0, script)
	want := "bin/nvidia-smi\nlib64/libcuda.so.1\nlib64/libcuda.so.550.1\n/usr/local/nvidia/lib64:/usr/local/nvidia/lib\n"
	if r.Stdout != want || !strings.Contains(r.Stderr, "Read-only") {
		t.Errorf("the container sees %+v, want %q", r, want)
	}
}

func TestSettingsAreRefused(t *testing.T) {
	for words, s := range map[string]Settings{
		"has no GPU here": {Root: t.TempDir(), Claims: t.TempDir()}, "--nvidia_gpu_devices": {Root: fake(t), Claims: t.TempDir(), Devices: []int{7}},
		"not a directory": {Root: fake(t), Claims: "/dev/null/x"},
	} {
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v, want %q", err, words)
		}
	}
	if i := isolatorOf(t, Settings{Root: fake(t), Claims: t.TempDir(), Devices: []int{2}}); i.Count() != 1 || i.gpus[0].Bus != "0000:af:00.0" {
		t.Errorf("selected %+v", i.gpus)
	}
}
