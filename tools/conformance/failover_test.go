package conformance

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// trio is three masters that keep the registry among themselves, and an agent.
type trio struct {
	*cluster
	addresses []string
	masters   []*processtest.Daemon
}

func newTrio(t *testing.T) *trio {
	t.Helper()
	c := &trio{cluster: &cluster{World: processtest.New(t, built), t: t}}
	for range 3 {
		c.addresses = append(c.addresses, fmt.Sprint("127.0.0.1:", processtest.FreePort(t)))
	}
	for i := range c.addresses {
		c.masters = append(c.masters, c.startOne(i))
	}
	c.master = strings.Join(c.addresses, ",")
	c.startAgent(processtest.FreePort(t))
	c.ended = true // in another way
	t.Cleanup(c.endAll)
	return c
}

func (c *trio) startOne(i int) *processtest.Daemon {
	c.t.Helper()
	_, port, _ := strings.Cut(c.addresses[i], ":")
	d := c.Start(c.Command(
		"master", "--port="+port, "--masters="+strings.Join(c.addresses, ","), "--allocation_interval=50ms",
		"--election_timeout=2secs", // none is elected because the leader's machine was busy
		"--work_dir="+filepath.Join(c.Dir, fmt.Sprint("master-", i))))
	d.Await(d.Err, served)
	return d
}

// endAll takes the agent down, and then the masters that live.
func (c *trio) endAll() {
	c.agentProcess.Signal(syscall.SIGUSR1)
	c.agentProcess.Wait()
	for _, d := range c.masters {
		d.Signal(syscall.SIGTERM)
		d.Wait()
	}
}

// A scheduler finds the leader from any of three masters, and the next one when
// the first is killed. Its task runs on, its id stays, and what it is told it is
// told once.
func TestSchedulersFollowTheLeader(t *testing.T) {
	c := newTrio(t)
	follow := &mesosclient.Follow{Masters: c.addresses, Encoding: mesosclient.JSON{}, First: 50 * time.Millisecond, Longest: time.Second}
	s, err := follow.Subscribe(t.Context(), &scheduler.Call_Subscribe{FrameworkInfo: describe("follower")})
	if err != nil {
		t.Fatal(err)
	}
	f := collect(t, s)
	f.runOne("survivor", "exec sleep 1000")
	for i, address := range c.addresses {
		if address != f.Address {
			redirects(t, address, f.Address)
			continue
		}
		c.masters[i].Signal(syscall.SIGKILL)
		c.masters[i].Wait()
	}
	info := describe("follower")
	info.Id = f.Subscribed.GetFrameworkId()
	s, err = follow.Subscribe(t.Context(), &scheduler.Call_Subscribe{FrameworkInfo: info})
	if err != nil {
		t.Fatal(err)
	}
	if s.Address == f.Address || s.FrameworkID != f.FrameworkID || s.ID == f.ID {
		t.Errorf("after %+v: %+v", f.Scheduler, s)
	}
	f = collect(t, s)
	// Until its agent is back nothing is said of it.
	processtest.Eventually(t, "the task is known to run", func() bool {
		f.reconcile("survivor")
		e, _, _ := f.find(func(e *scheduler.Event) bool { return e.GetUpdate().GetStatus().GetTaskId().GetValue() == "survivor" })
		return e.GetUpdate().GetStatus().GetState() == mesos.TaskState_TASK_RUNNING
	})
	f.runOne("next", "exec sleep 1000")
	f.say(kill("survivor"))
	f.update("survivor", mesos.TaskState_TASK_KILLED)
	f.teardown()
	c.leaderless(f.Address)
}

// leaderless kills the leader of two masters: the other one cannot lead alone.
func (c *trio) leaderless(leader string) {
	c.t.Helper()
	c.masters[slices.Index(c.addresses, leader)].Signal(syscall.SIGKILL)
	c.masters[slices.Index(c.addresses, leader)].Wait()
	for i, d := range c.masters {
		select {
		case <-d.Ended():
			continue
		default:
		}
		e := mesosclient.Endpoint{Address: c.addresses[i], Path: mesosclient.SchedulerPath, Encoding: mesosclient.JSON{}}
		processtest.Eventually(c.t, "nobody leads", func() bool {
			a, err := e.Post(c.t.Context(), []byte("not even a call"), nil)
			return err == nil && a.Status == http.StatusServiceUnavailable && strings.Contains(string(a.Body), "lead")
		})
	}
}

