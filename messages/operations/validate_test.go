package operations_test

import (
	"strings"
	"testing"

	"troupe/messages/mesos"
	"troupe/messages/operations"
)

// everything is what an agent of today can do.
var everything = []mesos.AgentInfo_Capability_Type{
	mesos.AgentInfo_Capability_HIERARCHICAL_ROLE, mesos.AgentInfo_Capability_RESERVATION_REFINEMENT, mesos.AgentInfo_Capability_RESIZE_VOLUME,
}

func framework(can ...mesos.FrameworkInfo_Capability_Type) *mesos.FrameworkInfo {
	info := &mesos.FrameworkInfo{User: new("nobody"), Name: new("test")}
	for _, c := range can {
		info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
	}
	return info
}

func TestValidate(t *testing.T) {
	refining := framework(mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT)
	sharing := framework(mesos.FrameworkInfo_Capability_SHARED_RESOURCES)
	for _, c := range []struct {
		op   string
		who  *mesos.FrameworkInfo
		role string
		lack mesos.AgentInfo_Capability_Type
		want string
	}{
		{op: "RESERVE cpus(web) 1", who: framework(), role: "web"},
		{op: "RESERVE cpus(web) 1"},
		{op: "RESERVE cpus(web) 1", who: framework(), role: "ads", want: `reserve.resources[0].reservations.role: "web": is not the role of the offers, "ads"`},
		{op: "RESERVE cpus(=eng,eng/a) 1", who: refining, role: "eng/a"},
		{op: "RESERVE cpus(=eng,eng/a) 1", who: framework(), role: "eng/a", want: `reserve.resources[0].reservations: "eng/a": refines a reservation, which needs a framework with RESERVATION_REFINEMENT`},
		{
			op: "RESERVE cpus(=eng,eng/a) 1", lack: mesos.AgentInfo_Capability_RESERVATION_REFINEMENT,
			want: `reserve.resources[0].reservations: "eng/a": refines a reservation, which needs an agent with RESERVATION_REFINEMENT`,
		},
		{
			op: "RESERVE cpus(eng/a) 1", lack: mesos.AgentInfo_Capability_HIERARCHICAL_ROLE,
			want: `reserve.resources[0].reservations: "eng/a": needs an agent with HIERARCHICAL_ROLE`,
		},
		{op: "RESERVE cpus(web) 1 -> cpus(ads) 1"},
		{op: "RESERVE cpus(web) 1 -> cpus(ads) 1", who: framework(), role: "ads", want: `reserve.source: must not be set by a framework`},
		{op: "UNRESERVE cpus(web) 1", who: framework(), role: "web"},
		{op: "CREATE disk[new](web) 1", who: framework(), role: "web"},
		{op: "CREATE disk[old](web) 1", want: `create.volumes[0].disk.persistence.id: "old": is a volume of role "web" there already`},
		{op: "CREATE disk[old](ads) 1"},
		{op: "CREATE disk[new,shared](web) 1", who: framework(), role: "web", want: `create.volumes[0].shared: needs a framework with SHARED_RESOURCES`},
		{op: "CREATE disk[new,shared](web) 1", who: sharing, role: "web"},
		{op: "CREATE disk[new,shared](web) 1"},
		{op: "DESTROY disk[old](web) 5"},
		{op: "DESTROY disk[old](web) 6", want: `destroy.volumes[0].disk.persistence.id: "old": is not a volume there`},
		{op: "DESTROY disk[busy,shared](web) 5", want: `destroy.volumes[0].disk.persistence.id: "busy": is in use`},
		{op: "GROW_VOLUME disk[old](web) 5; disk(web) 1", who: framework(), role: "web"},
		{
			op: "GROW_VOLUME disk[old](web) 5; disk(web) 1", lack: mesos.AgentInfo_Capability_RESIZE_VOLUME,
			want: `grow_volume.volume: needs an agent with RESIZE_VOLUME`,
		},
		{op: "SHRINK_VOLUME disk[old](web) 5; 1", lack: mesos.AgentInfo_Capability_RESIZE_VOLUME, want: `shrink_volume.volume: needs an agent with RESIZE_VOLUME`},
		{op: "SHRINK_VOLUME disk[old](web) 5; 5", want: `shrink_volume.subtract.value: 5: must be below the size of the volume, 5`},
	} {
		t.Run(c.op, func(t *testing.T) {
			about := operations.Case{
				Framework: c.who, Role: c.role,
				Total: sum(t, "cpus 4; disk(web) 10; disk[old](web) 5; disk[busy,shared](web) 5"), Used: sum(t, "disk[busy,shared](web) 5"),
			}
			for _, can := range everything {
				if can != c.lack {
					about.Agent = append(about.Agent, can)
				}
			}
			expect(t, operations.Validate(operation(t, c.op), about), c.want)
		})
	}
}

