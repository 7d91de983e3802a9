package probe

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/executor/check"
	"troupe/executor/executortest"
	"troupe/executor/program"
	"troupe/messages/mesos"
	"troupe/slave/container/containerizer"
	"troupe/slave/container/posix"
	"troupe/tools/troupe/isolation"
)

func newLauncher(t *testing.T) program.Launcher {
	t.Helper()
	l, err := posix.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return isolation.NewContainers(containerizer.Options{Plain: l})
}

// sandbox is a task's folder, that any user can reach.
func sandbox(t *testing.T) program.Spec {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return program.Spec{Dir: dir, Env: []string{"PATH=/usr/bin:/bin", "MESOS_SANDBOX=" + dir, "COLOR=red"}}
}

func sh(script string) *mesos.CommandInfo { return &mesos.CommandInfo{Value: proto.String(script)} }

func run(t *testing.T, p *Prober, c *mesos.CommandInfo, timeout time.Duration) check.Result {
	t.Helper()
	return p.Probe(t.Context(), check.Probe{Type: mesos.CheckInfo_COMMAND, Command: c, Timeout: timeout})
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("still not: %s", what)
		}
	}
}

func read(t *testing.T, s program.Spec, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCommandRunsAsTheTaskDoes(t *testing.T) {
	s := sandbox(t)
	want := ""
	if os.Geteuid() == 0 {
		s.User, want = "nobody", "nobody\n"
	} else if u, err := user.Current(); err == nil {
		want = u.Username + "\n"
	}
	p := New(newLauncher(t), s)
	c := sh(`id -un; pwd; echo $COLOR $SIZE; exit 3`)
	c.User = proto.String("root") // is not for a check to choose
	c.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{{Name: proto.String("SIZE"), Value: proto.String("big")}}}
	if got := run(t, p, c, patience); got != (check.Result{Code: 3}) {
		t.Errorf("%+v", got)
	}
	if got := read(t, s, "stderr"); got != want+s.Dir+"\nred big\n" {
		t.Errorf("output %q", got)
	}
	argv := &mesos.CommandInfo{Shell: proto.Bool(false), Value: proto.String("test"), Arguments: []string{"test", "1", "=", "2"}}
	if got := run(t, p, argv, 0); got != (check.Result{Code: 1}) {
		t.Errorf("argv: %+v", got)
	}
}

// TestSecretsOfChecks: a command has the secrets that it names, beside those of the
// task, where there is a container to give them.
func TestSecretsOfChecks(t *testing.T) {
	s, l := sandbox(t), newLauncher(t).(*isolation.Containers)
	settings, err := json.Marshal(isolation.Settings{Names: []string{"environment_secret"}})
	if err != nil {
		t.Fatal(err)
	}
	hidden := func(name, text string) *mesos.Environment {
		return &mesos.Environment{Variables: []*mesos.Environment_Variable{{
			Name: &name, Type: mesos.Environment_Variable_SECRET.Enum(),
			Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte(text)}},
		}}}
	}
	c := sh(`echo "$OURS $THEIRS"`)
	c.Environment = hidden("OURS", "whispered")
	if got := run(t, New(l, s), c, patience); got.Err == nil || !strings.Contains(got.Err.Error(), "cannot be had") {
		t.Errorf("outside of containers: %+v", got)
	}
	s.Container, err = l.Open(t.Context(), program.Contents{
		ID: &mesos.ContainerID{Value: proto.String("c")}, Sandbox: s.Dir, Isolation: settings, Command: &mesos.CommandInfo{Environment: hidden("THEIRS", "shared")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, New(l, s), c, patience); got != (check.Result{}) {
		t.Errorf("%+v", got)
	}
	if got := read(t, s, "stderr"); got != "whispered shared\n" {
		t.Errorf("output %q", got)
	}
	c.Environment.Variables[0].Secret = &mesos.Secret{
		Type: mesos.Secret_REFERENCE.Enum(), Reference: &mesos.Secret_Reference{Name: proto.String("nowhere")},
	}
	if got := run(t, New(l, s), c, patience); got.Err == nil || !strings.Contains(got.Err.Error(), `command.environment.variables[0].secret.reference: "nowhere"`) {
		t.Errorf("a secret that is not there: %+v", got)
	}
	if err := s.Container.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCommandsThatCannotRun(t *testing.T) {
	p := New(newLauncher(t), sandbox(t))
	for text, c := range map[string]*mesos.CommandInfo{
		`preparing the command: command.value: must be set`:               {},
		`starting the command: program "/no/such/program" does not exist`: {Shell: proto.Bool(false), Value: proto.String("/no/such/program")},
		`the command was killed by signal 9`:                              sh("kill -9 $$"),
		`preparing the command: command.value: "a\x00b": has a zero byte`: sh("a\x00b"),
	} {
		if got := run(t, p, c, patience); got.Err == nil || got.Err.Error() != text {
			t.Errorf("%+v, want %s", got, text)
		}
	}
	if got := run(t, p, sh("true"), patience); got != (check.Result{}) {
		t.Errorf("none of that hurt: %+v", got)
	}
}

// gone says whether the process whose number is in a file has ended.
func gone(t *testing.T, s program.Spec, name string) bool {
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, s, name)))
	if err != nil {
		t.Fatal(err)
	}
	return errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// TestTimeoutEndsAllDescendants: also those that left their session, and their
