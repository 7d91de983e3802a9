package launch

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks/cron/plan"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// info is a job as it is launched.
func info(j plan.Job, arguments string) *mesos.TaskInfo {
	run := plan.Run{Job: j.Name, Number: 7, Due: noon, Attempt: 2, Launches: 3, Arguments: arguments, Manual: arguments != ""}
	return Info(run, &j, offer("S1", "cpus:1", "r1"), resources.MustParse("cpus:0.5;mem:10"))
}

func TestEnvironmentOfRuns(t *testing.T) {
	j := plan.Job{
		Name: "a b", CPUs: 0.5, Mem: 10, Disk: 1, About: plan.About{Owner: "ann@example.com", Tags: map[string]string{"z": "1", "a": "2"}},
		Environment: []plan.Pair{{Name: "X", Value: "1"}, {Name: "HOST", Value: "mine"}}, Command: plan.Command{Text: "true", User: "bob"},
	}
	task := info(j, "")
	var got []string
	for _, v := range task.GetCommand().GetEnvironment().GetVariables() {
		got = append(got, v.GetName()+"="+v.GetValue())
	}
	id := "ct:1772366400000:2:a b:7-3"
	want := []string{
		"X=1", "CHRONOS_JOB_NAME=a b", "CHRONOS_JOB_OWNER=ann@example.com", "CHRONOS_JOB_RUN_ATTEMPT=2", "CHRONOS_JOB_RUN_TIME=1772366400000",
		"CHRONOS_RESOURCE_CPU=0.5", "CHRONOS_RESOURCE_DISK=1", "CHRONOS_RESOURCE_MEM=10", "HOST=host-S1", "MESOS_TASK_ID=" + id, "mesos_task_id=" + id,
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment %q\nwant %q", got, want)
	}
	if task.GetTaskId().GetValue() != id || task.GetName() != "ChronosTask:a b" || task.GetCommand().GetUser() != "bob" || task.GetAgentId().GetValue() != "S1" {
		t.Errorf("%v", task)
	}
	if l := task.GetLabels().GetLabels(); len(l) != 2 || l[0].GetKey() != "a" || l[1].GetValue() != "1" {
		t.Errorf("labels %v", l)
	}
}

