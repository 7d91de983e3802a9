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
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	mesosjson "troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/recordio"
	"troupe/slave/api"
	"troupe/slave/api/containers"
	"troupe/slave/state/view"
)

// operated is an agent with its operator API, and a command task that runs.
type operated struct {
	t      *testing.T
	master *fakeMaster
	*testAgent
	dir  string
	root string // the container of the task
}

func startOperated(t *testing.T, f *fakeMaster, dir, listen string) *operated {
	t.Helper()
	v := api.NewView(view.Limits{}, func(agent string) string { return filepath.Join(dir, "slaves", agent) })
	o := &operated{t: t, master: f, dir: dir}
	o.testAgent = startAgent(t, f, dir, listen, func(o *Options) { o.Publisher = tee{o.Publisher, v} })
	api.Mount(o.sys, v, api.Info{
		Containers: containers.Handler(o.sys, o.sys.PID(Name)), Others: containers.List(o.sys, o.sys.PID(Name)),
	})
	return o
}

func newOperated(t *testing.T) *operated {
	t.Helper()
	master := newMaster(t)
	o := startOperated(t, master, t.TempDir(), "127.0.0.1:0")
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	master.run("T", "sleep 1000")
	st := master.awaitState(t, "T", mesos.TaskState_TASK_RUNNING)
	o.root = st.GetContainerStatus().GetContainerId().GetValue()
	return o
}

// id is a container's, with its parents before it.
func id(parts ...string) string {
	text := ""
	for i, p := range parts {
		if i == 0 {
			text = fmt.Sprintf(`{"value": %q}`, p)
		} else {
			text = fmt.Sprintf(`{"value": %q, "parent": %s}`, p, text)
		}
	}
	return text
}

// call is a JSON call with a part that has the container's id and what is given.
func call(kind, id, more string) string {
	return fmt.Sprintf(`{"type": %q, %q: {"container_id": %s%s}}`, kind, strings.ToLower(kind), id, more)
}

func shell(command string) string { return fmt.Sprintf(`, "command": {"value": %q}`, command) }

func (o *operated) open(ctx context.Context, body io.Reader, header ...string) *http.Response {
	o.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+o.sys.Address()+"/api/v1", body)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { answer.Body.Close() }) // read to its end, or cut off on purpose
	return answer
}

func (o *operated) post(body string) (int, string) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), patience)
	defer cancel()
	answer := o.open(ctx, strings.NewReader(body))
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (o *operated) want(status int, says, body string) {
	o.t.Helper()
	if got, text := o.post(body); got != status || !strings.Contains(text, says) {
		o.t.Errorf("%s\n  %d %q, want %d and %q", body, got, text, status, says)
	}
}

