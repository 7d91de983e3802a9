package check

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

func agentInfo(t *testing.T, hostname string, port int32, has, attributes string) *mesos.AgentInfo {
	t.Helper()
	r, err := resources.Parse(has, "*")
	if err != nil {
		t.Fatal(err)
	}
	a, err := resources.ParseAttributes(attributes)
	if err != nil {
		t.Fatal(err)
	}
	return &mesos.AgentInfo{Hostname: &hostname, Port: &port, Resources: r.Proto(), Attributes: a}
}

func TestReconfigured(t *testing.T) {
	before := func() *mesos.AgentInfo {
		return agentInfo(t, "h", 5051, "cpus:4;mem:1024;ports:[100-200];zone:{a,b}", "rack:r1;gen:2;vlan:[1-5]")
	}
	for _, c := range []struct {
		name            string
		now             *mesos.AgentInfo
		equal, additive string // the error; "" is none
	}{
		{"nothing", before(), "", ""},
		{
			"order", agentInfo(t, "h", 5051, "zone:{b,a};ports:[100-200];mem:1024;cpus:4", "vlan:[1-5];gen:2;rack:r1"), "", "",
		},
		{
			"more of each", agentInfo(t, "h", 5051, "cpus:8;mem:1024;ports:[100-300];zone:{a,b,c};gpus:1", "rack:r1;gen:3;vlan:[1-9];os:linux"),
			`resource cpus was cpus:4 and is cpus:8; resource gpus was none and is gpus:1; resource ports was ports:[100-200] and is ports:[100-300]; ` +
				`resource zone was zone:{a, b} and is zone:{a, b, c}; attribute gen was "2" and is "3"; attribute vlan was "[1-5]" and is "[1-9]"; ` +
				`attribute os was none and is "linux"`, "",
		},
		{
			"less", agentInfo(t, "h", 5051, "cpus:3.5;ports:[100-150];zone:{a};mem:1024", "rack:r1;gen:1;vlan:[2-5]"),
			`resource cpus was cpus:4 and is cpus:3.5; resource ports was ports:[100-200] and is ports:[100-150]; resource zone was zone:{a, b} and is zone:{a}; ` +
				`attribute gen was "2" and is "1"; attribute vlan was "[1-5]" and is "[2-5]"`,
			`resource cpus was cpus:4 and is cpus:3.5; resource ports was ports:[100-200] and is ports:[100-150]; resource zone was zone:{a, b} and is zone:{a}; ` +
				`attribute gen was "2" and is "1"; attribute vlan was "[1-5]" and is "[2-5]"`,
		},
		{
			"others", agentInfo(t, "h2", 5052, "cpus:4;mem(ads):1024;ports:[100-200];zone:{a,b}", "rack:r2;vlan:[1-5]"),
			`hostname was h and is h2; port was 5051 and is 5052; resource mem was mem:1024 and is mem(ads):1024; ` +
				`attribute rack was "r1" and is "r2"; attribute gen was "2" and is none`,
			`hostname was h and is h2; port was 5051 and is 5052; resource mem was mem:1024 and is mem(ads):1024; ` +
				`attribute rack was "r1" and is "r2"; attribute gen was "2" and is none`,
		},
		{
			"another kind", agentInfo(t, "h", 5051, "cpus:4;mem:1024;ports:[100-200];zone:3", "rack:r1;gen:x;vlan:[1-5]"),
			`resource zone was zone:{a, b} and is zone:3; attribute gen was "2" and is "x"`,
			`resource zone was zone:{a, b} and is zone:3; attribute gen was "2" and is "x"`,
		},
	} {
		for additive, want := range map[bool]string{false: c.equal, true: c.additive} {
			got := ""
			if err := Reconfigured(before(), c.now, additive); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s, additive %v:\n got %s\nwant %s", c.name, additive, got, want)
			}
		}
	}
}

// TestReconfiguredFromNonsense: a journal may say anything.
func TestReconfiguredFromNonsense(t *testing.T) {
	bad := &mesos.AgentInfo{Resources: []*mesos.Resource{{Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum()}}}
	if err := Reconfigured(bad, &mesos.AgentInfo{}, true); err == nil {
		t.Error("resources without an amount are taken for the same")
	}
}

// TestMoved: an agent may say where it stands when it did not; it does not
// move.
func TestMoved(t *testing.T) {
	at := func(region string) *mesos.AgentInfo {
		info := agentInfo(t, "h", 5051, "cpus:4", "")
		if region != "" {
			info.Domain = &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
				Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: &region}, Zone: &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: new("z")},
			}}
		}
		return info
	}
	for _, c := range []struct {
		before, now string
		additive    bool
		want        string
	}{
		{"", "r", true, ""},
		{"r", "r", false, ""},
		{"", "r", false, "domain was none and is r/z"},
		{"r", "", true, "domain was r/z and is none"},
		{"r", "s", true, "domain was r/z and is s/z"},
	} {
		got := ""
		if err := Reconfigured(at(c.before), at(c.now), c.additive); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("from %q to %q: got %s, want %s", c.before, c.now, got, c.want)
		}
	}
}