func TestCommands(t *testing.T) {
	for name, c := range map[string]struct {
		command   plan.Command
		arguments string
		want      string // shell or argv, and URIs
	}{
		"shell":               {plan.Command{Text: "echo $X"}, "", "sh echo $X"},
		"arguments":           {plan.Command{Text: "echo"}, "a 'b c'", "sh echo a 'b c'"},
		"ignored":             {plan.Command{Text: "echo", Arguments: []string{"x"}}, "", "sh echo"},
		"argv":                {plan.Command{Text: "/bin/echo", Exec: true, Arguments: []string{"echo", "x y"}}, "", `/bin/echo "echo" "x y"`},
		"argv alone":          {plan.Command{Exec: true, Arguments: []string{"/bin/echo", "x"}}, "", `/bin/echo "/bin/echo" "x"`},
		"program alone":       {plan.Command{Text: "/bin/true", Exec: true}, "", `/bin/true "/bin/true"`},
		"argv, arguments":     {plan.Command{Text: "/bin/echo", Exec: true, Arguments: []string{"echo"}}, "a  b", `/bin/echo "echo" "a" "b"`},
		"nothing":             {plan.Command{Exec: true}, "", ` ""`},
		"fetched":             {plan.Command{Text: "http://h/d/job.sh -v"}, "", "sh ./job.sh -v; http://h/d/job.sh"},
		"fetched, bare":       {plan.Command{Text: "https://h/job"}, "x", "sh ./job x; https://h/job"},
		"not a URI":           {plan.Command{Text: "httpd -f"}, "", "sh httpd -f"},
		"a URI further on":    {plan.Command{Text: "curl http://h/"}, "", "sh curl http://h/"},
		"by the name of FTP":  {plan.Command{Text: "ftp://h/x"}, "", "sh ./x; ftp://h/x"},
		"an executor has it":  {plan.Command{Text: "data", Executor: "./x", ExecutorFlags: "-v"}, "", "executor sh ./x -v with data"},
		"or data of its own":  {plan.Command{Text: "data", Executor: "./x", TaskInfoData: "other"}, "", "executor sh ./x with other"},
		"data of a command":   {plan.Command{Text: "x", TaskInfoData: "other"}, "", "sh x with other"},
		"arguments, executor": {plan.Command{Text: "x", Executor: "./x"}, "y", "executor sh ./x with x y"},
	} {
		task := info(plan.Job{Name: "a", Command: c.command}, c.arguments)
		if got := program(task); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// program prints what a task runs.
func program(task *mesos.TaskInfo) string {
	c, text := task.GetCommand(), ""
	if task.Executor != nil {
		c, text = task.Executor.GetCommand(), "executor "
	}
	if c.GetShell() {
		text += "sh " + c.GetValue()
	} else {
		text += c.GetValue()
		for _, a := range c.GetArguments() {
			text += ` "` + a + `"`
		}
	}
	for _, u := range c.GetUris() {
		text += "; " + u.GetValue()
		if !u.GetExecutable() || u.GetExtract() {
			text += " not to be executed"
		}
	}
	if task.Data != nil {
		text += " with " + string(task.Data)
	}
	return text
}

func TestExecutors(t *testing.T) {
	task := info(plan.Job{
		Name: "a", Command: plan.Command{Text: "x", Executor: "./x", User: "bob"}, Fetch: []plan.Fetch{{URI: "http://h/x", Executable: true, OutputFile: "o"}},
		Container: &plan.Container{Type: "MESOS"},
	}, "")
	x := task.GetExecutor()
	if task.Command != nil || x.GetExecutorId().GetValue() != task.GetTaskId().GetValue() || x.GetFrameworkId().GetValue() != "F" ||
		x.GetCommand().GetUser() != "bob" || len(x.GetCommand().GetUris()) != 1 || x.GetCommand().GetUris()[0].GetOutputFile() != "o" || x.Container == nil {
		t.Errorf("%v", x)
	}
}

func TestContainers(t *testing.T) {
	docker := container(&plan.Container{
		Type: "docker", Image: "busybox", Network: "host", ForcePull: true, Parameters: []plan.Pair{{Name: "k", Value: "v"}},
		Volumes: []plan.Volume{
			{HostPath: "/h", ContainerPath: "/c", Mode: "ro"}, {ContainerPath: "/d", ExternalName: "n", ExternalDriver: "rexray"}, {ContainerPath: "e", HostPath: "e"},
		},
	})
	want := &mesos.ContainerInfo{
		Type: mesos.ContainerInfo_DOCKER.Enum(),
		Docker: &mesos.ContainerInfo_DockerInfo{
			Image: new("busybox"), Network: mesos.ContainerInfo_DockerInfo_HOST.Enum(), ForcePullImage: new(true),
			Parameters: []*mesos.Parameter{{Key: new("k"), Value: new("v")}},
		},
		Volumes: []*mesos.Volume{
			{Mode: mesos.Volume_RO.Enum(), ContainerPath: new("/c"), HostPath: new("/h")},
			{Mode: mesos.Volume_RW.Enum(), ContainerPath: new("/d"), Source: &mesos.Volume_Source{
				Type: mesos.Volume_Source_DOCKER_VOLUME.Enum(), DockerVolume: &mesos.Volume_Source_DockerVolume{Name: new("n"), Driver: new("rexray")},
			}},
			{Mode: mesos.Volume_RW.Enum(), ContainerPath: new("e"), HostPath: new("e")},
		},
	}
	if !proto.Equal(docker, want) {
		t.Errorf("%v\nwant %v", docker, want)
	}
	ours := container(&plan.Container{Type: "MESOS", Image: "busybox", NetworkName: "n1"})
	if ours.GetMesos().GetImage().GetDocker().GetName() != "busybox" || !ours.GetMesos().GetImage().GetCached() || ours.Docker != nil ||
		ours.GetNetworkInfos()[0].GetName() != "n1" {
		t.Errorf("%v", ours)
	}
	if c := container(&plan.Container{Image: "x", Network: "elsewhere"}); c.GetType() != mesos.ContainerInfo_DOCKER || c.Docker.Network != nil {
		t.Errorf("%v", c)
	}
	if container(nil) != nil {
		t.Error("no container became one")
	}
}

// Every id of a run is one that the cluster takes.
func TestIDsAreShort(t *testing.T) {
	j := plan.Job{Name: strings.Repeat("x", 200)}
	if id := info(j, "").GetTaskId().GetValue(); len(id) > 255 {
		t.Errorf("%d bytes: %s", len(id), id)
	}
}
