package slave

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/recordio"
)

// piece is a record of output, as JSON has it.
type piece struct {
	Type string
	Data struct {
		Type string
		Data []byte
	}
}

// output collects what a stream carries, by its kind.
func output(t *testing.T, body io.Reader) map[string]string {
	t.Helper()
	got := map[string]string{}
	for in := recordio.NewReader(body, 1<<20); ; {
		record, err := in.Next()
		if err == io.EOF { //nolint:errorlint // as the contract of Reader has it
			return got
		}
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		var p piece
		if err := json.Unmarshal(record, &p); err != nil {
			t.Fatal(err)
		}
		got[p.Data.Type] += string(p.Data.Data)
	}
}

// TestSession runs a command below a task, in the task's own sandbox.
func TestSession(t *testing.T) {
	o := newOperated(t)
	defer o.shutdown(t)
	answer := o.open(t.Context(), strings.NewReader(call("LAUNCH_NESTED_CONTAINER_SESSION", id(o.root, "s"),
		shell("pwd; echo $MESOS_FRAMEWORK_ID >&2; head -c 1000000 /dev/zero; exit 5"))))
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s %v", answer.Status, answer.Header)
	}
	got := output(t, answer.Body)
	sandbox := o.events.sandbox("T")
	if !strings.HasPrefix(got["STDOUT"], sandbox+"\n\x00") || len(got["STDOUT"]) != len(sandbox)+1+1000000 || got["STDERR"] != "F\n" {
		t.Errorf("%d bytes of output, %q", len(got["STDOUT"]), got["STDERR"])
	}
	o.want(200, `"exit_status":1280`, call("WAIT_CONTAINER", id(o.root, "s"), ""))
	o.want(400, "s", call("LAUNCH_NESTED_CONTAINER", id(o.root, "s", "below"), shell("true")))
}

// TestSessionEndsWithItsConnection, and with a client that does not read.
func TestSessionEndsWithItsConnection(t *testing.T) {
	o := newOperated(t)
	defer o.shutdown(t)
	ctx, leave := context.WithCancel(t.Context())
	o.open(ctx, strings.NewReader(call("LAUNCH_NESTED_CONTAINER_SESSION", id(o.root, "s"), shell("yes"))),
		"Accept", "application/recordio", "Message-Accept", "application/x-protobuf")
	leave()
	o.want(200, `"exit_status":`, call("WAIT_CONTAINER", id(o.root, "s"), ""))
}

// records are what a request that streams sends.
func records(list ...string) io.Reader {
	var all []byte
	for _, r := range list {
		all = recordio.Append(all, []byte(r))
	}
	return bytes.NewReader(all)
}

func inputTo(id string) string {
	return fmt.Sprintf(`{"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": {"type": "CONTAINER_ID", "container_id": %s}}`, id)
}

func processIO(io string) string {
	return `{"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": {"type": "PROCESS_IO", "process_io": ` + io + `}}`
}

func stdin(text string) string {
	encoded, err := json.Marshal([]byte(text))
	if err != nil {
		panic(err) // bytes are always JSON
	}
	return processIO(`{"type": "DATA", "data": {"type": "STDIN", "data": ` + string(encoded) + `}}`)
}

var asRecords = []string{"Content-Type", "application/recordio", "Message-Content-Type", "application/json"}

