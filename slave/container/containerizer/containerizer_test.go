package containerizer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/linux"
	"troupe/slave/container/plan"
)

const patience = time.Minute

// world is all that containers are made of here: it isolates, launches and fetches,
// and remembers what was done.
type world struct {
	t *testing.T

	mu       sync.Mutex
	did      []string
	plan     plan.Plan // is added to
	refuse   error     // of Prepare
	stubborn error     // of Cleanup
	found    *isolator.Limit
	tell     func(*isolator.Limit)
	running  []*program
	hold     chan struct{} // launches of "slow" wait until it is closed
}

func (w *world) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, what)
}

func (w *world) done() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.did)
}

func nameOfID(c *isolator.Container) string { return strings.Join(c.ID, "/") }

func (w *world) Name() string { return "world" }

func (w *world) Prepare(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	w.note("prepare " + nameOfID(c))
	if w.refuse == nil {
		p.Env, p.Kill, p.New = append(p.Env, "IN="+nameOfID(c)), w.plan.Kill, w.plan.New
		if strings.Contains(nameOfID(c), "guest.") {
			p.New = 0
		}
	}
	return w.refuse
}

func (w *world) Update(c *isolator.Container) error {
	w.note("update " + nameOfID(c))
	return nil
}

func (w *world) Watch(_ context.Context, c *isolator.Container, limited func(*isolator.Limit)) error {
	if len(c.ID) == 1 {
		w.tell = limited
	}
	return nil
}

func (w *world) Check(c *isolator.Container) (*isolator.Limit, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(c.ID) == 1 {
		return w.found, nil
	}
	return nil, nil
}

func (w *world) Cleanup(_ context.Context, c *isolator.Container) error {
	w.note("clean up " + nameOfID(c))
	return w.stubborn
}

func (w *world) Kill(_ context.Context, c *isolator.Container) error {
	w.note("kill " + nameOfID(c))
	return nil
}

// program runs until it is killed, or the test ends it.
type program struct {
	container.Process
	spec   container.Spec
	plan   plan.Plan
	once   sync.Once
	ended  chan struct{}
	status int
}

func (p *program) exit(status int) {
	p.once.Do(func() {
		p.status = status
		close(p.ended)
	})
}
func (p *program) Pid() int              { return 7 }
func (p *program) Done() <-chan struct{} { return p.ended }
func (p *program) Exit() container.Exit  { return container.Exit{Status: p.status} }
func (p *program) Kill(time.Duration)    { p.exit(9) }
func (p *program) Signal(syscall.Signal) {}

// launcher is both that of plain programs and of others.
type launcher struct{ *world }

