package nested_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/executor/executortest"
	"troupe/executor/nested"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
)

const patience = 3 * time.Minute

// rig is a nest in an actor of its own, below which an executor R is.
type rig struct {
	t        *testing.T
	sys      *actors.System
	host     actors.PID
	nest     *nested.Nest
	launcher *launcher
	dir      string
	removed  chan string
}

// launcher keeps the program's ends of streams open, as a program would.
type launcher struct {
	*executortest.Launcher
	streams chan [3]*os.File
}

func (l launcher) Launch(s program.Spec) (program.Process, error) {
	var own [3]*os.File
	for i, f := range s.Streams {
		if f == nil {
			continue
		}
		fd, err := syscall.Dup(int(f.Fd()))
		if err != nil {
			return nil, err
		}
		if err := syscall.SetNonblock(fd, true); err != nil {
			return nil, err
		}
		own[i] = os.NewFile(uintptr(fd), f.Name())
	}
	p, err := l.Launcher.Launch(s)
	if err == nil && own[1] != nil {
		l.streams <- own
	}
	return p, err
}

// root is the container of an executor that never ends.
type root struct{ dir string }

func (r root) Spec() program.Spec {
	return program.Spec{Dir: r.dir, Env: []string{"PATH=/bin", "SECRET=of the executor"}}
}
func (root) Over() bool              { return false }
func (root) Await(func(nested.End))  {}
func (root) Signal(_ syscall.Signal) {}

type host struct {
	r *rig
	o nested.Options
}

func (h *host) Init(c *actors.Context) {
	h.r.nest = nested.New(c, h.o)
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerCall) { h.r.nest.Call(c.Sender(), m) })
	actors.Handle(c, func(c *actors.Context, _ *cluster.ContainerOutputTaken) { h.r.nest.Taken(c.Sender()) })
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerInput) { h.r.nest.Input(c.Sender(), m.GetIo()) })
	actors.Handle(c, func(c *actors.Context, _ *cluster.ContainerInputLeave) { h.r.nest.Leave(c.Sender()) })
	c.HandleExited(func(_ *actors.Context, e actors.Exited) { h.r.nest.Gone(e.PID) })
}

func newRig(t *testing.T, edit ...func(*nested.Options)) *rig {
	t.Helper()
	dir := t.TempDir() // outlives the system
	sys := actortest.NewSystem(t, actors.Options{})
	r := &rig{
		t: t, sys: sys, dir: dir, removed: make(chan string, 64),
		launcher: &launcher{executortest.NewLauncher(), make(chan [3]*os.File, 64)},
	}
	o := nested.Options{
		System: sys, Containers: r.launcher,
		Root: func(id string) nested.Root {
			if id == "R" {
				return root{r.dir}
			}
			return nil
		},
		Removed: func(id *mesos.ContainerID) { r.removed <- id.GetValue() },
	}
	for _, e := range edit {
		e(&o)
	}
	var err error
	if r.host, err = sys.Spawn("host", &host{r, o}); err != nil {
		t.Fatal(err)
	}
	return r
}

// visitor hears what a nest answers.
type visitor struct {
	r        *rig
	pid      actors.PID
	messages chan proto.Message
}

func (v *visitor) Init(c *actors.Context) {
	c.HandleAny(func(_ *actors.Context, m proto.Message) { v.messages <- m })
}

func (r *rig) visitor() *visitor {
	r.t.Helper()
	v := &visitor{r: r, messages: make(chan proto.Message, 1024)}
	var err error
	if v.pid, err = r.sys.Spawn("", v); err != nil {
		r.t.Fatal(err)
	}
	return v
}

func (v *visitor) say(m proto.Message) {
	v.r.sys.Do(v.pid, func(c *actors.Context) { c.Send(v.r.host, m) })
}

func (v *visitor) leave() { v.r.sys.Do(v.pid, func(c *actors.Context) { c.Stop() }) }

// await takes messages until one is of a type.
func await[M proto.Message](v *visitor) M {
	v.r.t.Helper()
	late := time.After(patience)
	for {
		select {
		case m := <-v.messages:
			if m, ok := m.(M); ok {
				return m
			}
		case <-late:
			var m M
			v.r.t.Fatalf("no %T came", m)
			return m
		}
	}
}

