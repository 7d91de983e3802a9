package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// What cannot work says so, with the flag and its value, and ends.
func TestFlagsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(w.dir, "file")
	if err := os.WriteFile(file, []byte("not a registry"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(w.dir, "config")
	if err := os.WriteFile(config, []byte("work_dir = /x\nprot = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	agent := func(more ...string) []string {
		return append([]string{"agent", "--port=0", "--master=127.0.0.1:1", "--work_dir=" + filepath.Join(w.dir, "agent")}, more...)
	}
	master := func(more ...string) []string {
		return append([]string{"master", "--port=0", "--registry=in_memory"}, more...)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		err  string
	}{
		"no command":            {[]string{"bogus"}, 2, `no command "troupe bogus"`},
		"unknown flag":          {master("--bogus=1"), 2, "bogus"},
		"gpus":                  {[]string{"service", "--store=/x", "--master=127.0.0.1:1", "--gpu_scheduling_behavior=x"}, 2, `--gpu_scheduling_behavior="x" is neither restricted nor unrestricted`},
		"no work_dir":           {[]string{"master"}, 2, "--work_dir is required"},
		"no master":             {[]string{"agent", "--work_dir=/x"}, 2, "--master is required"},
		"port":                  {master("--port=70000"), 2, `--port="70000" is no port`},
		"ip":                    {master("--ip=here"), 2, `--ip="here" is no IP address`},
		"registry":              {[]string{"master", "--registry=stone"}, 2, `--registry="stone"`},
		"duration":              {master("--agent_ping_timeout=soon"), 2, `agent_ping_timeout.*soon`},
		"range":                 {master("--agent_ping_timeout=1ms"), 2, `--agent_ping_timeout="1ms" is not between`},
		"minimums":              {master("--min_allocatable_resources=cpus"), 2, `--min_allocatable_resources="cpus"`},
		"level":                 {master("--logging_level=loud"), 2, `--logging_level="loud"`},
		"config":                {append(agent(), "--config="+config), 2, `config:2: .*"prot"`},
		"resources":             {agent("--resources=cpus:x"), 1, `--resources="cpus:x"`},
		"attributes":            {agent("--attributes=:"), 1, `--attributes=":"`},
		"role":                  {agent("--default_role=a b"), 2, `--default_role="a b"`},
		"headroom":              {agent("--gc_disk_headroom=2"), 2, `--gc_disk_headroom="2" is not between 0 and 1`},
		"environment":           {agent("--executor_environment_variables=[]"), 2, `--executor_environment_variables`},
		"half of TLS":           {agent("--tls_cert=/x"), 2, `--tls_cert, --tls_key and --tls_ca go together`},
		"no certificate":        {agent("--tls_cert=/x", "--tls_key=/y", "--tls_ca=/z"), 1, `--tls_cert="/x"`},
		"work_dir is a file":    {[]string{"agent", "--port=0", "--master=127.0.0.1:1", "--work_dir=" + file}, 1, `--work_dir=".*file"`},
		"work_dir below a file": {[]string{"master", "--port=0", "--work_dir=" + file + "/x"}, 1, `--work_dir=".*not a directory`},
		"log_dir is a file":     {master("--log_dir=" + file), 1, `--log_dir: .*file`},
		"task without program":  {[]string{"run"}, 2, "CMD is missing"},
		"task's resources":      {[]string{"run", "--cpus=-1", "--", "true"}, 2, `--cpus=-1`},
		"task's environment":    {[]string{"run", "--env=X", "--", "true"}, 2, `--env="X"`},
		"task file":             {[]string{"run", "--file=" + file}, 1, `--file=".*file": it is no list of tasks`},
		"nobody there":          {[]string{"run", "--master=127.0.0.1:1", "--", "true"}, 1, `127.0.0.1:1 does not answer`},
		"address":               {[]string{"agents", "--master=nowhere"}, 2, `--master="nowhere"`},
	} {
		t.Run(name, func(t *testing.T) {
			w.only(test.args...).check(t, name, test.code, "^$", test.err)
		})
	}
}

func TestPortInUse(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	want := fmt.Sprintf("--port: 127.0.0.1:%d is in use", port)
	for _, args := range [][]string{
		{"master", "--registry=in_memory"}, {"agent", "--master=127.0.0.1:1", "--work_dir=" + filepath.Join(w.dir, "a")}, {"local"},
	} {
		w.only(append(args, fmt.Sprintf("--port=%d", port))...).check(t, args[0], 1, "^$", want)
	}
}

// Agents of a local cluster take the next ports where theirs are taken.
func TestLocalPassesOverPortsInUse(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	d := w.start("local", fmt.Sprintf("--port=%d", processtest.FreePort(t)), fmt.Sprintf("--agent_port=%d", taken), "--agents=1")
	if at := d.Await(d.Out, `(?m)^agent +http://127.0.0.1:(\d+)`); at[1] == fmt.Sprint(taken) {
		t.Error("the agent is said to be at a port that is taken")
	}
	d.Signal(syscall.SIGTERM)
	d.wait().check(t, "local after SIGTERM", 0, "", "^$")
}

func TestTwoAgentsInOneFolder(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	second := w.only("agent", "--port=0", c.flags[0], "--work_dir="+filepath.Join(w.dir, "agent"))
	second.check(t, "second agent", 1, "^$", `--work_dir=".*/agent": .*(in use|another)`)
	w.do("run", "--", "echo", "still here").check(t, "run", 0, "still here", "")
	c.end()
}

func TestTwoMastersInOneFolder(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	second := w.only("master", "--port=0", "--work_dir="+filepath.Join(w.dir, "master"))
	second.check(t, "second master", 1, "^$", `--work_dir=".*/master": .*registry`)
	c.end()
}
