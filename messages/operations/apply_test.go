package operations_test

import (
	"fmt"
	"strings"
	"testing"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// shorthand writes resources as these tests name them: beside the text form,
// "disk[PATH:/p]", "disk[vol1]", "[…]{shared}" and stacks "(eng,eng/web)",
// whose first reservation is static when it starts with '=': JSON would hide
// what each case is about.
func shorthand(t testing.TB, text string) []*mesos.Resource {
	t.Helper()
	var list []*mesos.Resource
	for item := range strings.SplitSeq(text, ";") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, one(t, item))
		}
	}
	return list
}

func one(t testing.TB, item string) *mesos.Resource {
	head, amount, _ := strings.Cut(item, " ")
	name, stack, _ := strings.Cut(head, "(")
	stack, _, _ = strings.Cut(stack, ")")
	name, disk, _ := strings.Cut(name, "[")
	nothing := amount == "0"
	if nothing {
		amount = "1"
	}
	r := resources.MustParse(name + ":" + amount).Proto()[0]
	if nothing {
		r.Scalar.Value = new(float64)
	}
	for i, role := range strings.Split(stack, ",") {
		kind := mesos.Resource_ReservationInfo_DYNAMIC
		if i == 0 && strings.HasPrefix(role, "=") {
			kind, role = mesos.Resource_ReservationInfo_STATIC, role[1:]
		}
		if role != "" {
			r.Reservations = append(r.Reservations, &mesos.Resource_ReservationInfo{Type: kind.Enum(), Role: &role})
		}
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(disk, "]"), ",") {
		addDisk(t, r, part)
	}
	return r
}

func addDisk(t testing.TB, r *mesos.Resource, part string) {
	if part == "" {
		return
	}
	if r.Disk == nil {
		r.Disk = &mesos.Resource_DiskInfo{}
	}
	kind, root, hasRoot := strings.Cut(part, "=")
	switch {
	case part == "shared":
		r.Shared = &mesos.Resource_SharedInfo{}
	case kind == "PATH" && hasRoot:
		r.Disk.Source = &mesos.Resource_DiskInfo_Source{
			Type: mesos.Resource_DiskInfo_Source_PATH.Enum(), Path: &mesos.Resource_DiskInfo_Source_Path{Root: &root},
		}
	case kind == "MOUNT" && hasRoot:
		r.Disk.Source = &mesos.Resource_DiskInfo_Source{
			Type: mesos.Resource_DiskInfo_Source_MOUNT.Enum(), Mount: &mesos.Resource_DiskInfo_Source_Mount{Root: &root},
		}
	default:
		r.Disk.Persistence = &mesos.Resource_DiskInfo_Persistence{Id: &part}
		r.Disk.Volume = &mesos.Volume{Mode: mesos.Volume_RW.Enum(), ContainerPath: new("data")}
	}
}

