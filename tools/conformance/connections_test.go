package conformance

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// bystander is a framework that runs a task while others misbehave.
func bystander(t *testing.T, c *cluster) *framework {
	f := subscribe(t, c.master, mesosclient.JSON{}, describe("bystander"))
	f.runOne("lasting", "exec sleep 1000")
	return f
}

// unharmed sees that the bystander's stream and task are as they were, and that
// another task runs.
func (f *framework) unharmed(c *cluster) {
	f.t.Helper()
	f.reconcile("lasting")
	f.update("lasting", mesos.TaskState_TASK_RUNNING)
	offer := f.offer()
	f.accept(offer, launch(shell(offer, "brief", "true")))
	f.update("brief", mesos.TaskState_TASK_FINISHED)
	select {
	case <-c.masterProcess.Ended():
		f.t.Error("the master has ended")
	case <-c.agentProcess.Ended():
		f.t.Error("the agent has ended")
	default:
	}
}

// dial connects; the connection ends with the test.
func dial(t *testing.T, address string, receive int) *mesosclient.Raw {
	t.Helper()
	conn, err := mesosclient.Dial(t.Context(), address, receive)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed
	return conn
}

// Requests that break off, at any place, are dropped and nothing of them is
// done.
func TestRequestsThatBreakOff(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	body := encoded(t, f.Encoding, f.withID(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()}))
	plain := post(body, mesosclient.StreamID+": "+f.ID)
	chunked := mesosclient.Head("POST", mesosclient.SchedulerPath, "Content-Type: application/json", mesosclient.StreamID+": "+f.ID, "Transfer-Encoding: chunked") + mesosclient.Chunk(body) + mesosclient.Chunk("")
	for _, address := range []string{c.master, c.agent} {
		for _, whole := range []string{plain, chunked} {
			for _, end := range []int{0, 1, len("POST /api"), strings.Index(whole, "\r\n\r\n") + 1, strings.Index(whole, "\r\n\r\n") + 4, len(whole) - len(body)/2, len(whole) - 5} {
				for _, halfOpen := range []bool{false, true} {
					conn := dial(t, address, 0)
					if err := conn.Say(whole[:end]); err != nil {
						t.Fatal(err)
					}
					if halfOpen { // it says no more, and waits for an answer
						if err := conn.CloseWrite(); err != nil {
							t.Fatal(err)
						}
						if a, err := conn.Answer(); err == nil && a.Status < 400 {
							t.Errorf("%q was answered by %s", whole[:end], a)
						}
					}
					if err := conn.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	f.unharmed(c)
	f.teardown()
}

// A scheduler that is gone without a word, or has said all that it will ever
// say, is disconnected or served on; it does not matter to others.
func TestHalfOpenSubscriptions(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	conn := dial(t, c.master, 0)
	half, records := subscribeBy(t, conn, "half open")
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	// To HTTP that is the client's end.
	for err := error(nil); err == nil; {
		_, err = records.Next()
	}
	half.Address = c.master
	half.disconnected()
	f.unharmed(c)
	f.teardown()
}

// subscribeBy subscribes a framework on a connection of which no more is read
// than its first event; the caller reads on, or does not.
func subscribeBy(t *testing.T, conn *mesosclient.Raw, name string) (*framework, *mesosclient.Records) {
	t.Helper()
	enc := mesosclient.JSON{}
	if err := conn.Say(post(encoded(t, enc, subscription(describe(name))))); err != nil {
		t.Fatal(err)
	}
	response, err := conn.Response()
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", response, err)
	}
	records := mesosclient.NewRecords(response.Body)
	first := &scheduler.Event{}
	if record, err := records.Next(); err != nil || enc.Unmarshal(record, first) != nil {
		t.Fatalf("%v: %s", err, record)
	}
	return &framework{t: t, Scheduler: &mesosclient.Scheduler{
		Endpoint:    mesosclient.Endpoint{Path: mesosclient.SchedulerPath, Encoding: enc},
		FrameworkID: first.GetSubscribed().GetFrameworkId().GetValue(), ID: response.Header.Get(mesosclient.StreamID),
	}}, records
}

// post is a request of the scheduler API with a body in JSON.
func post(body string, headers ...string) string {
	return mesosclient.Head("POST", mesosclient.SchedulerPath,
		append(headers, "Content-Type: application/json", "Content-Length: "+strconv.Itoa(len(body)))...) + body
}

// disconnected waits until the master takes the framework for away.
func (f *framework) disconnected() {
	f.t.Helper()
	processtest.Eventually(f.t, "the framework is not subscribed", func() bool {
		a, _ := f.Say(f.t.Context(), revive()) // refused, in the end
		return a != nil && a.Status == http.StatusForbidden && strings.Contains(string(a.Body), "Framework is not subscribed")
	})
}

// A scheduler that reads nothing of what it asks for is cut off; the master's
// memory does not grow with what it does not read.
func TestASchedulerThatDoesNotRead(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	conn := dial(t, c.master, 4096)
	slow, records := subscribeBy(t, conn, "slow")
	slow.Address = c.master
	// Each of its questions has a long answer.
	ask := &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{}}
	for i := range 5000 {
		ask.Reconcile.Tasks = append(ask.Reconcile.Tasks, &scheduler.Call_Reconcile_Task{TaskId: &mesos.TaskID{
			Value: proto.String(fmt.Sprintf("%d-%s", i, strings.Repeat("x", 200))),
		}})
	}
	before := memory(t, c.masterProcess.PID())
	refused := (*mesosclient.Refused)(nil)
	var err error
	for n := 0; refused == nil; n++ {
		if _, err = slow.Say(t.Context(), ask); err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		if n > 200 {
			t.Fatal("a scheduler that reads nothing is not cut off")
		}
	}
	if refused.Status != http.StatusForbidden {
		t.Errorf("cut off with %v", refused)
	}
	if grown := memory(t, c.masterProcess.PID()) - before; grown > 512<<20 {
		t.Errorf("the master grew by %d MB", grown>>20)
	}
	wide(t, conn)
	// What it reads now breaks off. It is told of no ERROR, after which it would
	// not come back.
	for err = nil; err == nil; {
		var record []byte
		last := &scheduler.Event{}
		if record, err = records.Next(); err != nil {
			break
		}
		if err := (mesosclient.JSON{}).Unmarshal(record, last); err != nil || last.GetType() == scheduler.Event_ERROR {
			t.Fatalf("%v: %.200s", err, record)
		}
	}
	if errors.Is(err, io.EOF) {
		t.Error("a stream that was cut off ended in order")
	}
	f.unharmed(c)
	f.teardown()
}

// wide has a connection read fast at last what was kept for it.
func wide(t *testing.T, conn *mesosclient.Raw) {
	t.Helper()
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
}

// memory is what a process holds of the machine's, in bytes.
func memory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no size in %s", status)
	}
	kilobytes, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// Thousands of connections that say nothing, or not all that they should, or
