package isolation

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/container/fetcher"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/isolator/logs"
)

func TestExpand(t *testing.T) {
	for value, want := range map[string]string{
		"":                                "filesystem/posix environment_secret",
		"posix/cpu,posix/mem":             "filesystem/posix environment_secret posix/cpu posix/mem",
		"process":                         "filesystem/posix environment_secret posix/cpu posix/mem",
		"network/cni, posix/disk":         "filesystem/posix environment_secret disk/du",
		"cgroups":                         "filesystem/posix environment_secret cgroups/cpu cgroups/mem cgroups/kill",
		"cgroups/mem,cgroups/cpu":         "filesystem/posix environment_secret cgroups/cpu cgroups/mem cgroups/kill",
		"namespaces/pid,filesystem/linux": "filesystem/linux volume/persistent volume/sandbox_path volume/host_path environment_secret namespaces/pid",
		"filesystem/shared":               "filesystem/shared environment_secret",
		"volume/sandbox_path":             "filesystem/posix environment_secret",
	} {
		got, err := Expand(value, cgroups.Settings{})
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v, want %s", value, got, err, want)
		}
	}
}

// TestExpandRefuses with what is wrong and what to do.
func TestExpandRefuses(t *testing.T) {
	for value, want := range map[string]string{
		"posix/cpu,posix/cpu":                   "names posix/cpu twice: leave one out",
		"cgroups,cgroups/mem":                   "names cgroups/mem twice",
		"magic":                                 `names "magic", which is no isolator; there are`,
		"cgroups/kill":                          `names "cgroups/kill", which is no isolator`,
		"cgroups/net_prio":                      "names cgroups/net_prio, which is not here: containers share the network",
		"network/ports":                         "names network/ports, which is not here",
		"docker/runtime":                        "there are no images here: leave it out",
		"docker/volume":                         "or name volume/host_path",
		"windows/cpu":                           "it is for Windows",
		"linux/devices":                         "cgroups/devices holds containers to their devices: name that instead",
		"filesystem/shared,volume/sandbox_path": "names filesystem/shared and volume/sandbox_path: a relative host_path would mean two things, leave one out",
		"filesystem/posix,filesystem/shared":    "names filesystem/posix and filesystem/shared: a container has one file system",
		"volume/host_path":                      "names volume/host_path, which needs filesystem/linux: name that too",
		"disk/du,disk/xfs":                      "names disk/du and disk/xfs",
	} {
		if got, err := Expand(value, cgroups.Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %s", value, got, err, want)
		}
	}
}

// TestEverything is what this machine has, each of which can be made.
func TestEverything(t *testing.T) {
	groups := Cgroups{Hierarchy: "/sys/fs/cgroup", Root: "troupe-test-all"}
	names, err := Expand(everyCgroup, groups.settings())
	if err != nil || !slices.Contains(names, "cgroups/mem") || !slices.Contains(names, killing) || slices.Contains(names, everyCgroup) {
		t.Fatalf("%v, %v", names, err)
	}
	if _, err := Expand(everyCgroup+",cgroups/mem", groups.settings()); err == nil || !strings.Contains(err.Error(), "leave one out") {
		t.Errorf("twice: %v", err)
	}
}

func TestConfining(t *testing.T) {
	for value, want := range map[string]string{"process,disk/du": "", "posix/rlimits": "posix/rlimits", "process,linux/nnp": "linux/nnp"} {
		names, err := Expand(value, cgroups.Settings{})
		if got := Confining(names); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", value, got, err, want)
		}
	}
}

// TestSettingsTravel whole, and what nobody knows is refused.
func TestSettingsTravel(t *testing.T) {
	s := Default(fetcher.Settings{CacheDir: "/c", CacheSize: 7})
	s.Cgroups = Cgroups{Root: "r", Quota: true, MaxPIDs: 9, DestroyTimeout: time.Second, Devices: new(Devices)}
	s.Cgroups.Devices.AllowedDevices = []*mesos.DeviceAccess{{
		Device: &mesos.Device{Path: proto.String("/dev/null")}, Access: &mesos.DeviceAccess_Access{Read: proto.Bool(true)},
	}}
	s.Security.Effective = new(Capabilities)
	s.Security.Effective.Capabilities = []mesos.CapabilityInfo_Capability{mesos.CapabilityInfo_NET_RAW}
	s.WorkDir = "/w"
	s.Rotate(logs.Settings{StdoutSize: 1 << 20, StderrSize: 1 << 20, Keep: 1})
	text, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var one, other any
	if err := json.Unmarshal(text, &one); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &other); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one, other) || len(back.Cgroups.Devices.GetAllowedDevices()) != 1 || !slices.Contains(back.Names, rotation) {
		t.Errorf("%s became %s", text, again)
	}
	for _, bad := range []string{"{", `{"magic": true}`, `{} {}`, "[]"} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	if _, err := Parse(nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
}

func TestSetOfNamesThatNobodyKnows(t *testing.T) {
	if _, err := (Settings{Names: []string{"magic"}}).Set(nil); err == nil || !strings.Contains(err.Error(), `"magic" is not known`) {
		t.Errorf("error is %v", err)
	}
	set, err := Default(fetcher.Settings{}).Set(nil)
	if err != nil || !slices.Equal(set.Names(), Default(fetcher.Settings{}).Names) {
		t.Errorf("%v, %v", set, err)
	}
	if err := set.Kill(context.Background(), nil); err != nil {
		t.Errorf("nothing can kill here: %v", err)
	}
}

func TestAmounts(t *testing.T) {
	a := AmountsOf(&cluster.ContainerAmounts{
		Cpus: proto.Float64(1.5), CpusLimit: proto.Float64(2), Mem: proto.Float64(64), MemLimit: proto.Float64(128), Disk: proto.Float64(-1), Gpus: proto.Int32(1),
	})
	if a.CPUs != 1.5 || *a.CPULimit != 2 || a.Mem != 64<<20 || *a.MemLimit != 128<<20 || a.Disk != 0 || a.GPUs != 1 {
		t.Errorf("%+v", a)
	}
	if a := AmountsOf(nil); a.CPULimit != nil || a.Mem != 0 {
		t.Errorf("of nothing: %+v", a)
	}
}

// FuzzParse: what is taken can be written, and taken again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"names":["posix/cpu"],"cgroups":{"root":"mesos","devices":{"allowed_devices":[]}},"security":{"effective":{"capabilities":["NET_RAW"]}}}`))
	f.Add([]byte(`{"logs":{"keep":3}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}

// FuzzExpand: a list has each name once, in the order of the table, and means the
// same when it is given again.
func FuzzExpand(f *testing.F) {
	f.Add("cgroups,namespaces/pid,filesystem/linux")
	f.Add("process, ,posix/disk")
	f.Fuzz(func(t *testing.T, value string) {
		if strings.Contains(value, everyCgroup) {
			return // which depends on the machine
		}
		names, err := Expand(value, cgroups.Settings{})
		if err != nil {
			return
		}
		at := -1
		for _, name := range names {
			i := slices.IndexFunc(table, func(r row) bool { return r.name == name })
			if i <= at {
				t.Errorf("%q: %s is out of order in %v", value, name, names)
			}
			at = i
		}
	})
}