func TestInput(t *testing.T) {
	o := newOperated(t)
	defer o.shutdown(t)
	s := id(o.root, "s")
	session := o.open(t.Context(), strings.NewReader(call("LAUNCH_NESTED_CONTAINER_SESSION", s, shell("read line; echo got $line; cat"))))
	half, feed := io.Pipe()
	first := make(chan int, 1)
	go func() { first <- o.open(t.Context(), half, asRecords...).StatusCode }()
	if _, err := io.Copy(feed, records(inputTo(s), stdin("a line\n"))); err != nil {
		t.Fatal(err)
	}
	in := recordio.NewReader(session.Body, 1<<20)
	if record, err := in.Next(); err != nil || !bytes.Contains(record, []byte("STDOUT")) {
		t.Errorf("%s, %v", record, err)
	}
	second := o.open(t.Context(), records(inputTo(s), stdin("mine")), asRecords...)
	if second.StatusCode != http.StatusConflict {
		t.Errorf("a second input: %s", second.Status)
	}
	big := strings.Repeat("0123456789abcdef", 20000)
	if _, err := io.Copy(feed, records(stdin(big), processIO(`{"type": "CONTROL", "control": {"type": "HEARTBEAT", "heartbeat": {"interval": {"nanoseconds": 30000000000}}}}`), stdin(""))); err != nil {
		t.Fatal(err)
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-first; got != 200 {
		t.Errorf("the input: %d", got)
	}
	var got int
	for {
		record, err := in.Next()
		if err != nil {
			break
		}
		var p piece
		if err := json.Unmarshal(record, &p); err != nil {
			t.Fatal(err)
		}
		got += len(p.Data.Data)
	}
	if got != len(big) {
		t.Errorf("%d bytes came back, not %d", got, len(big))
	}
	for _, bad := range []string{processIO(`{"type": "DATA", "data": {"type": "STDOUT", "data": ""}}`), inputTo(s), "{"} {
		x := id(o.root, "bad")
		bystander := o.open(t.Context(), strings.NewReader(call("LAUNCH_NESTED_CONTAINER_SESSION", x, shell("cat"))))
		if got := o.open(t.Context(), records(inputTo(x), bad), asRecords...); got.StatusCode != 400 {
			t.Errorf("%s: %s", bad, got.Status)
		}
		bystander.Body.Close() // it ends
		o.want(200, "", call("WAIT_CONTAINER", x, ""))
		o.want(200, "", call("REMOVE_CONTAINER", x, ""))
	}
}

// TestTerminal has a container with a terminal, which several look at.
func TestTerminal(t *testing.T) {
	o := newOperated(t)
	defer o.shutdown(t)
	x := id(o.root, "x")
	o.want(200, "", call("LAUNCH_CONTAINER", x, shell("read line; stty size; echo $line; test -t 0 && echo terminal")+
		`, "container": {"type": "MESOS", "tty_info": {"window_size": {"rows": 10, "columns": 20}}}`))
	looks := []*http.Response{}
	for range 2 {
		looks = append(looks, o.open(t.Context(), strings.NewReader(call("ATTACH_CONTAINER_OUTPUT", x, ""))))
	}
	resize := processIO(`{"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": {"window_size": {"rows": 33, "columns": 44}}}}`)
	if got := o.open(t.Context(), records(inputTo(x), resize, stdin("words\n")), asRecords...); got.StatusCode != 200 {
		t.Errorf("the input: %s", got.Status)
	}
	for _, look := range looks {
		got := output(t, look.Body)["STDOUT"]
		for _, want := range []string{"33 44", "words", "terminal"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		}
	}
	o.want(200, `"exit_status":0`, call("WAIT_CONTAINER", x, ""))
	kept, err := os.ReadFile(filepath.Join(o.events.sandbox("T"), "containers", "x", "stdout"))
	if err != nil || !strings.Contains(string(kept), "33 44") {
		t.Errorf("kept: %q (%v)", kept, err)
	}
}

// podResources are the least that an executor of task groups may have.
func podResources() []*mesos.Resource {
	list := []*mesos.Resource{}
	for name, value := range map[string]float64{"cpus": 0.1, "mem": 32, "disk": 10} {
		list = append(list, &mesos.Resource{
			Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value},
			AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("*")},
		})
	}
	return list
}

// TestSessionBelowTaskOfGroup runs a command beside one task of a pod.
func TestSessionBelowTaskOfGroup(t *testing.T) {
	master, dir := newMaster(t), t.TempDir()
	o := startOperated(t, master, dir, "127.0.0.1:0")
	defer o.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	one := runTask("one", "exec sleep 1000")
	master.send(&cluster.RunTaskGroup{
		Framework: one.GetFramework(), TaskGroup: &mesos.TaskGroupInfo{Tasks: []*mesos.TaskInfo{one.GetTask()}},
		Executor: &mesos.ExecutorInfo{
			Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("pod")},
			FrameworkId: one.GetFramework().GetId(), Resources: podResources(),
		},
	})
	own := master.awaitState(t, "one", mesos.TaskState_TASK_RUNNING).GetContainerStatus().GetContainerId()
	task := []string{own.GetParent().GetValue(), own.GetValue()}
	answer := o.open(t.Context(), strings.NewReader(call("LAUNCH_NESTED_CONTAINER_SESSION", id(append(task, "s")...), shell("pwd; exec sleep 1000"))))
	in := recordio.NewReader(answer.Body, 1<<20)
	record, err := in.Next()
	var p piece
	if err == nil {
		err = json.Unmarshal(record, &p)
	}
	if want := filepath.Join(o.events.sandbox("pod"), "containers", own.GetValue()) + "\n"; err != nil || string(p.Data.Data) != want {
		t.Errorf("it said %q (%v), want %q", p.Data.Data, err, want)
	}
	o.want(200, "", call("KILL_CONTAINER", id(task...), "")) // what is below it ends
	master.awaitState(t, "one", mesos.TaskState_TASK_FAILED)
	if _, err := in.Next(); err != io.EOF { //nolint:errorlint // as the contract of Reader has it
		t.Errorf("the stream ends with %v", err)
	}
}