func (v *visitor) want(call *agent.Call, outcome cluster.ContainerAnswer_Outcome, says string) *cluster.ContainerAnswer {
	v.r.t.Helper()
	v.say(&cluster.ContainerCall{Call: call, Sandbox: proto.String(v.r.dir + "/alone")})
	a := await[*cluster.ContainerAnswer](v)
	if a.GetOutcome() != outcome || !strings.Contains(a.GetMessage(), says) {
		v.r.t.Errorf("%v\n  is answered by %v, want %v and %q", call, a, outcome, says)
	}
	return a
}

const (
	done    = cluster.ContainerAnswer_DONE
	already = cluster.ContainerAnswer_ALREADY
	invalid = cluster.ContainerAnswer_INVALID
	unknown = cluster.ContainerAnswer_UNKNOWN
	refused = cluster.ContainerAnswer_REFUSED
	taken   = cluster.ContainerAnswer_TAKEN
)

// id reads "R.a": a below R.
func id(text string) *mesos.ContainerID {
	var at *mesos.ContainerID
	for part := range strings.SplitSeq(text, ".") {
		at = &mesos.ContainerID{Value: &part, Parent: at}
	}
	return at
}

func launch(text string) *agent.Call {
	return &agent.Call{Type: agent.Call_LAUNCH_CONTAINER.Enum(), LaunchContainer: &agent.Call_LaunchContainer{
		ContainerId: id(text), Command: &mesos.CommandInfo{Value: proto.String("x")},
	}}
}

func session(text string) *agent.Call {
	return &agent.Call{
		Type: agent.Call_LAUNCH_NESTED_CONTAINER_SESSION.Enum(), LaunchNestedContainerSession: &agent.Call_LaunchNestedContainerSession{
			ContainerId: id(text), Command: &mesos.CommandInfo{Value: proto.String("x")},
		},
	}
}

func wait(text string) *agent.Call {
	return &agent.Call{Type: agent.Call_WAIT_CONTAINER.Enum(), WaitContainer: &agent.Call_WaitContainer{ContainerId: id(text)}}
}

func kill(text string, signal ...int32) *agent.Call {
	k := &agent.Call_KillContainer{ContainerId: id(text)}
	if len(signal) > 0 {
		k.Signal = &signal[0]
	}
	return &agent.Call{Type: agent.Call_KILL_CONTAINER.Enum(), KillContainer: k}
}

func remove(text string) *agent.Call {
	return &agent.Call{Type: agent.Call_REMOVE_CONTAINER.Enum(), RemoveContainer: &agent.Call_RemoveContainer{ContainerId: id(text)}}
}

func attach(text string) *agent.Call {
	return &agent.Call{
		Type: agent.Call_ATTACH_CONTAINER_OUTPUT.Enum(), AttachContainerOutput: &agent.Call_AttachContainerOutput{ContainerId: id(text)},
	}
}

// TestSecretsOfSessions: a session can have some where its parent is in a container.
func TestSecretsOfSessions(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	secret := func(text string) *agent.Call {
		c := session(text)
		c.LaunchNestedContainerSession.Command.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{{
			Name: proto.String("P"), Type: mesos.Environment_Variable_SECRET.Enum(),
			Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte("hidden")}},
		}}}
		return c
	}
	v.want(secret("R.s"), invalid, "nobody resolves secrets here")
	v.want(launch("A"), done, "")
	r.launcher.Next(t)
	v.want(secret("A.s"), done, "")
	if own := r.launcher.Next(t).Spec.Own; len(own.GetVariables()) != 1 {
		t.Errorf("its own environment is %v", own)
	}
}

func TestLifeOfContainers(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.want(launch("R.a"), done, "")
	p := r.launcher.Next(t)
	for _, variable := range p.Spec.Env {
		if strings.HasPrefix(variable, "SECRET") {
			t.Error("it has what is its executor's alone")
		}
	}
	if want := r.dir + "/containers/a"; p.Spec.Dir != want || p.Spec.Guest {
		t.Errorf("it works in %q, guest %v", p.Spec.Dir, p.Spec.Guest)
	}
	v.want(launch("R.a"), already, "")
	v.want(launch("R"), already, "")
	v.want(launch("R.a.b"), done, "")
	below := r.launcher.Next(t)
	v.want(kill("R.a", 10), done, "")
	if s := p.Signalled(t); s != 10 {
		t.Errorf("signal %v", s)
	}
	v.want(remove("R.a"), refused, "has not ended")
	waiting := r.visitor()
	waiting.say(&cluster.ContainerCall{Call: wait("R.a")})
	waiting.want(launch("R"), already, "") // what came before is heard
	p.Exit(7 << 8)
	below.Killed(t) // before anybody hears of its parent's end
	below.Exit(9)
	if a := await[*cluster.ContainerAnswer](waiting); a.GetResponse().GetWaitContainer().GetExitStatus() != 7<<8 {
		t.Errorf("answer %v", a)
	}
	v.want(kill("R.a"), unknown, "does not run")
	v.want(launch("R.a.c"), invalid, "does not run")
	v.want(remove("R.a"), done, "")
	v.want(wait("R.a.b"), unknown, "") // with its parent
	v.want(remove("R.a"), done, "")
	if len(r.removed) > 0 {
		t.Errorf("%s was not alone", <-r.removed)
	}
}