func TestNestedContainers(t *testing.T) {
	o := newOperated(t)
	defer o.shutdown(t)
	a := id(o.root, "a")
	o.want(200, "", call("LAUNCH_NESTED_CONTAINER", a, shell("pwd; echo $MESOS_SANDBOX; exec sleep 1000")))
	o.want(202, "", call("LAUNCH_CONTAINER", a, shell("true")))
	o.want(500, "has not ended", call("REMOVE_CONTAINER", a, ""))
	for part, shown := range map[string]string{`"show_nested": true`: "[T T:a]", `"show_standalone": true`: "[T]", `"show_nested": true, "show_standalone": true`: "[T T:a]"} {
		if got := fmt.Sprint(o.shown(part)); got != shown {
			t.Errorf("%s: %s", part, got)
		}
	}
	o.want(200, "", call("LAUNCH_CONTAINER", id(o.root, "a", "deeper"), shell("exec sleep 1000")))
	o.want(200, "", call("LAUNCH_CONTAINER", id(o.root, "b"), shell("exit 3")))
	o.want(200, `"exit_status":768`, call("WAIT_CONTAINER", id(o.root, "b"), ""))
	o.want(200, `"exit_status":768`, call("WAIT_NESTED_CONTAINER", id(o.root, "b"), ""))
	o.want(404, "does not run", call("KILL_CONTAINER", id(o.root, "b"), ""))
	o.want(200, "", call("REMOVE_CONTAINER", id(o.root, "b"), ""))
	o.want(200, "", call("REMOVE_CONTAINER", id(o.root, "b"), ""))
	o.want(404, "cannot be found", call("WAIT_CONTAINER", id(o.root, "b"), ""))

	sandbox := filepath.Join(o.events.sandbox("T"), "containers", "a")
	o.untilSaid(filepath.Join(sandbox, "stdout"), sandbox+"\n"+sandbox+"\n")
	o.want(200, "", call("KILL_NESTED_CONTAINER", a, `, "signal": 15`))
	o.want(200, `"exit_status":15`, call("WAIT_CONTAINER", a, ""))
	o.want(200, `"exit_status":9`, call("WAIT_CONTAINER", id(o.root, "a", "deeper"), "")) // with its parent
	o.want(200, "", call("REMOVE_NESTED_CONTAINER", a, ""))
	if _, err := os.Stat(sandbox); !os.IsNotExist(err) {
		t.Errorf("the sandbox is left: %v", err)
	}
	o.want(200, "", call("LAUNCH_CONTAINER", a, shell("exec sleep 1000"))) // anew
	waits := make(chan string, 1)
	go func() {
		status, text := o.post(call("WAIT_CONTAINER", a, ""))
		waits <- fmt.Sprint(status, text)
	}()
	o.master.kill("F", "T")
	o.master.awaitState(t, "T", mesos.TaskState_TASK_KILLED)
	if got := <-waits; !strings.Contains(got, `"exit_status":9`) && !strings.Contains(got, "404") {
		t.Errorf("the container that was waited for: %s", got)
	}
	o.want(404, "", call("WAIT_CONTAINER", a, ""))
}

// shown lists what GET_CONTAINERS shows: EXECUTOR:CONTAINER, or EXECUTOR for its own.
func (o *operated) shown(flags string) []string {
	o.t.Helper()
	status, text := o.post(`{"type": "GET_CONTAINERS", "get_containers": {` + flags + `}}`)
	response := new(agent.Response)
	if err := mesosjson.Unmarshal([]byte(text), response); err != nil || status != 200 {
		o.t.Fatalf("%d %s (%v)", status, text, err)
	}
	var list []string
	for _, c := range response.GetGetContainers().GetContainers() {
		name := c.GetExecutorId().GetValue()
		if c.GetContainerId().Parent != nil || name == "" {
			name += ":" + c.GetContainerId().GetValue()
		}
		list = append(list, name)
	}
	return list
}

// untilSaid waits until a file has some content, which may take the program a
// while.
func (o *operated) untilSaid(path, want string) {
	o.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(patience); ; <-tick.C {
		said, err := os.ReadFile(path)
		if string(said) == want {
			return
		}
		if time.Now().After(late) {
			o.t.Fatalf("%s has %q (%v), want %q", path, said, err, want)
		}
	}
}

