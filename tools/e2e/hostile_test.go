package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"troupe/actors"
	words "troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/processtest"
)

// attacker is a system of this process that says to the daemons whatever it
// likes. lost has the reasons for which its messages did not arrive.
type attacker struct {
	*actors.System
	t    *testing.T
	lost chan string
	said int
}

func newAttacker(t *testing.T) *attacker {
	t.Helper()
	a := &attacker{t: t, lost: make(chan string, 1000)}
	sys, err := actors.New(actors.Options{
		Links: actors.LinkLimits{MaxMessage: 40 << 20}, // it sends what its victims do not take
		OnDeadLetter: func(l actors.Lost) {
			select {
			case a.lost <- l.Reason:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.System = sys
	t.Cleanup(func() { _ = sys.Close(t.Context()) }) // what it had still to say is of no matter
	return a
}

type speaker func(c *actors.Context)

func (f speaker) Init(c *actors.Context) { f(c) }

// say sends the messages n times over, from an actor that listens to nothing.
func (a *attacker) say(n int, to actors.PID, messages ...proto.Message) {
	a.t.Helper()
	a.said++
	_, err := a.Spawn("master/"+strconv.Itoa(a.said), speaker(func(c *actors.Context) {
		c.HandleAny(func(*actors.Context, proto.Message) {})
		for range n {
			for _, m := range messages {
				c.Send(to, m)
			}
		}
	}))
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *attacker) awaitLost(reason string) {
	a.t.Helper()
	late := time.After(processtest.Patience)
	for {
		select {
		case got := <-a.lost:
			if strings.Contains(got, reason) {
				return
			}
		case <-late:
			a.t.Fatalf("nothing was lost for %q", reason)
		}
	}
}

func at(name string, port int) actors.PID {
	return actors.PID{Name: name, Address: fmt.Sprintf("127.0.0.1:%d", port)}
}

// get reads a page of a daemon.
func get(t *testing.T, port int, path string) string {
	t.Helper()
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// counted waits until a page shows what the pattern finds to be at least n.
func counted(t *testing.T, port int, path, pattern string, n float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s counts %v of %s", path, n, pattern), func() bool {
		m := regexp.MustCompile(pattern).FindStringSubmatch(get(t, port, path))
		if m == nil {
			return false
		}
		got, err := strconv.ParseFloat(m[1], 64)
		return err == nil && got >= n
	})
}

// unharmed runs a task.
func (c *cluster) unharmed(after string) {
	c.t.Helper()
	c.do("run", "--", "echo", "unharmed").check(c.t, "run after "+after, 0, "^unharmed\n$", "TASK_FINISHED")
}

// novelty is a message of a type that this version does not know.
func novelty(t *testing.T) proto.Message {
	t.Helper()
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("tomorrow.proto"), Package: proto.String("of.tomorrow"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Novelty")}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessage(fd.Messages().Get(0))
}

func TestHostilePeers(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("bystander")
	ports := map[string]int{"master": c.masterPort, "agent": c.agentPort}
	daemons := map[string]*daemon{"master": c.master, "agent": c.agent}
	for name, port := range ports {
		t.Run("bytes to the "+name, func(t *testing.T) { strayBytes(t, daemons[name], port) })
		t.Run("messages to the "+name, func(t *testing.T) { strayMessages(t, daemons[name], at(name, port), port) })
	}
	c.unharmed("stray bytes and messages")
	t.Run("strangers", func(t *testing.T) { strangers(t, c) })
	c.unharmed("strangers")
	t.Run("flood", func(t *testing.T) { flood(t, c) })
	c.endSleeper(task)
	c.end()
}

// strayBytes are no message, nor a request.
func strayBytes(t *testing.T, d *daemon, port int) {
	for name, bytes := range map[string]string{
		"half a preface": "\x00tro", "another preface": "\x00trouble\n and more", "TLS": "\x16\x03\x01\x02\x00", "a request": "BREW / HTCPCP/1.0\r\n\r\n",
		"a long header": "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2<<20),
	} {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, bytes) // the daemon may hang up before the end
		if err := conn.SetReadDeadline(time.Now().Add(processtest.Patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); os.IsTimeout(err) {
			t.Errorf("%s: the connection stays", name)
		}
		_ = conn.Close() // it is over
	}
	d.Await(d.Err, `"connection refused"`)
}

// strayMessages are of a type that is not known, too large, for an earlier
// incarnation, and for nobody.
func strayMessages(t *testing.T, d *daemon, to actors.PID, port int) {
	a := newAttacker(t)
	a.say(3, to, novelty(t))
	d.Await(d.Err, `of\.tomorrow\.Novelty is unknown here`)
	counted(t, port, "/metrics", `troupe_actors_unhandled_total\{type="of\.tomorrow\.Novelty"\} (\S+)`, 3)

	old := to
	old.Incarnation = "an-earlier-one"
	a.say(1, old, &words.Pong{})
	a.awaitLost("incarnation")

	a.say(1, at("nobody", port), &words.Pong{})
	counted(t, port, "/metrics", `troupe_actors_dead_letters_total\{type="troupe\.cluster\.Pong"\} (\S+)`, 1)

	a.say(1, to, &words.ExecutorMessage{
		AgentId: &mesos.AgentID{Value: proto.String("S0")}, FrameworkId: &mesos.FrameworkID{Value: proto.String("F")},
		ExecutorId: &mesos.ExecutorID{Value: proto.String("E")}, Data: make([]byte, 17<<20),
	})
	d.Await(d.Err, `a peer does not keep to the protocol.*malformed begin frame: size 17825\d+: outside 1 to 16777216`)
	a.awaitLost("")
}

// strangers say what only others may.
func strangers(t *testing.T, c *cluster) {
	a := newAttacker(t)
	status := &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: proto.String("bystander")}, State: mesos.TaskState_TASK_FAILED.Enum(), Uuid: []byte("0123456789abcdef")}
	framework := &mesos.FrameworkID{Value: proto.String("F")}
	agents := get(t, c.masterPort, "/slaves")
	id := regexp.MustCompile(`"id": ?"([^"]+)"`).FindStringSubmatch(agents)
	if id == nil {
		t.Fatalf("no agent in %s", agents)
	}
	agent := &mesos.AgentID{Value: &id[1]}
	a.say(1, at("master", c.masterPort),
		&words.StatusUpdate{FrameworkId: framework, AgentId: agent, Status: status},
		&words.UnregisterAgent{AgentId: agent},
		&words.Allocations{Epoch: proto.Uint64(1)},
		&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum(), FrameworkId: framework})
	c.master.Await(c.master.Err, `a status update of an agent that is not connected there.*`+id[1])
	c.master.Await(c.master.Err, `no such agent is registered at this address`)
	c.master.Await(c.master.Err, `only the allocator allocates`)
	c.master.Await(c.master.Err, `a call for a framework that is not subscribed`)
	a.say(1, at("allocator", c.masterPort), &words.StartAllocator{Epoch: proto.Uint64(99)})
	c.master.Await(c.master.Err, `its sender is of another system.*StartAllocator`)
	a.say(1, at("agent", c.agentPort),
		&words.ShutdownAgent{Message: proto.String("go away")},
		&words.KillTask{FrameworkId: framework, TaskId: status.TaskId},
		&executor.Call{Type: executor.Call_UPDATE.Enum(), FrameworkId: framework, ExecutorId: &mesos.ExecutorID{Value: proto.String("E")}, Update: &executor.Call_Update{Status: status}})
	c.agent.Await(c.agent.Err, `its sender is not this agent's master.*troupe\.cluster\.ShutdownAgent`)
	c.agent.Await(c.agent.Err, `its sender is not this agent's master.*troupe\.cluster\.KillTask`)
	c.agent.Await(c.agent.Err, `A call of an executor was refused: `)
}

// flood sends what is dropped, 20,000 of each, to both daemons at once: it is
// counted, and hardly logged, and meanwhile tasks run.
func flood(t *testing.T, c *cluster) {
	const n = 20_000
	before := strings.Count(c.master.Err.String(), "\n") + strings.Count(c.agent.Err.String(), "\n")
	a := newAttacker(t)
	a.say(n, at("master", c.masterPort), &words.Pong{}, &words.Allocations{Epoch: proto.Uint64(1)})
	a.say(n, at("agent", c.agentPort), &words.ShutdownAgent{}, &words.KillTask{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("F")}, TaskId: &mesos.TaskID{Value: proto.String("bystander")},
	})
	a.say(n, at("allocator", c.masterPort), &words.StartAllocator{Epoch: proto.Uint64(99)})
	a.say(n, at("nobody", c.agentPort), &words.Pong{})
	c.unharmed("the flood began")
	counted(t, c.masterPort, "/metrics/snapshot", `"master/dropped_messages": ?([0-9.e+]+)`, 2*n)
	counted(t, c.agentPort, "/metrics/snapshot", `"slave/stranger_messages": ?([0-9.e+]+)`, 2*n)
	counted(t, c.agentPort, "/metrics", `troupe_actors_dead_letters_total\{type="troupe\.cluster\.Pong"\} (\S+)`, n)
	c.unharmed("the flood")
	if lines := strings.Count(c.master.Err.String(), "\n") + strings.Count(c.agent.Err.String(), "\n") - before; lines > 3000 {
		t.Errorf("a flood of %d messages left %d lines", 6*n, lines)
	}
}

