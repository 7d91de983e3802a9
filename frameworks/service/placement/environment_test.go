package placement

import (
	"reflect"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

// texts are the variables of a task, in order.
func texts(t *mesos.TaskInfo) []string {
	var list []string
	for _, v := range t.GetCommand().GetEnvironment().GetVariables() {
		value := v.GetValue()
		if v.GetType() == mesos.Environment_Variable_SECRET {
			value = "secret " + v.GetSecret().GetReference().GetName()
		}
		list = append(list, v.GetName()+"="+value)
	}
	return list
}

func TestEnvironment(t *testing.T) {
	a := web()
	a.Resources.Disk = 10.5
	a.Labels = map[string]string{"HAPROXY_GROUP": "external", "some.label": "a b", "long": strings.Repeat("x", 513), "edge": strings.Repeat("y", 512)}
	a.Process.Env = map[string]app.Value{"PORT1": {Text: "mine"}, "PW": {Secret: "db"}, "A": {Text: "1"}}
	a.Process.Secrets = map[string]string{"db": "prod/db"}
	p := place(t, prepare(t, a, Settings{}), open(t, offer("cpus:1;mem:64;disk:11;ports:[31000-31001]")), attempt("prod_web.1"))
	want := []string{
		"MARATHON_APP_ID=/prod/web", "MARATHON_APP_VERSION=1970-01-01T00:00:00.001Z",
		"MARATHON_APP_RESOURCE_CPUS=0.5", "MARATHON_APP_RESOURCE_MEM=64.0", "MARATHON_APP_RESOURCE_DISK=10.5", "MARATHON_APP_RESOURCE_GPUS=0",
		"MARATHON_APP_LABELS=EDGE HAPROXY_GROUP SOME_LABEL",
		"MARATHON_APP_LABEL_EDGE=" + strings.Repeat("y", 512), "MARATHON_APP_LABEL_HAPROXY_GROUP=external", "MARATHON_APP_LABEL_SOME_LABEL=a b",
		"MESOS_TASK_ID=prod_web.1", "HOST=node1",
		"PORT0=31000", "PORT_10000=31000", "PORT_HTTP=31000", "PORT_10001=31001", "PORT=31000", "PORTS=31000,31001",
		"A=1", "PORT1=mine", "PW=secret prod/db",
	}
	if got := texts(p.Task); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEnvironmentOfContainers(t *testing.T) {
	zero, fixed := 0, 31002
	a := web()
	a.Ports = nil
	a.Process.Command = ""
	a.Networks = []app.Network{{Mode: app.ModeBridge}}
	a.Container = &app.Container{Type: app.Docker, Image: &app.Image{Name: "nginx"}, Mappings: []app.Mapping{
		{ContainerPort: 80, HostPort: &zero, ServicePort: 10000, Protocol: "tcp", Name: "http-api"},
		{ContainerPort: 0, HostPort: &fixed, ServicePort: 10001, Protocol: "udp,tcp"},
		{ContainerPort: 0, ServicePort: 10002, Protocol: "tcp"},
	}}
	p := place(t, prepare(t, a, Settings{EnvPrefix: "MY_"}), open(t, offer("cpus:1;mem:64;ports:[31000-31002]")), attempt("prod_web.1"))
	if want := []int{31000, 31002, 0}; !reflect.DeepEqual(p.Ports, want) {
		t.Errorf("host ports %v, want %v", p.Ports, want)
	}
	if got, want := Listening(a, p.Ports), []int{80, 31002, 10002}; !reflect.DeepEqual(got, want) {
		t.Errorf("listens on %v, want %v", got, want)
	}
	got := texts(p.Task)
	want := []string{
		"MARATHON_APP_LABELS=", "MESOS_TASK_ID=prod_web.1", "HOST=node1",
		"MY_PORT0=80", "MY_PORT_80=80", "MY_PORT_HTTP_API=80", "MY_PORT1=31002", "MY_PORT2=10002", "MY_PORT=80", "MY_PORTS=80,31002,10002",
	}
	if len(got) < len(want) || !reflect.DeepEqual(got[len(got)-len(want):], want) {
		t.Errorf("got\n%s\nwant at its end\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(strings.Join(got, "\n"), "\nMARATHON_APP_DOCKER_IMAGE=nginx\n") {
		t.Error(got)
	}
}

// A variable that two ports give has the value of the later one, and is there once.
func TestVariablesAreThereOnce(t *testing.T) {
	a := web()
	a.Ports = []app.Port{{Number: 80, Protocol: "tcp"}, {Number: 81, Protocol: "tcp", Name: "80"}}
	p := place(t, prepare(t, a, Settings{}), open(t, offer("cpus:1;mem:64;ports:[31000-31001]")), attempt("prod_web.1"))
	seen := map[string]int{}
	for _, text := range texts(p.Task) {
		name, value, _ := strings.Cut(text, "=")
		if seen[name]++; seen[name] > 1 {
			t.Errorf("%s is there twice", name)
		}
		if name == "PORT_80" && value != "31001" {
			t.Error(text)
		}
	}
	if seen["PORT_80"] != 1 {
		t.Error(seen)
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"a-b.c": "A_B_C", "X9": "X9", "é": "_", "": ""} {
		if got := envName(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	for in, want := range map[float64]string{1: "1.0", 0.1: "0.1", 1e12: "1000000000000.0", 0: "0.0"} {
		if got := decimal(in); got != want {
			t.Errorf("%v became %q, want %q", in, got, want)
		}
	}
	if got := quote("it's"); got != `'it'\''s'` {
		t.Error(got)
	}
}
