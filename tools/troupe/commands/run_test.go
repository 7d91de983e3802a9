package commands

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"troupe/actors"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// stage is a master in name only that `troupe run` finds over HTTP and actors.
type stage struct {
	*frameworktest.Master
	t    *testing.T
	at   string
	out  *buffer
	err  *buffer
	code chan int
}

func newStage(t *testing.T, script ...mesos.TaskState) *stage {
	t.Helper()
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := &stage{t: t, at: sys.Address(), out: newBuffer(), err: newBuffer(), code: make(chan int, 1)}
	s.Master = frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return script })
	s.Agent(t, "S1", "cpus:4;mem:1024")
	sys.Route("/slaves", "agents", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"slaves":[{"id":"S1","pid":"slave(1)@%s"}]}`, s.at) // the command says what it lacks
	}))
	sys.Route("/files/download", "files", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		path := q.FormValue("path")
		http.ServeContent(w, q, "", noTime, strings.NewReader(path[strings.LastIndexByte(path, '/')+1:]+" of it\n"))
	}))
	return s
}

// run starts `troupe run` with flags.
func (s *stage) run(ctx context.Context, args ...string) {
	args = append([]string{"run", "--master=" + s.at}, args...)
	go func() { s.code <- Run(ctx, args, Streams{Out: s.out, Err: s.err, In: strings.NewReader("")}) }()
}

func (s *stage) ends(code int, out, stderr string) {
	s.t.Helper()
	select {
	case got := <-s.code:
		if got != code || s.out.String() != out || !regexp.MustCompile(stderr).MatchString(s.err.String()) {
			s.t.Errorf("exit status %d, want %d\nstdout %q, want %q\nstderr, want %q:\n%s", got, code, s.out, out, stderr, s.err)
		}
	case <-time.After(3 * time.Minute):
		s.t.Fatalf("it does not end; stderr:\n%s", s.err)
	}
}

// says waits until stderr has a text.
func (s *stage) says(text string) {
	s.t.Helper()
	late := time.After(3 * time.Minute)
	for !strings.Contains(s.err.String(), text) {
		select {
		case <-s.err.more:
		case <-late:
			s.t.Fatalf("it does not say %q:\n%s", text, s.err)
		}
	}
}

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	failing  = mesos.TaskState_TASK_FAILED
)

func TestRunPassesOn(t *testing.T) {
	s := newStage(t, running, finished)
	s.run(t.Context(), "--name=count", "--cpus=0.5", "--env=A=b", "--", "wc", "-l")
	s.ends(0, "stdout of it\n", `(?s)count: TASK_RUNNING on S1.*count: TASK_FINISHED on S1`)
	if !strings.Contains(s.err.String(), "stderr of it\n") {
		t.Errorf("stderr lacks the task's: %s", s.err)
	}
	accept := s.AwaitCall(t, scheduler.Call_ACCEPT, nil).GetAccept().GetOperations()[0].GetLaunch().GetTaskInfos()[0]
	if c := accept.GetCommand(); c.GetShell() || c.GetValue() != "wc" || len(c.GetArguments()) != 2 ||
		c.GetEnvironment().GetVariables()[0].GetName() != "A" || accept.GetName() != "count" {
		t.Errorf("launched %v", accept)
	}
	s.AwaitCall(t, scheduler.Call_TEARDOWN, nil)
}

func TestRunOfSeveral(t *testing.T) {
	s := newStage(t, running, failing)
	s.run(t.Context(), "--instances=2", "--quiet", "--", "sh")
	code := <-s.code
	lines := strings.Split(strings.TrimSuffix(s.out.String(), "\n"), "\n")
	if code != failed || len(lines) != 2 || !strings.HasPrefix(lines[0], "sh-") || strings.Contains(s.err.String(), "TASK_") {
		t.Errorf("exit status %d, stdout %q, stderr %q", code, lines, s.err)
	}
}

func TestRunIsInterrupted(t *testing.T) {
	s := newStage(t, running)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	s.run(ctx, "--", "sleep", "1000")
	s.says("TASK_RUNNING")
	interrupt()
	s.AwaitCall(t, scheduler.Call_KILL, nil)
	s.ends(interrupted, "stdout of it\n", "TASK_KILLED")
}

// While the master is away the task goes on, and the terminal says so.
func TestRunOutlivesItsMaster(t *testing.T) {
	s := newStage(t, running)
	s.run(t.Context(), "--name=lasting", "--", "sleep", "1")
	s.says("TASK_RUNNING")
	s.Restart(t)
	s.says("the master is out of reach, tasks run on: ")
	s.says("the master is back")
	if got := s.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil).GetSubscribe().GetFrameworkInfo().GetFailoverTimeout(); got != 60 {
		t.Errorf("its failover timeout is %vs, want a minute", got)
	}
	s.Update(t, "lasting", finished)
	s.ends(0, "stdout of it\n", `(?s)TASK_RUNNING.*out of reach.*is back.*TASK_FINISHED`)
}

// A framework that is ended under it ends the command, which says why.
func TestRunIsTornDown(t *testing.T) {
	s := newStage(t, running)
	s.run(t.Context(), "--", "sleep", "1000")
	s.says("TASK_RUNNING")
	s.Fail("Framework was torn down by an operator")
	s.ends(failed, "stdout of it\n", `troupe: framework "sleep": master ended the subscription: Framework was torn down by an operator`)
}

func TestRunMisuse(t *testing.T) {
	for line, want := range map[string]string{
		"run":                                   "CMD is missing",
		"run --cpus=-1 -- true":                 "--cpus=-1 is no amount",
		"run --instances=0 -- true":             "instances=0 is not between",
		"run --retries=-1 -- true":              "retries=-1 is negative",
		"run --env=x -- true":                   `--env="x" is not of the form NAME=value`,
		"run --failover_timeout=-1secs -- true": `--failover_timeout="-1secs" is negative`,
		"run --role=/ -- true":                  "role",
		"run --file=x -- true":                  "either --file or a command",
		"run --master=nowhere -- true":          `--master="nowhere"`,
		"run --name=a/b -- true":                "name",
		"run --tls_cert=x -- true":              "go together",
		"run --file=/does/not/exist":            "--file: open",
		"run --master=127.0.0.1:1 -- true":      "127.0.0.1:1 does not answer",
	} {
		code, _, stderr := typed(t, strings.Fields(line)...)
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("troupe %s: %d %s, want %q", line, code, stderr, want)
		}
	}
}
