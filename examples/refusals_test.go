package examples

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/messages/mesos"
)

// TestWhatCannotRunSaysWhy: every task that cannot be run has one end, which
// names the cause, and the cluster goes on.
func TestWhatCannotRunSaysWhy(t *testing.T) {
	custom := func(x *mesos.ExecutorInfo) *mesos.ExecutorInfo {
		x.Type = mesos.ExecutorInfo_CUSTOM.Enum()
		return x
	}
	want := map[string]string{
		"no-program":  "no-such-program",
		"no-user":     "no-such-user",
		"no-executor": "no-such-executor",
		"no-exec":     "/etc/passwd",
		"bad-limits":  "TASK_ERROR",
		"shell":       "exited with status 127",
		"good":        "",
	}
	list := []*frameworks.Task{
		{ID: "no-program", Args: []string{"no-such-program"}},
		{ID: "no-user", Command: "true", User: "no-such-user"},
		{ID: "no-executor", Executor: custom(&mesos.ExecutorInfo{Command: &mesos.CommandInfo{
			Shell: proto.Bool(false), Value: proto.String("no-such-executor"),
		}})},
		{ID: "no-exec", Args: []string{"/etc/passwd"}},
		{ID: "bad-limits", Command: "true", Edit: func(i *mesos.TaskInfo) {
			i.Limits = map[string]*mesos.Value_Scalar{"disk": {Value: proto.Float64(1)}}
		}},
		{ID: "shell", Command: "no-such-command"},
		{ID: "good", Command: "true"},
	}
	var ends []frameworks.Progress
	tasks := frameworks.NewTasks(func(p frameworks.Progress) {
		if p.Final {
			ends = append(ends, p)
		}
	})
	tasks.Add(list...)
	tasks.Close()
	if err := run(t, frameworks.Options{Master: cluster(t), Name: "refusals"}, tasks); err != nil {
		t.Fatal(err)
	}
	if len(ends) != len(list) {
		t.Errorf("%d ends of %d tasks", len(ends), len(list))
	}
	for _, p := range ends {
		text := ""
		if err := p.Failure(); err != nil {
			text = err.Error()
		}
		if why := want[p.Task.ID]; !strings.Contains(text, why) || (why == "") != (text == "") {
			t.Errorf("%s: %q, want %q", p.Task.ID, text, why)
		}
	}
}

func TestClusterThatIsNotThere(t *testing.T) {
	out, code := example(t, "hello", "-master=nowhere")
	if code != 1 || !strings.Contains(out, `master.masters[0]: "nowhere": is not host:port`) {
		t.Errorf("exit status %d: %s", code, out)
	}
}

// What cannot be is said before a cluster is asked for anything.
func TestFlagsThatCannotBe(t *testing.T) {
	for _, c := range []struct{ example, flags, want string }{
		{"crawler", "nowhere", `parse "nowhere"`},
		{"crawler", "-pages=0 http://127.0.0.1/", "-pages=0: must be at least 1"},
		{"mapreduce", "-parts=0 x", "a part of the result"},
		{"mapreduce", "-parts=1", "there must be a file"},
		{"redis", "-members=-1", "-members=-1: must be from 1 to 100"},
		{"redis", "-members=1000000000", "must be from 1 to 100"},
	} {
		out, code := example(t, c.example, strings.Fields(c.flags)...)
		if code != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%s %s: exit status %d: %s", c.example, c.flags, code, out)
		}
	}
}