func sum(t testing.TB, text string) resources.Resources {
	t.Helper()
	r, err := resources.New(shorthand(t, text)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// operation reads "RESERVE cpus(web) 1; mem(web) 64", of which GROW_VOLUME has
// volume and addition, SHRINK_VOLUME "volume; NUMBER", and RESERVE its source
// before "->".
func operation(t testing.TB, text string) *mesos.Offer_Operation {
	t.Helper()
	name, rest, _ := strings.Cut(text, " ")
	op := &mesos.Offer_Operation{Type: mesos.Offer_Operation_Type(mesos.Offer_Operation_Type_value[name]).Enum()}
	switch op.GetType() {
	case mesos.Offer_Operation_RESERVE:
		op.Reserve = &mesos.Offer_Operation_Reserve{}
		if before, after, ok := strings.Cut(rest, "->"); ok {
			op.Reserve.Source, rest = shorthand(t, before), after
		}
		op.Reserve.Resources = shorthand(t, rest)
	case mesos.Offer_Operation_UNRESERVE:
		op.Unreserve = &mesos.Offer_Operation_Unreserve{Resources: shorthand(t, rest)}
	case mesos.Offer_Operation_CREATE:
		op.Create = &mesos.Offer_Operation_Create{Volumes: shorthand(t, rest)}
	case mesos.Offer_Operation_DESTROY:
		op.Destroy = &mesos.Offer_Operation_Destroy{Volumes: shorthand(t, rest)}
	case mesos.Offer_Operation_GROW_VOLUME:
		list := shorthand(t, rest)
		op.GrowVolume = &mesos.Offer_Operation_GrowVolume{Volume: list[0], Addition: list[1]}
	case mesos.Offer_Operation_SHRINK_VOLUME:
		volume, amount, _ := strings.Cut(rest, ";")
		op.ShrinkVolume = &mesos.Offer_Operation_ShrinkVolume{Volume: one(t, volume), Subtract: new(mesos.Value_Scalar)}
		op.ShrinkVolume.Subtract.Value = new(float64)
		if _, err := fmt.Sscan(amount, op.ShrinkVolume.Subtract.Value); err != nil {
			t.Fatal(err)
		}
	}
	return op
}

func TestApply(t *testing.T) {
	for _, c := range []struct{ from, op, to string }{
		{"cpus 4", "RESERVE cpus(web) 1", "cpus 3; cpus(web) 1"},
		{"cpus 4; cpus(web) 0.1", "RESERVE cpus(web) 0.2", "cpus 3.8; cpus(web) 0.3"},
		{"ports [1-10]", "RESERVE ports(web) [3-4]", "ports [1-2,5-10]; ports(web) [3-4]"},
		{"cpus(=eng) 4", "RESERVE cpus(=eng,eng/web) 1", "cpus(=eng) 3; cpus(=eng,eng/web) 1"},
		{"disk[MOUNT=/m] 100", "RESERVE disk[MOUNT=/m](web) 100", "disk[MOUNT=/m](web) 100"},
		{"cpus(web) 4", "RESERVE cpus(web) 1 -> cpus(ads) 1", "cpus(web) 3; cpus(ads) 1"},
		{"cpus(=eng,eng/a) 4", "RESERVE cpus(=eng,eng/a) 4 -> cpus(=eng,eng/b) 4", "cpus(=eng,eng/b) 4"},
		{"cpus(web) 4", "UNRESERVE cpus(web) 3", "cpus 3; cpus(web) 1"},
		{"cpus(=eng,eng/web) 4", "UNRESERVE cpus(=eng,eng/web) 4", "cpus(=eng) 4"},
		{"disk(web) 100", "CREATE disk[v](web) 40", "disk(web) 60; disk[v](web) 40"},
		{"disk(web) 100", "CREATE disk[v](web) 40; disk[w](web) 60", "disk[v](web) 40; disk[w](web) 60"},
		{"disk(web) 100", "CREATE disk[v,shared](web) 40", "disk(web) 60; disk[v,shared](web) 40"},
		{"disk[PATH=/p](web) 100", "CREATE disk[PATH=/p,v](web) 40", "disk[PATH=/p](web) 60; disk[PATH=/p,v](web) 40"},
		{"disk[MOUNT=/m](=web) 100", "CREATE disk[MOUNT=/m,v](=web) 100", "disk[MOUNT=/m,v](=web) 100"},
		{"disk[v](web) 40; disk(web) 1", "DESTROY disk[v](web) 40", "disk(web) 41"},
		{"disk[v,shared](web) 40", "DESTROY disk[v,shared](web) 40", "disk(web) 40"},
		{"disk[PATH=/p,v](web) 40", "DESTROY disk[PATH=/p,v](web) 40", "disk[PATH=/p](web) 40"},
		{"disk[v](web) 40; disk(web) 10", "GROW_VOLUME disk[v](web) 40; disk(web) 4", "disk[v](web) 44; disk(web) 6"},
		{"disk[PATH=/p,v](web) 40; disk[PATH=/p](web) 10", "GROW_VOLUME disk[PATH=/p,v](web) 40; disk[PATH=/p](web) 10", "disk[PATH=/p,v](web) 50"},
		{"disk[v](web) 40", "SHRINK_VOLUME disk[v](web) 40; 39.5", "disk[v](web) 0.5; disk(web) 39.5"},
		{"disk[PATH=/p,v](web) 40", "SHRINK_VOLUME disk[PATH=/p,v](web) 40; 10", "disk[PATH=/p,v](web) 30; disk[PATH=/p](web) 10"},
	} {
		t.Run(c.op, func(t *testing.T) {
			got, err := operations.Apply(operation(t, c.op), sum(t, c.from))
			if want := sum(t, c.to); err != nil || !got.Equal(want) {
				t.Errorf("%s becomes %s, %v; want %s", c.from, got, err, want)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, c := range []struct{ from, op, want string }{
		{"cpus 4", "RESERVE cpus(web) 5", `reserve.cpus: "cpus:5": is not contained in cpus:4`},
		{"cpus 4", "RESERVE cpus 1", `reserve.resources[0].reservations: must have a dynamic reservation`},
		{"cpus 4", "RESERVE cpus(=web) 1", `reserve.resources[0].reservations: "web": must end with a dynamic reservation`},
		{"cpus 4", "RESERVE cpus(*) 1", `reserve.resources[0].(cpus).reservations[0].role: "*": cannot be reserved for`},
		{"cpus 4", "RESERVE cpus(web,web) 1", `reserve.resources[0].(cpus).reservations[1].role: "web": must be below "web", which it refines`},
		{"cpus 4", "RESERVE cpus(web) 0", `reserve.resources[0]: "cpus": must be more than nothing`},
		{"cpus 4", "RESERVE ", `reserve.resources: must be set`},
		{"disk[v](=web) 4", "RESERVE disk[v](=web,web/a) 4", `reserve.resources[0].disk.persistence.id: "v": is a volume, which must be destroyed first`},
		{"cpus(web) 4", "RESERVE cpus(web) 1 -> cpus(ads) 2", `reserve.source: "cpus(reservations: [(DYNAMIC,web)]):1": must come to the same as resources, cpus(reservations: [(DYNAMIC,ads)]):2`},
		{"cpus(a) 1; mem(b) 1", "RESERVE cpus(a) 1; mem(b) 1 -> cpus(c) 1; mem(c) 1", `reserve.source: "mem(reservations: [(DYNAMIC,b)]):1": is reserved in another way than the others`},
		{"cpus 4", "UNRESERVE cpus 1", `unreserve.resources[0].reservations: must have a dynamic reservation`},
		{"cpus(=web) 4", "UNRESERVE cpus(=web) 1", `unreserve.resources[0].reservations: "web": must end with a dynamic reservation`},
		{"cpus(web) 4", "UNRESERVE cpus(ads) 1", `unreserve.cpus: "cpus(reservations: [(DYNAMIC,ads)]):1": is not contained in cpus(reservations: [(DYNAMIC,web)]):4`},
		{"disk[v](web) 4", "UNRESERVE disk[v](web) 4", `unreserve.resources[0].disk.persistence.id: "v": is a volume, which must be destroyed first`},
		{"disk(web) 4", "UNRESERVE disk[v](web) 4", `unreserve.resources[0].disk.persistence.id: "v": is a volume, which must be destroyed first`},
		{"disk 4", "CREATE disk[v] 4", `create.volumes[0].(disk).disk.persistence.id: "v": must be on reserved disk`},
		{"disk(web) 4", "CREATE disk(web) 4", `create.volumes[0].disk.persistence: must be set`},
		{"disk(web) 4", "CREATE disk[v](web) 1; disk[v](web) 2", `create.volumes[1].disk.persistence.id: "v": is there twice`},
		{"disk[MOUNT=/m](web) 100", "CREATE disk[MOUNT=/m,v](web) 60", `create.disk: "disk(reservations: [(DYNAMIC,web)])[MOUNT:/m]:60": is not contained in disk(reservations: [(DYNAMIC,web)])[MOUNT:/m]:100`},
		{"disk(web) 4", "DESTROY disk[v](web) 4", `destroy.disk: "disk(reservations: [(DYNAMIC,web)])[v,data]:4": is not contained in disk(reservations: [(DYNAMIC,web)]):4`},
		{"disk[v](web) 4", "GROW_VOLUME disk[v](web) 4; disk 1", `grow_volume.addition: "disk:1": must be disk like that of the volume, disk(reservations: [(DYNAMIC,web)]):4`},
		{"disk[v](web) 4", "GROW_VOLUME disk[v](web) 4; disk(web) 0", `grow_volume.addition: "disk": must be more than nothing`},
		{"disk[v](web) 4", "GROW_VOLUME disk[v,shared](web) 4; disk(web) 1", `grow_volume.volume.shared: must not be set: a shared volume keeps its size`},
		{"disk[v](web) 4", "SHRINK_VOLUME disk[MOUNT=/m,v](web) 4; 1", `shrink_volume.volume.disk.source.type: MOUNT: cannot be divided, so that the volume keeps its size`},
		{"disk[v](web) 4", "SHRINK_VOLUME disk[v](web) 4; 4", `shrink_volume.subtract.value: 4: must be below the size of the volume, 4`},
		{"disk[v](web) 4", "SHRINK_VOLUME disk[v](web) 4; 0", `shrink_volume.subtract.value: 0: must be above 0`},
		{"disk[v](web) 4", "SHRINK_VOLUME disk[v](web) 4; -1", `shrink_volume.subtract.value: -1: is negative`},
		{"cpus 4", "LAUNCH ", `type: LAUNCH: is not about reservations or volumes`},
	} {
		t.Run(c.op, func(t *testing.T) {
			from := sum(t, c.from)
			got, err := operations.Apply(operation(t, c.op), from)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if !got.Equal(from) {
				t.Errorf("%s became %s", from, got)
			}
		})
	}
}

// TestVolumesMustBeUsable: what a volume says of its use is checked when it is
// made.
func TestVolumesMustBeUsable(t *testing.T) {
	for _, c := range []struct {
		change func(*mesos.Volume)
		want   string
	}{
		{func(v *mesos.Volume) { v.Mode = mesos.Volume_RO.Enum() }, `create.volumes[0].disk.volume.mode: RO: must be RW`},
		{func(v *mesos.Volume) { v.ContainerPath = new("") }, `create.volumes[0].disk.volume.container_path: must be set`},
		{func(v *mesos.Volume) { v.ContainerPath = new("/") }, `create.volumes[0].disk.volume.container_path: "/": must be relative`},
		{func(v *mesos.Volume) { v.ContainerPath = new("a/../../b") }, `create.volumes[0].disk.volume.container_path: "a/../../b": must not lead out of the sandbox`},
		{func(v *mesos.Volume) { v.HostPath = new("/etc") }, `create.volumes[0].disk.volume.host_path: "/etc": must not be set`},
		{func(v *mesos.Volume) { v.Source = &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum()} }, `create.volumes[0].disk.volume.source: SECRET: must not be set`},
	} {
		op := operation(t, "CREATE disk[v](web) 4")
		c.change(op.Create.Volumes[0].Disk.Volume)
		if _, err := operations.Apply(op, sum(t, "disk(web) 4")); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// TestOlderForm: a client from before stacks of reservations says role and
// reservation.
func TestOlderForm(t *testing.T) {
	op := new(mesos.Offer_Operation)
	text := `{"type":"RESERVE","reserve":{"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"web","reservation":{}}]}}`
	if err := json.Unmarshal([]byte(text), op); err != nil {
		t.Fatal(err)
	}
	got, err := operations.Apply(op, sum(t, "cpus 4"))
	if want := sum(t, "cpus 3; cpus(web) 1"); err != nil || !got.Equal(want) {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

// TestWordsOfTheAgentStay: how a volume is used is decided by whoever made it,
// not by whoever makes it larger.
func TestWordsOfTheAgentStay(t *testing.T) {
	for _, text := range []string{"GROW_VOLUME disk[v](web) 4; disk(web) 1", "SHRINK_VOLUME disk[v](web) 4; 1"} {
		op := operation(t, text)
		volume := op.GetGrowVolume().GetVolume()
		if volume == nil {
			volume = op.GetShrinkVolume().GetVolume()
		}
		volume.Disk.Volume.ContainerPath = new("elsewhere")
		got, err := operations.Apply(op, sum(t, "disk[v](web) 4; disk(web) 1"))
		if err != nil {
			t.Fatal(err)
		}
		for e := range got.All() {
			if v := e.Disk().GetVolume(); v != nil && v.GetContainerPath() != "data" {
				t.Errorf("%s: the volume is now at %q", text, v.GetContainerPath())
			}
		}
	}
}