func expect(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestPrincipals: who is known by name makes nothing in another's name.
func TestPrincipals(t *testing.T) {
	for _, name := range []string{"RESERVE cpus(web) 1", "CREATE disk[v](web) 1"} {
		op := operation(t, name)
		var named **string
		path := "reserve.resources[0].reservations.principal"
		if op.Reserve != nil {
			named = &op.Reserve.Resources[0].Reservations[0].Principal
		} else {
			named = &op.Create.Volumes[0].Disk.Persistence.Principal
			path = "create.volumes[0].disk.persistence.principal"
		}
		who := operations.Case{Principal: "ops", Agent: everything}
		expect(t, operations.Validate(op, who), path+`: must be set to the principal of whoever asks, "ops"`)
		*named = new("web")
		expect(t, operations.Validate(op, who), path+`: "web": is not the principal of whoever asks, "ops"`)
		expect(t, operations.Validate(op, operations.Case{Agent: everything}), "")
		*named = new("ops")
		expect(t, operations.Validate(op, who), "")
	}
}

// TestAllocation: frameworks change what was offered to one of their roles,
// operators what nobody was given.
func TestAllocation(t *testing.T) {
	op := operation(t, "RESERVE cpus(web) 1")
	op.Reserve.Resources[0].AllocationInfo = &mesos.Resource_AllocationInfo{Role: new("web")}
	expect(t, operations.Validate(op, operations.Case{Framework: framework(), Role: "web", Agent: everything}), "")
	expect(t, operations.Validate(op, operations.Case{Agent: everything}), `reserve.resources[0].allocation_info.role: "web": must not be set by an operator`)
	op.Reserve.Resources[0].AllocationInfo.Role = new("ads")
	expect(t, operations.Validate(op, operations.Case{Framework: framework(), Role: "web", Agent: everything}),
		`reserve.resources[0].allocation_info.role: "ads": is not the role of the offers, "web"`)
	got, err := operations.Apply(op, sum(t, "cpus 1"))
	if err != nil || !got.Equal(sum(t, "cpus(web) 1")) {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestRestore(t *testing.T) {
	for _, c := range []struct{ configured, checkpointed, want string }{
		{"cpus 4; disk(=web) 100", "", "cpus 4; disk(=web) 100"},
		{"cpus 4", "cpus(web) 1; cpus(web,web/a) 1", "cpus 2; cpus(web) 1; cpus(web,web/a) 1"},
		{"disk(=web) 100", "disk[v](=web) 30; disk(=web,web/a) 10", "disk(=web) 60; disk[v](=web) 30; disk(=web,web/a) 10"},
		{"disk[MOUNT=/m] 100", "disk[MOUNT=/m,v](web) 100", "disk[MOUNT=/m,v](web) 100"},
		{"disk 100", "disk[v,shared](web) 30", "disk 70; disk[v,shared](web) 30"},
	} {
		got, err := operations.Restore(sum(t, c.configured), sum(t, c.checkpointed))
		if err != nil || !got.Equal(sum(t, c.want)) {
			t.Errorf("%s with %s: %s, %v", c.configured, c.checkpointed, got, err)
		}
		if back := operations.Checkpointed(got); !back.Equal(sum(t, c.checkpointed)) {
			t.Errorf("%s has %s to checkpoint", got, back)
		}
	}
	_, err := operations.Restore(sum(t, "cpus 4"), sum(t, "cpus(web) 3; cpus(ads) 3"))
	if err == nil || !strings.Contains(err.Error(), "is not contained in") {
		t.Errorf("got %v", err)
	}
	_, err = operations.Restore(sum(t, "cpus(=web) 4"), sum(t, "cpus(=web) 3"))
	expect(t, err, `cpus: "cpus(web):3": is neither reserved dynamically nor a volume`)
}