func TestContainerCallsRefused(t *testing.T) {
	o := newOperated(t)
	defer o.shutdown(t)
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		status     int
		says, body string
	}{
		{400, "container_id", call("LAUNCH_CONTAINER", id(o.root, "a/b"), shell("true"))},
		{400, "container_id", call("LAUNCH_CONTAINER", id(o.root, ".."), shell("true"))},
		{400, "container_id", call("LAUNCH_CONTAINER", id(o.root, "a.b"), shell("true"))},
		{400, "container_id", call("LAUNCH_CONTAINER", id(long), shell("true"))},
		{400, "242", call("LAUNCH_CONTAINER", id(o.root, long[:230]), shell("true"))},
		{400, "parent", call("LAUNCH_NESTED_CONTAINER", id("alone"), shell("true"))},
		{400, "parent", call("LAUNCH_CONTAINER", id(o.root, "nobody", "a"), shell("true"))},
		{400, "no container", call("LAUNCH_CONTAINER", id("nobody", "a"), shell("true"))},
		{400, "command.value", call("LAUNCH_CONTAINER", id(o.root, "a"), "")},
		{400, "uris", call("LAUNCH_CONTAINER", id(o.root, "a"), `, "command": {"value": "true", "uris": [{"value": "http://x/y"}]}`)},
		{400, "image", call("LAUNCH_CONTAINER", id(o.root, "a"), shell("true")+`, "container": {"type": "MESOS", "mesos": {"image": {"type": "DOCKER", "docker": {"name": "x"}}}}`)},
		{400, "nosuchprogram", call("LAUNCH_CONTAINER", id(o.root, "a"), `, "command": {"shell": false, "value": "nosuchprogram"}`)},
		{404, "", call("WAIT_CONTAINER", id("nobody"), "")},
		{404, "", call("KILL_CONTAINER", id("nobody"), "")},
		{400, "signal", call("KILL_CONTAINER", id(o.root), `, "signal": 0`)},
		{404, "", call("ATTACH_CONTAINER_OUTPUT", id(o.root, "a"), "")},
		{400, "in files", call("ATTACH_CONTAINER_OUTPUT", id(o.root), "")},
		{200, "", call("REMOVE_CONTAINER", id("nobody"), "")},
		{500, "", call("REMOVE_CONTAINER", id("nobody", "a"), "")},
		{500, "executor's", call("REMOVE_CONTAINER", id(o.root), "")},
	} {
		o.want(c.status, c.says, c.body)
	}
}

// TestStandaloneContainers belong to nobody, and outlive the agent's process.
func TestStandaloneContainers(t *testing.T) {
	master, dir := newMaster(t), t.TempDir()
	o := startOperated(t, master, dir, "127.0.0.1:0")
	address := o.sys.Address()
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	o.want(200, "", call("LAUNCH_CONTAINER", id("lone"), shell("while ! test -f end; do sleep 0.01; done; exit 4")))
	o.want(202, "", call("LAUNCH_CONTAINER", id("lone"), shell("true")))
	o.want(200, "", call("LAUNCH_CONTAINER", id("lone", "below"), shell("exec sleep 1000")))
	for part, shown := range map[string]string{`"show_nested": true`: "[]", `"show_standalone": true`: "[:lone]", `"show_nested": true, "show_standalone": true`: "[:lone :below]"} {
		if got := fmt.Sprint(o.shown(part)); got != shown {
			t.Errorf("%s: %s", part, got)
		}
	}
	o.leave(t)

	o = startOperated(t, master, dir, address)
	defer o.shutdown(t)
	o.until(202, call("LAUNCH_CONTAINER", id("lone"), shell("true")))
	o.want(202, "", call("LAUNCH_CONTAINER", id("lone", "below"), shell("true")))
	sandbox := filepath.Join(dir, "containers", "lone")
	if err := os.WriteFile(filepath.Join(sandbox, "end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.want(200, `"exit_status":1024`, call("WAIT_CONTAINER", id("lone"), ""))
	o.want(200, `"exit_status":9`, call("WAIT_CONTAINER", id("lone", "below"), ""))
	o.want(200, "", call("REMOVE_CONTAINER", id("lone"), ""))
	o.want(404, "", call("WAIT_CONTAINER", id("lone"), ""))
	if _, err := os.Stat(sandbox); !os.IsNotExist(err) {
		t.Errorf("the sandbox is left: %v", err)
	}
	o.want(200, "", call("LAUNCH_CONTAINER", id("another"), shell("sleep 1000"))) // ends with the agent
}

// until repeats a call that is answered by 503 while the agent looks for its hosts.
func (o *operated) until(status int, body string) {
	o.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(patience); ; <-tick.C {
		got, text := o.post(body)
		if got == status {
			return
		}
		if got != 503 || time.Now().After(late) {
			o.t.Fatalf("%s: %d %s", body, got, text)
		}
	}
}

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
	if _, err := io.Copy(feed, records(stdin(big), processIO(`{"type": "CONTROL", "control": {"type": "HEARTBEAT"}}`), stdin(""))); err != nil {
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