// TestResourcesThatNobodyHas: a task that no agent can hold says what it waits
// for, and others run meanwhile.
func TestResourcesThatNobodyHas(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	for _, need := range []struct{ flag, waits string }{{"--cpus=1000", "cpus:1000"}, {"--mem=1000000", "mem:1000000"}} {
		d := w.start(append([]string{"run", need.flag}, append(w.flags, "--", "true")...)...)
		d.Await(d.Err, `still waiting for an offer of .*`+need.waits)
		c.unharmed(need.flag)
		d.Signal(syscall.SIGINT)
		d.wait().check(t, need.flag, 130, "^$", "TASK_KILLED")
	}
	c.end()
}

// TestSandboxesThatCannotBeMade: where the agent cannot write, its tasks fail
// with the folder's name; once it can, they run again.
func TestSandboxesThatCannotBeMade(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("bystander")
	found, err := filepath.Glob(filepath.Join(w.dir, "agent", "slaves", "*", "frameworks"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the folders are %v, %v", found, err)
	}
	frameworks := found[0]
	moved := frameworks + ".moved"
	if err := os.Rename(frameworks, moved); err != nil {
		t.Fatal(err)
	}
	touch(t, frameworks)
	w.do("run", "--", "true").check(t, "run without a folder", 1, "^$", "TASK_FAILED.*sandbox.*"+regexp.QuoteMeta(frameworks)+".*not a directory")
	if err := os.Remove(frameworks); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(moved, frameworks); err != nil {
		t.Fatal(err)
	}
	c.unharmed("the folder is back")
	c.endSleeper(task)
	c.end()
}
