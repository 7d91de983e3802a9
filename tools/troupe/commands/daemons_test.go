package commands

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"troupe/actors"
	"troupe/actors/inspect"
)

// given parses flags as a command does.
func given(t *testing.T, add func(*pflag.FlagSet), args ...string) {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	add(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
}

// What daemons are told wrongly ends them before they begin, with status 2 and
// the name of the flag.
func TestDaemonsRefuseWhatCannotBe(t *testing.T) {
	dir := t.TempDir()
	for line, want := range map[string]string{
		"master":                                                                     `--work_dir is required`,
		"master --work_dir=D --registry=stone":                                       `--registry="stone"`,
		"master --work_dir=D --ip=here":                                              `--ip="here" is no IP address`,
		"master --work_dir=D --advertise_ip=there":                                   `--advertise_ip="there" is no IP address`,
		"master --work_dir=D --advertise_port=-1":                                    `--advertise_port="-1" is no port`,
		"master --work_dir=D --agent_ping_timeout=1hrs":                              `--agent_ping_timeout="1hrs" is not between`,
		"master --work_dir=D --max_agent_ping_timeouts=0":                            `--max_agent_ping_timeouts="0" is below 1`,
		"master --work_dir=D --registry_gc_interval=0s":                              `--registry_gc_interval=".*" is not above 0`,
		"master --work_dir=D --offer_timeout=-1secs":                                 `--offer_timeout=".*" is negative`,
		"master --work_dir=D --roles=a,/b":                                           `--roles="a,/b"`,
		"master --work_dir=D --min_allocatable_resources=x":                          `--min_allocatable_resources="x"`,
		"master --work_dir=D --role_sorter=fair":                                     `--role_sorter="fair"`,
		"master --work_dir=D --framework_sorter=priority":                            `--framework_sorter="priority" is none of drf, random`,
		"master --work_dir=D --allocator=x":                                          `--allocator="x" is neither`,
		"master --work_dir=D --allocator=a@h:1#u":                                    `--allocator="a@h:1#u" names one start`,
		"master --work_dir=D --tls_key=k":                                            `go together`,
		"master --work_dir=D what":                                                   `too many arguments: "what"`,
		"agent --work_dir=D":                                                         `--master is required`,
		"agent --master=m:1":                                                         `--work_dir is required`,
		"agent --master=m:1 --work_dir=D --port=65536":                               `--port="65536" is no port`,
		"agent --master=m:1 --work_dir=D --recover=perhaps":                          `--recover="perhaps"`,
		"agent --master=m:1 --work_dir=D --reconfiguration_policy=x":                 `--reconfiguration_policy="x"`,
		"agent --master=m:1 --work_dir=D --containers_per_host=0":                    `--containers_per_host="0" is below 1`,
		"agent --master=m:1 --work_dir=D --gc_disk_headroom=NaN":                     `--gc_disk_headroom="NaN" is not between`,
		"agent --master=m:1 --work_dir=D --executor_reregistration_timeout=1mins":    `is above 15secs`,
		"service --master=m:1 --store=D/s --access_control_allow_origin=ops":         `--access_control_allow_origin="ops" has an origin "ops"`,
		"agent --master=m:1 --work_dir=D --registration_backoff_factor=0s":           `--registration_backoff_factor=".*" is not above 0`,
		`agent --master=m:1 --work_dir=D --executor_environment_variables={"=":"x"}`: `is no variable`,
		"local --agents=-1":                                                          `--agents="-1" is below 0`,
		"executor-host":                                                              `--agent is required`,
		"executor-host --agent=a:1":                                                  `--host_id is required`,
		"simulate --seeds=0":                                                         `--seeds="0" is below 1`,
		"simulate --duration=0s":                                                     `--duration=".*" is not above 0`,
		"bogus":                                                                      `there is no command "troupe bogus"`,
		"agents --bogus":                                                             `bogus`,
	} {
		args := strings.Fields(strings.ReplaceAll(line, "=D", "="+dir))
		code, out, stderr := typed(t, args...)
		if code != usage || out != "" || !regexp.MustCompile(want).MatchString(stderr) || !strings.Contains(stderr, "--help'") {
			t.Errorf("troupe %s: %d %s%s, want %q", line, code, out, stderr, want)
		}
	}
}

// Where an agent's masters are may be anything; what is wrong with it is named,
// without its password.
func TestAgentsMaster(t *testing.T) {
	dir := t.TempDir()
	for where, want := range map[string]string{
		"nowhere":                 `--master="nowhere": masters\[0\]`,
		"zk://me:secret@z1:2181/": `--master="zk://me:\*\*\*@z1:2181/": path`,
		"m1:1,m1:1":               `listed twice`,
	} {
		code, _, stderr := typed(t, "agent", "--port=0", "--work_dir="+dir, "--master="+where)
		if code != usage || !regexp.MustCompile(want).MatchString(stderr) || strings.Contains(stderr, "secret") {
			t.Errorf("--master=%s: %d %s", where, code, stderr)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestFlagsBecomeOptions(t *testing.T) {
	a := new(agentFlags)
	given(t, a.add, "--master=m:1", "--work_dir=/w", "--ip=0.0.0.0", "--advertise_ip=10.0.0.9", "--hostname=nine",
		"--gc_delay=1hrs", "--registration_backoff_factor=3secs", "--attributes=rack:r1")
	o, err := a.options()
	if err != nil {
		t.Fatal(err)
	}
	if o.Master != "m:1" || o.Network.AdvertiseIP != "10.0.0.9" || o.Network.Hostname != "nine" || o.Collect.Delay != time.Hour ||
		o.Config.RegistrationBackoff != 3*time.Second || o.Attributes != "rack:r1" || !o.Config.SwitchUser {
		t.Errorf("%+v", o)
	}
	m := new(masterFlags)
	given(t, m.add, "--work_dir=/w", "--cluster=c", "--agent_ping_timeout=2secs", "--roles=a, b", "--no_root_submissions=true")
	n, err := m.options()
	if err != nil {
		t.Fatal(err)
	}
	if n.WorkDir != "/w" || n.Cluster != "c" || n.PingTimeout != 2*time.Second || len(n.Config.Roles) != 2 || !n.Config.RefuseRoot {
		t.Errorf("%+v", n)
	}
}

// Flags are shown on a page; passwords and what may hold secrets are not.
func TestFlagsThatAreShown(t *testing.T) {
	a := new(agentFlags)
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	a.add(set)
	if err := set.Parse([]string{"--master=zk://me:secret@z1:2181/m", `--executor_environment_variables={"TOKEN":"secret"}`}); err != nil {
		t.Fatal(err)
	}
	all := values(set)
	if all["master"] != "zk://me:***@z1:2181/m" || all["port"] != "5051" {
		t.Errorf("%v", all)
	}
	for name, value := range all {
		if strings.Contains(value, "secret") {
			t.Errorf("--%s shows %q", name, value)
		}
	}
}

func TestActorsOfADaemon(t *testing.T) {
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if err := inspect.Mount(sys, inspect.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Spawn("clerk", idle{}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--master=" + sys.Address()}, {"--address=" + sys.Address()}} {
		code, out, stderr := typed(t, append([]string{"actors"}, args...)...)
		if code != 0 || !regexp.MustCompile(`(?m)^clerk +0 +`).MatchString(out) || stderr != "" {
			t.Errorf("actors %v: %d %s%s", args, code, out, stderr)
		}
	}
	if code, out, _ := typed(t, "actors", "--json", "--address="+sys.Address()); code != 0 || !strings.Contains(out, `"clerk"`) {
		t.Errorf("actors --json: %d %s", code, out)
	}
}

type idle struct{}

func (idle) Init(*actors.Context) {}

func TestSimulateShowsItsRuns(t *testing.T) {
	code, out, stderr := typed(t, "simulate", "--seeds=2", "--agents=2", "--tasks=2", "--frameworks=1", "--duration=1secs")
	if code != 0 || strings.Count(out, "seed ") < 2 || stderr != "" {
		t.Errorf("%d %s%s", code, out, stderr)
	}
	if code, _, stderr := typed(t, "simulate", "--scenario="+filepath.Join(t.TempDir(), "none")); code != usage || !strings.Contains(stderr, "none") {
		t.Errorf("%d %s", code, stderr)
	}
}

func TestVersion(t *testing.T) {
	if code, out, _ := typed(t, "version"); code != 0 || !strings.Contains(out, Version+" (APIs of Mesos "+MesosVersion+")") {
		t.Errorf("%d %s", code, out)
	}
}