// are subscriptions, are only that.
func TestThousandsOfConnections(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	before := memory(t, c.masterProcess.PID())
	const each = 1000
	for range each {
		dial(t, c.master, 0)
	}
	for range each {
		if err := dial(t, c.master, 0).Say("POST /api/v1/scheduler HTTP/1.1\r\nHost: c\r\nContent-Type: "); err != nil {
			t.Fatal(err)
		}
	}
	for range each {
		if err := dial(t, c.master, 0).Say(mesosclient.Head("POST", mesosclient.SchedulerPath, "Content-Type: application/json", "Content-Length: 100") + "{"); err != nil {
			t.Fatal(err)
		}
	}
	f.unharmed(c)
	grown := memory(t, c.masterProcess.PID()) - before
	t.Logf("%d connections cost %d KB each", 3*each, grown/3/each>>10)
	if grown > 3*each*(100<<10) {
		t.Errorf("%d connections cost %d MB", 3*each, grown>>20)
	}
	f.teardown()
}

// Hundreds of schedulers at once are subscribed, and gone when they go.
func TestHundredsOfSubscriptions(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	const many = 300
	info := describe("one of many")
	info.FailoverTimeout = proto.Float64(0)
	body := encoded(t, mesosclient.JSON{}, subscription(info))
	conns := make([]*mesosclient.Raw, many)
	for i := range conns {
		conns[i] = dial(t, c.master, 0)
		if err := conns[i].Say(post(body)); err != nil {
			t.Fatal(err)
		}
	}
	for _, conn := range conns {
		response, err := conn.Response()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", response, err)
		}
		if _, err := mesosclient.NewRecords(response.Body).Next(); err != nil {
			t.Fatal(err)
		}
	}
	for _, conn := range conns {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f.unharmed(c)
	f.teardown()
}

// One connection may carry many requests, sent before the first is answered;
// the answers come in order.
func TestRequestsInARow(t *testing.T) {
	c := newCluster(t)
	f := bystander(t, c)
	conn := dial(t, c.master, 0)
	call := encoded(t, f.Encoding, f.withID(revive()))
	request := func(body string) string { return post(body, mesosclient.StreamID+": "+f.ID) }
	if err := conn.Say(request(call) + request("{}") + request(call)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{202, 400, 202} {
		if a, err := conn.Answer(); err != nil || a.Status != want {
			t.Errorf("answer %d: %v, %v, want %d", i, a, err, want)
		}
	}
	f.teardown()
}
