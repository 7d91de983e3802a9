package placement

import (
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

const plenty = "cpus:8;mem:4096;disk:1024;gpus:2;ports:[31000-31009]"

// launched is the task of an app on an offer that has plenty, without what is the
// same for all apps.
func launched(t *testing.T, edit func(*app.App)) *mesos.TaskInfo {
	t.Helper()
	a := web()
	edit(a)
	task := proto.CloneOf(place(t, prepare(t, a, Settings{}), open(t, offer(plenty)), attempt("prod_web.1")).Task)
	for _, c := range []*mesos.CommandInfo{task.GetCommand(), task.GetExecutor().GetCommand()} {
		if c != nil && c.Environment == nil {
			t.Error("no environment")
		} else if c != nil {
			c.Environment = nil
		}
	}
	return task
}

// same compares a part of a task with its text form.
func same[M proto.Message](t *testing.T, got M, want string) {
	t.Helper()
	m := got.ProtoReflect().New().Interface()
	if err := prototext.Unmarshal([]byte(want), m); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, m) {
		t.Errorf("got\n%s\nwant\n%s", prototext.Format(got), prototext.Format(m))
	}
}

func TestCommand(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*app.App)
		want string
	}{
		"shell": {func(*app.App) {}, `value: "run"`},
		"user":  {func(a *app.App) { a.Process.User = "nobody" }, `value: "run" user: "nobody"`},
		"args": {
			func(a *app.App) { a.Process.Command, a.Process.Args = "", []string{"/bin/x", "-v"} },
			`shell: false value: "/bin/x" arguments: ["/bin/x", "-v"]`,
		},
		"args of an image": {func(a *app.App) {
			a.Process.Command, a.Process.Args = "", []string{"-v"}
			a.Container = &app.Container{Type: app.Docker, Image: &app.Image{Name: "x"}}
		}, `shell: false arguments: ["-v"]`},
		"what the image does": {func(a *app.App) {
			a.Process.Command = ""
			a.Container = &app.Container{Type: app.Mesos, Image: &app.Image{Name: "x"}}
		}, `shell: false`},
		"fetch": {func(a *app.App) {
			a.Process.Fetch = []app.Artifact{{URI: "http://x/a.tgz", Extract: true}, {URI: "http://x/b", Executable: true, Cache: true, Path: "c/d"}}
		}, `value: "run" uris: {value: "http://x/a.tgz" extract: true executable: false cache: false}
			uris: {value: "http://x/b" extract: false executable: true cache: true output_file: "c/d"}`},
	} {
		t.Run(name, func(t *testing.T) { same(t, launched(t, c.edit).GetCommand(), c.want) })
	}
}

func TestCustomExecutor(t *testing.T) {
	task := launched(t, func(a *app.App) {
		a.Process = app.Process{Executor: "/opt/it's", Args: []string{"a b", "c"}, User: "nobody"}
		a.Resources.Executor = &app.ExecutorShares{CPUs: 0.1, Mem: 32, Disk: 10}
	})
	if task.Command != nil || task.Container != nil {
		t.Error(task)
	}
	x := task.GetExecutor()
	same(t, x.GetCommand(), `user: "nobody" value: "chmod ug+rx '/opt/it'\\''s' && exec '/opt/it'\\''s' 'a b' 'c'"`)
	if x.GetExecutorId().GetValue() != "marathon-prod_web.1" || x.GetFrameworkId().GetValue() != "F1" || len(x.GetResources()) != 3 {
		t.Error(x)
	}
	if len(task.GetResources()) != 3 {
		t.Error(task.GetResources())
	}
	if builtIn := launched(t, func(a *app.App) { a.Process.Executor = "//cmd" }); builtIn.Executor != nil {
		t.Error(builtIn)
	}
}