func TestLaunchThatFails(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	r.launcher.Fail(errors.New("no room"))
	v.want(launch("R.a"), invalid, "no room")
	v.want(session("R.s"), invalid, "no room")
	v.want(launch("alone"), invalid, "no room")
	if got := <-r.removed; got != "alone" {
		t.Errorf("%s was removed", got)
	}
	r.launcher.Fail(nil)
	v.want(launch("R.a"), done, "") // nothing was left of it
	v.want(launch("R.x.a"), invalid, "R.x")
	v.want(wait("x"), unknown, "")
	v.want(attach("R.a"), invalid, "stdout") // the launcher of the tests makes no files
	v.want(attach("R.x"), unknown, "")
	if err := os.Mkdir(r.dir+"/containers/taken", 0o700); err != nil {
		t.Fatal(err)
	}
	v.want(launch("R.taken"), invalid, "exists")
}

func TestTooManyContainers(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for i := range 256 {
		v.want(launch(fmt.Sprintf("R.c%d", i)), done, "")
	}
	v.want(launch("R.more"), invalid, "256")
	r.launcher.Next(t).Exit(0)
	v.want(wait("R.c0"), done, "")
	v.want(remove("R.c0"), done, "")
	v.want(launch("R.more"), done, "")
}

// TestEndOfExecutor ends all below it, before anybody hears of its own end.
func TestEndOfExecutor(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.want(launch("R.a"), done, "")
	p := r.launcher.Next(t)
	ended := make(chan struct{})
	r.sys.Do(r.host, func(*actors.Context) { r.nest.End("R", func() { close(ended) }) })
	p.Killed(t)
	select {
	case <-ended:
		t.Error("it ended before what is below it")
	default:
	}
	p.Exit(9)
	<-ended
	v.want(wait("R.a"), unknown, "")
}

func TestStandalone(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.want(launch("alone"), done, "")
	p := r.launcher.Next(t)
	if p.Spec.Dir != r.dir+"/alone" {
		t.Errorf("it works in %q", p.Spec.Dir)
	}
	check := func(standing int, empty bool) {
		t.Helper()
		told := make(chan struct{})
		r.sys.Do(r.host, func(*actors.Context) {
			defer close(told)
			if n := len(r.nest.Standalone()); n != standing || r.nest.Empty() != empty {
				t.Errorf("%d stand alone, empty is %v", n, r.nest.Empty())
			}
		})
		<-told
	}
	check(1, false)
	r.sys.Do(r.host, func(*actors.Context) { r.nest.Dismiss(id("alone")) })
	p.Killed(t)
	p.Exit(9)
	if got := <-r.removed; got != "alone" {
		t.Errorf("%s was removed", got)
	}
	check(0, true)
}

// adopt starts what somebody else wants to run as a container.
func (r *rig) adopt(name string, s program.Spec) {
	r.t.Helper()
	started, err := nested.Start(r.launcher, s)
	if err != nil {
		r.t.Fatal(err)
	}
	r.sys.Do(r.host, func(*actors.Context) { r.nest.Adopt(id(name), started) })
}

func TestAdoptedTasks(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	r.adopt("R.task", program.Spec{Dir: r.dir, Env: []string{"TASK=1"}})
	p := r.launcher.Next(t)
	v.want(session("R.task.s"), done, "")
	s := r.launcher.Next(t)
	if len(s.Spec.Env) != 1 || s.Spec.Env[0] != "TASK=1" || !s.Spec.Guest || s.Spec.Dir != r.dir {
		t.Errorf("the session has %+v", s.Spec)
	}
	waiting := r.visitor()
	waiting.say(&cluster.ContainerCall{Call: wait("R.task")})
	waiting.want(launch("R"), already, "") // what came before is heard
	p.Exit(0)
	s.Killed(t)
	s.Exit(9)
	if a := await[*cluster.ContainerAnswer](waiting); a.GetOutcome() != done {
		t.Errorf("answer %v", a)
	}
	v.want(wait("R.task"), unknown, "")
}