// parent.
func TestTimeoutEndsAllDescendants(t *testing.T) {
	s := sandbox(t)
	l := newLauncher(t)
	own, err := l.Launch(task(s, `sleep 1000 & echo $! >own; setsid sh -c 'sleep 1000 & echo $! >orphan'; wait`))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the task has its processes", func() bool { return exists(s, "own") && exists(s, "orphan") })
	p := New(l, s)
	c := sh(`sleep 1000 & echo $! >child
		setsid sh -c 'sleep 1000 & echo $! >stray'
		setsid sh -c 'echo $$ >leader; exec sleep 1000' & 
		while [ ! -s leader ]; do sleep 0.01; done
		echo yes >ready; wait`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer := make(chan check.Result, 1)
	go func() { answer <- p.Probe(ctx, check.Probe{Type: mesos.CheckInfo_COMMAND, Command: c}) }()
	eventually(t, "the command has its processes", func() bool { return exists(s, "ready") && exists(s, "stray") && exists(s, "child") })
	cancel()
	if got := <-answer; !errors.Is(got.Err, context.Canceled) {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"child", "stray", "leader"} {
		eventually(t, name+" is gone", func() bool { return gone(t, s, name) })
	}
	for _, name := range []string{"own", "orphan"} {
		if gone(t, s, name) {
			t.Errorf("the task's process %q died with its check", name)
		}
	}
	own.Kill(0)
	<-own.Done()
}

// TestACheckLeavesTheTaskItsOrphans: a check that ends by itself ends what it
// left, and nothing of the task.
func TestACheckLeavesTheTaskItsOrphans(t *testing.T) {
	s := sandbox(t)
	l := newLauncher(t)
	own, err := l.Launch(task(s, `setsid sh -c 'sleep 1000 & echo $! >orphan'; sleep 1000`))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the task has its orphan", func() bool { return exists(s, "orphan") })
	p := New(l, s)
	if got := run(t, p, sh(`setsid sh -c 'sleep 1000 & echo $! >stray'`), patience); got != (check.Result{}) {
		t.Errorf("%+v", got)
	}
	eventually(t, "the check's stray is gone", func() bool { return gone(t, s, "stray") })
	if gone(t, s, "orphan") {
		t.Error("the task's orphan died with a check")
	}
	own.Kill(0)
	<-own.Done()
	eventually(t, "the task's orphan is gone", func() bool { return gone(t, s, "orphan") })
}

func task(s program.Spec, script string) program.Spec {
	s.Path, s.Args = "/bin/sh", []string{"sh", "-c", script}
	return s
}

// exists says whether a script has written a whole line.
func exists(s program.Spec, name string) bool {
	text, err := os.ReadFile(filepath.Join(s.Dir, name))
	return err == nil && strings.HasSuffix(string(text), "\n")
}

func TestACommandThatLingersIsNotJoinedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := executortest.NewLauncher()
		p := New(l, program.Spec{Dir: "/sandbox"})
		begun := time.Now()
		if got := run(t, p, sh("true"), time.Millisecond); got.Err == nil || got.Err.Error() != "no answer within 1ms" {
			t.Errorf("%+v", got)
		}
		if took := time.Since(begun); took != time.Millisecond+killWait {
			t.Errorf("it was waited for %s", took)
		}
		stuck := l.Next(t)
		if g := stuck.Killed(t); g != 0 {
			t.Errorf("grace %s", g)
		}
		if got := run(t, p, sh("true"), patience); !errors.Is(got.Err, errStuck) {
			t.Errorf("%+v", got)
		}
		stuck.Exit(9)
		l.Fail(errLaunch)
		if got := run(t, p, sh("true"), patience); !errors.Is(got.Err, errLaunch) {
			t.Errorf("%+v", got)
		}
	})
}