func TestContainer(t *testing.T) {
	bridge := []app.Network{{Mode: app.ModeBridge}}
	named := []app.Network{{Mode: app.ModeContainer, Name: "blue", Labels: map[string]string{"a": "b"}}}
	mapped := []app.Mapping{
		{ContainerPort: 80, HostPort: new(0), ServicePort: 1, Protocol: "udp,tcp"},
		{ContainerPort: 81, ServicePort: 2, Protocol: "tcp"},
	}
	of := func(c app.Container, networks []app.Network) func(*app.App) {
		return func(a *app.App) {
			if a.Container = &c; networks != nil {
				a.Networks, a.Ports = networks, nil
			}
		}
	}
	for name, c := range map[string]struct {
		edit func(*app.App)
		want string
	}{
		"docker on the host": {of(app.Container{Type: app.Docker, Image: &app.Image{
			Name: "x", ForcePull: true, Privileged: true, Parameters: []app.Parameter{{Key: "a", Value: "b"}},
		}}, nil), `type: DOCKER docker: {image: "x" network: HOST force_pull_image: true privileged: true parameters: {key: "a" value: "b"}}`},
		"docker on a bridge": {
			of(app.Container{Type: app.Docker, Image: &app.Image{Name: "x"}, Mappings: mapped}, bridge),
			`type: DOCKER docker: {image: "x" network: BRIDGE force_pull_image: false privileged: false
				port_mappings: {host_port: 31000 container_port: 80 protocol: "udp"} port_mappings: {host_port: 31000 container_port: 80 protocol: "tcp"}}`,
		},
		"docker on a network": {
			of(app.Container{Type: app.Docker, Image: &app.Image{Name: "x"}}, named),
			`type: DOCKER docker: {image: "x" network: USER force_pull_image: false privileged: false}
				network_infos: {name: "blue" labels: {labels: {key: "a" value: "b"}}}`,
		},
		"mesos on a bridge": {
			of(app.Container{Type: app.Mesos, Mappings: mapped}, bridge),
			`type: MESOS mesos: {} network_infos: {name: "mesos-bridge"
				port_mappings: {host_port: 31000 container_port: 80 protocol: "udp"} port_mappings: {host_port: 31000 container_port: 80 protocol: "tcp"}}`,
		},
		"two networks": {
			of(app.Container{Type: app.Mesos, Mappings: []app.Mapping{
				{ContainerPort: 80, HostPort: new(31005), Protocol: "tcp", Networks: []string{"red"}},
			}}, []app.Network{{Mode: app.ModeContainer, Name: "blue"}, {Mode: app.ModeContainer, Name: "red"}}),
			`type: MESOS mesos: {} network_infos: {name: "blue"}
				network_infos: {name: "red" port_mappings: {host_port: 31005 container_port: 80 protocol: "tcp"}}`,
		},
		"a network without a container": {
			func(a *app.App) { a.Networks, a.Ports = named, nil },
			`type: MESOS mesos: {} network_infos: {name: "blue" labels: {labels: {key: "a" value: "b"}}}`,
		},
		"a terminal": {func(a *app.App) { a.Process.TTY = new(true) }, `type: MESOS mesos: {} tty_info: {}`},
		"image": {
			of(app.Container{Type: app.Mesos, Image: &app.Image{Name: "x", ForcePull: true, PullSecret: "s"}}, nil),
			`type: MESOS mesos: {image: {type: DOCKER cached: false docker: {name: "x" config: {type: REFERENCE reference: {name: "src"}}}}}`,
		},
		"linux": {of(app.Container{Type: app.Mesos, Linux: &app.Linux{
			Seccomp: &app.Seccomp{Profile: "p"}, IPC: &app.IPC{Mode: "PRIVATE", ShmSize: 16},
		}}, nil), `type: MESOS mesos: {} linux_info: {seccomp: {profile_name: "p"} ipc_mode: PRIVATE shm_size: 16}`},
		"unconfined": {of(app.Container{Type: app.Mesos, Linux: &app.Linux{
			Seccomp: &app.Seccomp{Unconfined: true}, IPC: &app.IPC{Mode: "SHARE_PARENT"},
		}}, nil), `type: MESOS mesos: {} linux_info: {seccomp: {unconfined: true} ipc_mode: SHARE_PARENT}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := launched(t, func(a *app.App) {
				a.Process.Secrets = map[string]string{"s": "src"}
				c.edit(a)
			})
			same(t, got.GetContainer(), c.want)
		})
	}
	if got := launched(t, func(*app.App) {}); got.Container != nil {
		t.Error(got)
	}
}

func TestVolumes(t *testing.T) {
	got := launched(t, func(a *app.App) {
		a.Process.Secrets = map[string]string{"s": "src"}
		a.Container = &app.Container{Type: app.Mesos, Volumes: []app.Volume{
			{Path: "/a", Host: "/h", Mode: app.ReadOnly},
			{Path: "b", Secret: "s"},
			{Path: "/c", Mode: app.ReadWrite, External: &app.External{Name: "v", Provider: "dvdi", Options: map[string]string{"dvdi/driver": "rexray", "x": "y"}}},
			{Path: "/d", Mode: app.ReadWrite, External: &app.External{
				Name: "w", Provider: "csi", Options: map[string]string{"pluginName": "p", "accessMode": "MULTI_NODE_READER_ONLY", "fsType": "xfs"},
			}},
		}}
	})
	same(t, got.GetContainer(), `type: MESOS mesos: {}
		volumes: {container_path: "/a" mode: RO host_path: "/h"}
		volumes: {container_path: "b" mode: RO source: {type: SECRET secret: {type: REFERENCE reference: {name: "src"}}}}
		volumes: {container_path: "/c" mode: RW source: {type: DOCKER_VOLUME docker_volume: {
			driver: "rexray" name: "v" driver_options: {parameter: {key: "x" value: "y"}}}}}
		volumes: {container_path: "/d" mode: RW source: {type: CSI_VOLUME csi_volume: {plugin_name: "p" static_provisioning: {
			volume_id: "w" volume_capability: {mount: {fs_type: "xfs"} access_mode: {mode: MULTI_NODE_READER_ONLY}}}}}}`)
}

func TestHealthChecks(t *testing.T) {
	times := app.HealthCheck{
		Grace: 300 * time.Second, Interval: 60 * time.Second, Timeout: 20 * time.Second, Delay: 15 * time.Second, MaxFailures: 3, IPProtocol: "IPv4",
	}
	const said = ` grace_period_seconds: 300 interval_seconds: 60 timeout_seconds: 20 delay_seconds: 15 consecutive_failures: 3`
	for name, c := range map[string]struct {
		edit func(*app.HealthCheck)
		want string
	}{
		app.MesosHTTP: {
			func(h *app.HealthCheck) { h.PortIndex = new(1) },
			`type: HTTP http: {port: 31001 protocol: IPv4 scheme: "http" path: "/"}` + said,
		},
		app.MesosHTTPS: {
			func(h *app.HealthCheck) { h.Port, h.Path, h.IPProtocol = new(99), "/p?q", "IPv6" },
			`type: HTTP http: {port: 99 protocol: IPv6 scheme: "https" path: "/p?q"}` + said,
		},
		app.MesosTCP: {func(h *app.HealthCheck) { h.PortIndex = new(0) }, `type: TCP tcp: {port: 31000 protocol: IPv4}` + said},
		app.Command:  {func(h *app.HealthCheck) { h.Command = "true" }, `type: COMMAND command: {value: "true"}` + said},
	} {
		t.Run(name, func(t *testing.T) {
			h := times
			h.Protocol = name
			c.edit(&h)
			own := app.HealthCheck{Protocol: app.HTTP, PortIndex: new(0)} // the framework's
			same(t, launched(t, func(a *app.App) { a.Checks.Health = []app.HealthCheck{own, h} }).GetHealthCheck(), c.want)
		})
	}
	if got := launched(t, func(a *app.App) { a.Checks.Health = []app.HealthCheck{{Protocol: app.HTTP}} }); got.HealthCheck != nil {
		t.Error(got)
	}
}

func TestCheck(t *testing.T) {
	for want, c := range map[string]app.Check{
		`type: HTTP http: {port: 31000 path: "/x"}`:               {HTTP: &app.HTTPCheck{PortIndex: new(0), Path: "/x"}},
		`type: TCP tcp: {port: 7}`:                                {TCP: &app.TCPCheck{Port: new(7)}},
		`type: COMMAND command: {command: {value: "test -e up"}}`: {Command: "test -e up"},
	} {
		c.Interval, c.Timeout, c.Delay = 3*time.Second, 2*time.Second, time.Second
		same(t, launched(t, func(a *app.App) { a.Checks.Info = &c }).GetCheck(), want+` interval_seconds: 3 timeout_seconds: 2 delay_seconds: 1`)
	}
}

func TestRestOfTheTask(t *testing.T) {
	got := launched(t, func(a *app.App) {
		a.Labels = map[string]string{"b": "2", "a": "1"}
		a.Kill.Grace = new(7 * time.Second)
		a.Resources.Limits = &app.Limits{CPUs: new(math.Inf(1)), Mem: new(128.0)}
		a.Ports[0].Labels = map[string]string{"VIP_0": "/web:80"}
		a.Ports[1].Protocol = "udp,tcp"
	})
	got.Command, got.Resources = nil, nil
	same(t, got, `name: "web.prod" task_id: {value: "prod_web.1"} agent_id: {value: "S1"}
		labels: {labels: {key: "a" value: "1"} labels: {key: "b" value: "2"}}
		kill_policy: {grace_period: {nanoseconds: 7000000000}}
		limits: {key: "cpus" value: {value: inf}} limits: {key: "mem" value: {value: 128}}
		discovery: {visibility: FRAMEWORK name: "web.prod" ports: {
			ports: {number: 31000 name: "http" protocol: "tcp" labels: {labels: {key: "VIP_0" value: "/web:80"} labels: {key: "network-scope" value: "host"}}}
			ports: {number: 31001 protocol: "udp" labels: {labels: {key: "network-scope" value: "host"}}}
			ports: {number: 31001 protocol: "tcp" labels: {labels: {key: "network-scope" value: "host"}}}}}`)
}

func TestDiscoveryInContainers(t *testing.T) {
	got := launched(t, func(a *app.App) {
		a.Networks, a.Ports = []app.Network{{Mode: app.ModeContainer, Name: "blue"}}, nil
		a.Container = &app.Container{Type: app.Mesos, Mappings: []app.Mapping{
			{ContainerPort: 80, HostPort: new(0), Protocol: "tcp"}, {ContainerPort: 81, Protocol: "tcp", Networks: []string{"blue"}},
		}}
	})
	same(t, got.GetDiscovery().GetPorts(), `ports: {number: 31000 protocol: "tcp" labels: {labels: {key: "network-scope" value: "host"}}}
		ports: {number: 81 protocol: "tcp" labels: {labels: {key: "network-scope" value: "container"} labels: {key: "network-name" value: "blue"}}}`)
}