// redirects sees that a master which does not lead sends its clients to the one
// that does, whatever they ask.
func redirects(t *testing.T, address, leader string) {
	t.Helper()
	for _, enc := range mesosclient.Encodings() {
		for _, path := range []string{mesosclient.SchedulerPath, "/master" + mesosclient.SchedulerPath, mesosclient.OperatorPath} {
			e := mesosclient.Endpoint{Address: address, Path: path, Encoding: enc}
			a, err := e.Post(t.Context(), []byte("not even a call"), nil)
			if err != nil {
				t.Fatal(err)
			}
			// The location says nothing of a scheme, as clients expect.
			if want := "//" + leader + path; a.Status != http.StatusTemporaryRedirect || a.Header.Get("Location") != want {
				t.Errorf("%s at a master that does not lead: %s to %q, want %q", path, a, a.Header.Get("Location"), want)
			}
		}
	}
}

func (f *framework) reconcile(tasks ...string) {
	f.t.Helper()
	r := &scheduler.Call_Reconcile{}
	for _, task := range tasks {
		r.Tasks = append(r.Tasks, &scheduler.Call_Reconcile_Task{TaskId: &mesos.TaskID{Value: proto.String(task)}})
	}
	f.say(&scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: r})
}

// A master that is killed and started again knows its frameworks; their old
// streams are of no use with it.
func TestAMasterThatReturns(t *testing.T) {
	c := newCluster(t)
	f := subscribe(t, c.master, mesosclient.Protobuf{}, describe("returning"))
	f.runOne("survivor", "exec sleep 1000")
	c.restartMaster()
	refuse(t, c.master, mesosclient.SchedulerPath, f.Encoding, []request{{
		name: "the stream of another life", body: encoded(t, f.Encoding, f.withID(revive())),
		headers: map[string]string{mesosclient.StreamID: f.ID}, status: http.StatusForbidden, says: "Framework is not subscribed",
	}})
	info := describe("returning")
	info.Id = f.Subscribed.GetFrameworkId()
	f = subscribe(t, c.master, mesosclient.Protobuf{}, info)
	f.runOne("after", "exec sleep 1000")
	f.say(kill("survivor"))
	f.update("survivor", mesos.TaskState_TASK_KILLED)
	f.teardown()
}

// restartMaster kills the master, starts it where it was and waits until it
// leads.
func (c *cluster) restartMaster() {
	c.t.Helper()
	c.masterProcess.Signal(syscall.SIGKILL)
	c.masterProcess.Wait()
	c.masterProcess, _ = c.startMaster(c.port(c.master))
	e := mesosclient.Endpoint{Address: c.master, Path: mesosclient.SchedulerPath, Encoding: mesosclient.JSON{}}
	processtest.Eventually(c.t, "the master leads", func() bool {
		a, err := e.Post(c.t.Context(), []byte("{}"), nil)
		return err == nil && a.Status == http.StatusBadRequest
	})
}

// A framework that stays away for longer than it said is gone, and its tasks
// with it.
func TestFrameworksThatStayAway(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		info := describe("short")
		info.FailoverTimeout = proto.Float64(0.2)
		f := subscribe(t, c.master, enc, info)
		ended := filepath.Join(c.Dir, "ended-"+f.FrameworkID)
		f.runOne("doomed", fmt.Sprintf("trap 'touch %s; exit' TERM; while :; do sleep 0.05; done", ended))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		processtest.Eventually(t, "the task has ended", func() bool { return processtest.Exists(ended) })
		info.Id = f.Subscribed.GetFrameworkId()
		e := mesosclient.Endpoint{Address: c.master, Path: mesosclient.SchedulerPath, Encoding: enc}
		s, err := e.Open(t.Context(), subscription(info), nil)
		if err != nil {
			t.Fatal(err)
		}
		late := collect(t, &mesosclient.Scheduler{Stream: s})
		if message := late.event(scheduler.Event_ERROR).GetError().GetMessage(); !strings.Contains(message, "Framework has been removed") {
			t.Errorf("a framework that came too late is told %q", message)
		}
		late.end()
	})
}
