package slave

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"troupe/messages/cluster"
	mesosjson "troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
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
		Containers: containers.Handler(o.sys, o.sys.PID(Name), 0), Others: containers.List(o.sys, o.sys.PID(Name)),
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
		{400, "uris", call("LAUNCH_NESTED_CONTAINER_SESSION", id(o.root, "a"), `, "command": {"value": "true", "uris": [{"value": "http://x/y"}]}`)},
		{400, "image", call("LAUNCH_CONTAINER", id(o.root, "a"), shell("true")+`, "container": {"type": "MESOS", "mesos": {"image": {"type": "DOCKER", "docker": {"name": "x"}}}}`)},
		{400, "nosuchprogram", call("LAUNCH_CONTAINER", id(o.root, "a"), `, "command": {"shell": false, "value": "nosuchprogram"}`)},
		{404, "", call("WAIT_CONTAINER", id("nobody"), "")},
		{404, "", call("KILL_CONTAINER", id("nobody"), "")},
		{400, "signal", call("KILL_CONTAINER", id(o.root), `, "signal": 0`)},
		{404, "", call("ATTACH_CONTAINER_OUTPUT", id(o.root, "a"), "")},
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