func (l launcher) start(s container.Spec, p plan.Plan) (container.Process, error) {
	if s.Path == "nosuch" {
		return nil, errors.New("nosuch does not exist")
	}
	if s.Path == "slow" {
		l.note("launch slowly")
		<-l.hold
	}
	one := &program{spec: s, plan: p, ended: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = append(l.running, one)
	return one, nil
}

func (l launcher) Launch(s container.Spec, p plan.Plan, _ *linux.Container) (container.Process, error) {
	return l.start(s, p)
}

func (l launcher) Hold(string, plan.Plan, *linux.Container) (*linux.Container, error) {
	l.note("hold")
	return &linux.Container{}, nil
}

type plainLauncher struct{ launcher }

func (l plainLauncher) Launch(s container.Spec) (container.Process, error) {
	return l.start(s, plan.Plan{})
}

// fetching waits for its end, or that of ctx.
type fetching struct {
	began chan struct{}
	end   chan error
}

func (f fetching) Fetch(ctx context.Context, _ *isolator.Container, _ func(container.Spec) (container.Process, error), progress func(string)) error {
	progress("fetching")
	close(f.began)
	select {
	case err := <-f.end:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newWorld(t *testing.T) (*world, *Containerizer, Means) {
	w := &world{t: t}
	z := New(Options{Plain: plainLauncher{launcher{w}}, Confined: launcher{w}, Report: func(err error) { t.Error(err) }})
	exits := t.TempDir()
	return w, z, Means{Isolators: isolator.NewSet(w), Record: func(container, task string) string {
		return filepath.Join(exits, container, task)
	}}
}

func info(id string) *isolator.Container {
	return &isolator.Container{ID: strings.Split(id, "/"), Sandbox: "/s"}
}

func open(t *testing.T, z *Containerizer, m Means) *Container {
	t.Helper()
	c, err := z.Open(t.Context(), m, info("a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func launch(t *testing.T, c *Container, s container.Spec) *Process {
	t.Helper()
	s.Path = "x"
	p, err := c.Launch(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func await(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		t.Fatal(what)
	}
}

func (w *world) want(t *testing.T, what string) {
	t.Helper()
	if got := strings.Join(w.done(), ", "); got != what {
		t.Errorf("done: %s\nwant: %s", got, what)
	}
}

// TestWithinIsHeldAgain: what is within another is held to its own limits again when
// that has been given more, and once it is made, as kernels may not have taken them
// before. What shares has none.
func TestWithinIsHeldAgain(t *testing.T) {
	w, z, m := newWorld(t)
	c := open(t, z, m)
	for _, id := range []string{"a/b", "a/shared"} {
		within := info(id)
		within.Shared = id == "a/shared"
		if _, err := c.Nest(t.Context(), within, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Update(isolator.Amounts{CPUs: 2}, nil); err != nil {
		t.Error(err)
	}
	w.want(t, "prepare a, prepare a/b, update a/b, prepare a/shared, update a, update a/b")
	f := fetching{began: make(chan struct{}), end: make(chan error, 1)}
	m.Fetcher, c.means.Fetcher = f, f
	making := info("a/made")
	making.Command = &mesos.CommandInfo{Uris: []*mesos.CommandInfo_URI{{Value: proto.String("u")}}}
	made := make(chan struct{})
	go func() {
		defer close(made)
		if _, err := c.Nest(t.Context(), making, nil); err != nil {
			t.Error(err)
		}
	}()
	await(t, "it is not made", f.began)
	before := len(w.done())
	if err := c.Update(isolator.Amounts{CPUs: 3}, nil); err != nil { // does not wait for it
		t.Error(err)
	}
	f.end <- nil
	await(t, "it is not made", made)
	if got := strings.Join(w.done()[before:], ", "); got != "update a, update a/b, update a/made" {
		t.Errorf("done: %s", got)
	}
	if err := c.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
}

// Furnish gives secrets, as environment_secret does.
func (w *world) Furnish(_ context.Context, c *isolator.Container, p *plan.Plan) error {
	for _, v := range c.Command.GetEnvironment().GetVariables() {
		if v.GetType() != mesos.Environment_Variable_SECRET {
			continue
		}
		if v.Secret == nil {
			return errors.New("no secret")
		}
		p.Env = append(p.Env, v.GetName()+"="+string(v.GetSecret().GetValue().GetData()))
	}
	return nil
}

// TestSecretsOfGuests: a guest has its own secrets, and the container's but where it
// has variables of its own; the container's plan stays what it was.
func TestSecretsOfGuests(t *testing.T) {
	for _, group := range []string{"", "/group"} {
		w, z, m := newWorld(t)
		w.plan.Kill = group
		c := open(t, z, m)
		variable := func(name, text string, secret *mesos.Secret) *mesos.Environment_Variable {
			v := &mesos.Environment_Variable{Name: &name, Value: &text, Secret: secret}
			if text == "" {
				v.Type = mesos.Environment_Variable_SECRET.Enum()
			}
			return v
		}
		hidden := &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte("hidden")}}
		own := &mesos.Environment{Variables: []*mesos.Environment_Variable{variable("P", "", hidden), variable("Q", "plain", nil)}}
		launch(t, c, container.Spec{Guest: true, Own: own})
		own = &mesos.Environment{Variables: []*mesos.Environment_Variable{variable("IN", "mine", nil)}}
		launch(t, c, container.Spec{Guest: true, Own: own})
		launch(t, c, container.Spec{Guest: true})
		own = &mesos.Environment{Variables: []*mesos.Environment_Variable{variable("P", "", nil)}}
		if _, err := c.Launch(container.Spec{Path: "x", Guest: true, Own: own}); err == nil || !strings.Contains(err.Error(), "no secret") {
			t.Errorf("it was launched without its secret: %v", err)
		}
		for n, want := range [][]string{{"IN=a", "P=hidden"}, {}, {"IN=a"}} {
			env := slices.DeleteFunc(slices.Clone(w.running[n].plan.Env), func(kv string) bool { return strings.HasPrefix(kv, "IN=a/guest") })
			if got := slices.Concat(env, w.running[n].spec.Env); !slices.Equal(got, want) {
				t.Errorf("guest %d is given %q, not %q", n, got, want)
			}
		}
		if err := c.Destroy(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestRecords: how a task of a group ends is recorded where that can be, but for
// what looks into it.
func TestRecords(t *testing.T) {
	w, z, m := newWorld(t)
	w.plan.Kill = "/group"
	around := open(t, z, m)
	member := info("a/b")
	member.Task = "T"
	task, err := around.Nest(t.Context(), member, nil)
	if err != nil {
		t.Fatal(err)
	}
	launch(t, task, container.Spec{})
	launch(t, task, container.Spec{Guest: true})
	want := m.Record("a", "T")
	if got := w.running[0].spec.Status; got != want {
		t.Errorf("the status goes to %q, not %q", got, want)
	}
	if into, err := os.Stat(filepath.Dir(want)); err != nil || !into.IsDir() {
		t.Errorf("no record can be made: %v", err)
	}
	if got := w.running[1].spec.Status; got != "" {
		t.Errorf("the status of a guest goes to %q", got)
	}
	if err := os.RemoveAll(filepath.Dir(want)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Dir(want), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := task.Launch(container.Spec{Path: "x"}); err == nil || !strings.Contains(err.Error(), `record of how task "T" ends`) {
		t.Errorf("no record, and it was launched: %v", err)
	}
	if err := around.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLife: what is within goes first, then the processes, then what was made.
func TestLife(t *testing.T) {
	w, z, m := newWorld(t)
	w.plan.Kill = "/group"
	c := open(t, z, m)
	inner, err := c.Nest(t.Context(), info("a/b"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, q := launch(t, c, container.Spec{}), launch(t, inner, container.Spec{})
	if s := w.running[0].spec.Status; s != m.Record("a", "") {
		t.Errorf("the status goes to %q", s)
	}
	if s := w.running[1].spec.Status; s != "" {
		t.Errorf("the status of what is within goes to %q", s)
	}
	if err := c.Update(isolator.Amounts{CPUs: 2}, nil); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := c.Destroy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the program lives", p.Done())
	await(t, "the program within lives", q.Done())
	if p.Limit() != nil {
		t.Errorf("a limit of nobody: %v", p.Limit())
	}
	w.want(t, "prepare a, prepare a/b, update a/b, update a, update a/b, kill a/b, clean up a/b, kill a, clean up a")
	if _, err := c.Launch(container.Spec{Path: "x"}); err == nil {
		t.Error("something was launched in what is gone")
	}
	if _, err := c.Nest(t.Context(), info("a/c"), nil); err == nil {
		t.Error("something was made in what is gone")
	}
}

// TestGuests have a group of their own, and nothing of a container is made anew.
func TestGuests(t *testing.T) {
	w, z, m := newWorld(t)
	w.plan.Kill, w.plan.New = "/group", plan.NewPID
	c := open(t, z, m)
	p := launch(t, c, container.Spec{Guest: true})
	if got := w.running[0].plan; got.New != 0 || !slices.Contains(got.Env, "IN=a/guest.1") {
		t.Errorf("the guest's plan is %+v", got)
	}
	w.running[0].exit(0)
	await(t, "the guest lives", p.Done())
	w.want(t, "prepare a, prepare a/guest.1, hold, kill a/guest.1, clean up a/guest.1")
	if _, err := c.Launch(container.Spec{Path: "nosuch", Guest: true}); err == nil {
		t.Error("a program that does not exist was launched")
	}
	if did := w.done(); !slices.Contains(did, "clean up a/guest.2") {
		t.Errorf("of a guest that was not launched something is left: %v", did)
	}
}

// TestPlainGuests are started as they are.
func TestPlainGuests(t *testing.T) {
	w, z, m := newWorld(t)
	c := open(t, z, m)
	launch(t, c, container.Spec{Guest: true})
	w.want(t, "prepare a")
}

func TestWhatCannotBePrepared(t *testing.T) {
	w, z, m := newWorld(t)
	w.refuse = errors.New("no room")
	if _, err := z.Open(t.Context(), m, info("a"), nil); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("error is %v", err)
	}
	w.want(t, "prepare a")
}

// TestURIsWithoutFetcher are refused by their name.
func TestURIsWithoutFetcher(t *testing.T) {
	w, z, m := newWorld(t)
	c := info("a")
	c.Command = &mesos.CommandInfo{Uris: []*mesos.CommandInfo_URI{{Value: proto.String("http://h/x")}}}
	if _, err := z.Open(t.Context(), m, c, nil); err == nil || !strings.Contains(err.Error(), "http://h/x") {
		t.Errorf("error is %v", err)
	}
	w.want(t, "prepare a, kill a, clean up a")
}

// TestFetching ends with a failure, with whoever asked for it, with the container
// around it, and with a limit; nothing is left then.
func TestFetching(t *testing.T) {
	over := &isolator.Limit{Message: "too much"}
	for name, test := range map[string]struct {
		end  func(w *world, f fetching, giveUp func(), around *Container)
		want string
	}{
		"failure":  {func(_ *world, f fetching, _ func(), _ *Container) { f.end <- errors.New("no such page") }, "no such page"},
		"given up": {func(_ *world, _ fetching, giveUp func(), _ *Container) { giveUp() }, "canceled"},
		"around": {func(w *world, _ fetching, _ func(), around *Container) {
			go func() {
				if err := around.Destroy(context.Background()); err != nil {
					w.t.Error(err)
				}
			}()
		}, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			w, z, m := newWorld(t)
			f := fetching{make(chan struct{}), make(chan error, 1)}
			m.Fetcher = f
			around := open(t, z, m)
			c := info("a/b")
			c.Command = &mesos.CommandInfo{Uris: []*mesos.CommandInfo_URI{{Value: proto.String("u")}}}
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			failed := make(chan error, 1)
			go func() {
				_, err := around.Nest(ctx, c, nil)
				failed <- err
			}()
			await(t, "nothing is fetched", f.began)
			test.end(w, f, giveUp, around)
			if err := <-failed; err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %s", err, test.want)
			}
			if did := w.done(); !slices.Contains(did, "clean up a/b") {
				t.Errorf("something is left: %v", did)
			}
		})
	}
	t.Run("limit", func(t *testing.T) {
		w, z, m := newWorld(t)
		f := fetching{make(chan struct{}), make(chan error)}
		m.Fetcher = f
		c := info("a")
		c.Command = &mesos.CommandInfo{Uris: []*mesos.CommandInfo_URI{{Value: proto.String("u")}}}
		failed := make(chan error, 1)
		go func() {
			_, err := z.Open(t.Context(), m, c, nil)
			failed <- err
		}()
		await(t, "nothing is fetched", f.began)
		w.tell(over)
		var limited *LimitError
		if err := <-failed; !errors.As(err, &limited) || limited.Limit != over {
			t.Errorf("error is %v", err)
		}
	})
}

// TestLimit: whoever was killed is asked about, also those in whose container the
// limit was not set.
func TestLimit(t *testing.T) {
	w, z, m := newWorld(t)
	c := open(t, z, m)
	inner, err := c.Nest(t.Context(), info("a/b"), nil)
	if err != nil {
		t.Fatal(err)
	}
	well, killed := launch(t, inner, container.Spec{}), launch(t, inner, container.Spec{})
	w.mu.Lock()
	w.found = &isolator.Limit{Message: "too much"}
	w.mu.Unlock()
	w.running[0].exit(0)
	await(t, "it lives", well.Done())
	if well.Limit() != nil {
		t.Errorf("who ended well did so for %v", well.Limit())
	}
	w.running[1].exit(9)
	await(t, "it lives", killed.Done())
	await(t, "nobody was told", c.Limited())
	if killed.Limit() != w.found || c.Limit() != w.found || inner.Limit() != nil {
		t.Errorf("limits are %v, %v, %v", killed.Limit(), c.Limit(), inner.Limit())
	}
	w.tell(&isolator.Limit{Message: "again"})
	if c.Limit() != w.found {
		t.Error("the first limit does not count")
	}
}

// TestDestroyGoesOn where it failed.
func TestDestroyGoesOn(t *testing.T) {
	w, z, m := newWorld(t)
	c := open(t, z, m)
	w.stubborn = errors.New("busy")
	if err := c.Destroy(t.Context()); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("error is %v", err)
	}
	w.stubborn = nil
	if err := c.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	w.want(t, "prepare a, kill a, clean up a, kill a, clean up a")
}

// TestDestroyWhileALaunchHangs waits no longer than it may.
func TestDestroyWhileALaunchHangs(t *testing.T) {
	w, z, m := newWorld(t)
	c := open(t, z, m)
	w.hold = make(chan struct{})
	launched := make(chan error, 1)
	go func() {
		_, err := c.Launch(container.Spec{Path: "slow"})
		launched <- err
	}()
	for look := time.NewTicker(time.Millisecond); !slices.Contains(w.done(), "launch slowly"); <-look.C {
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Destroy(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	close(w.hold)
	if err := <-launched; err != nil {
		t.Error(err)
	}
	if err := c.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	w.want(t, "prepare a, launch slowly, kill a, clean up a")
}
