package resources

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func cpus(amount float64) *mesos.Resource {
	return &mesos.Resource{Name: ptr(CPUs), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &amount}}
}

func disk(change func(r *mesos.Resource)) *mesos.Resource {
	r := cpus(1)
	r.Name = ptr(Disk)
	change(r)
	return r
}

func reserved(stack ...*mesos.Resource_ReservationInfo) *mesos.Resource {
	r := cpus(1)
	r.Reservations = stack
	return r
}

func reservation(kind mesos.Resource_ReservationInfo_Type, role string) *mesos.Resource_ReservationInfo {
	return &mesos.Resource_ReservationInfo{Type: &kind, Role: &role}
}

func persistent(id string) *mesos.Resource_DiskInfo {
	return &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &id}}
}

func source(kind mesos.Resource_DiskInfo_Source_Type) *mesos.Resource_DiskInfo {
	return &mesos.Resource_DiskInfo{Source: &mesos.Resource_DiskInfo_Source{
		Type: &kind, Mount: &mesos.Resource_DiskInfo_Source_Mount{},
	}}
}

const (
	static  = mesos.Resource_ReservationInfo_STATIC
	dynamic = mesos.Resource_ReservationInfo_DYNAMIC
)

func TestValidateNamesElementFieldAndValue(t *testing.T) {
	scalar := mesos.Value_SCALAR.Enum()
	for want, r := range map[string]*mesos.Resource{
		"[1]: must be set":                                           nil,
		`[1].name: "": must not be empty`:                            {},
		`[1].name: "a:b": must not contain ':'`:                      {Name: ptr("a:b")},
		`[1].(cpus).type: must be set`:                               {Name: ptr(CPUs)},
		`[1].(cpus).scalar: must be set`:                             {Name: ptr(CPUs), Type: scalar},
		`[1].(cpus).type: TEXT: must be SCALAR, RANGES or SET`:       {Name: ptr(CPUs), Type: mesos.Value_TEXT.Enum()},
		`[1].(cpus).type: 77: must be SCALAR, RANGES or SET`:         {Name: ptr(CPUs), Type: mesos.Value_Type(77).Enum()},
		`[1].(cpus).set: must not be set when type is SCALAR`:        {Name: ptr(CPUs), Type: scalar, Scalar: &mesos.Value_Scalar{Value: ptr(1.0)}, Set: &mesos.Value_Set{}},
		`[1].(cpus).scalar.value: -0.001: is negative`:               cpus(-0.001),
		`[1].(cpus).scalar.value: NaN: is not a finite number`:       cpus(math.NaN()),
		`[1].(cpus).scalar.value: +Inf: is not a finite number`:      cpus(math.Inf(1)),
		`[1].(cpus).scalar.value: 1e+16: is above 9007199254740.992`: cpus(1e16),
		`[1].(p).ranges.range[0].end: 1: is below begin, 2`: {
			Name: ptr("p"), Type: mesos.Value_RANGES.Enum(),
			Ranges: &mesos.Value_Ranges{Range: []*mesos.Value_Range{{Begin: ptr(uint64(2)), End: ptr(uint64(1))}}},
		},
		`[1].(cpus).reservations[0].type: UNKNOWN: must be STATIC or DYNAMIC`:                     reserved(&mesos.Resource_ReservationInfo{Role: ptr("a")}),
		`[1].(cpus).reservations[0].role: "*": cannot be reserved for`:                            reserved(reservation(static, "*")),
		`[1].(cpus).reservations[0].role: "a//b": must not start or end with '/' or contain "//"`: reserved(reservation(static, "a//b")),
		`[1].(cpus).reservations[1].type: STATIC: must be DYNAMIC but for the first reservation`:  reserved(reservation(static, "a"), reservation(static, "a/b")),
		`[1].(cpus).reservations[1].role: "b": must be below "a", which it refines`:               reserved(reservation(static, "a"), reservation(dynamic, "b")),
		`[1].(cpus).reservations[1].role: "a": must be below "a", which it refines`:               reserved(reservation(static, "a"), reservation(dynamic, "a")),
		`[1].(disk).disk.persistence.id: "v": must be on reserved disk`:                           disk(func(r *mesos.Resource) { r.Disk = persistent("v") }),
		`[1].(disk).disk.persistence.id: "a/b": must not contain '/'`:                             disk(func(r *mesos.Resource) { r.Disk, r.Role = persistent("a/b"), ptr("a") }),
		`[1].(disk).disk.source.mount: must not be set when type is RAW`:                          disk(func(r *mesos.Resource) { r.Disk = source(mesos.Resource_DiskInfo_Source_RAW) }),
		`[1].(disk).disk.source.type: UNKNOWN: must be PATH, MOUNT, BLOCK or RAW`:                 disk(func(r *mesos.Resource) { r.Disk = source(mesos.Resource_DiskInfo_Source_UNKNOWN) }),
		`[1].(disk).shared: must not be set but for a persistent volume`:                          disk(func(r *mesos.Resource) { r.Shared = &mesos.Resource_SharedInfo{} }),
		`[1].(disk).allocation_info.role: "a b": must not contain " "`:                            disk(func(r *mesos.Resource) { r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: ptr("a b")} }),
		`[1].(disk).provider_id.value: must be set`:                                               disk(func(r *mesos.Resource) { r.ProviderId = &mesos.ResourceProviderID{} }),
		`[1].(disk).reservation: must not be set when role is "*"`:                                disk(func(r *mesos.Resource) { r.Reservation = &mesos.Resource_ReservationInfo{} }),
		`[1].(disk).role: "a b": must not contain " "`:                                            disk(func(r *mesos.Resource) { r.Role = ptr("a b") }),
		`[1].(disk).reservation.role: "a": must not be set beside role`: disk(func(r *mesos.Resource) {
			r.Role, r.Reservation = ptr("a"), &mesos.Resource_ReservationInfo{Role: ptr("a")}
		}),
		`[1].(disk).reservation.type: DYNAMIC: must not be set beside role`: disk(func(r *mesos.Resource) {
			r.Role, r.Reservation = ptr("a"), &mesos.Resource_ReservationInfo{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum()}
		}),
		`[1].(disk).disk.persistence.id: "v": must not be on revocable disk`: disk(func(r *mesos.Resource) {
			r.Role, r.Disk, r.Revocable = ptr("a"), persistent("v"), &mesos.Resource_RevocableInfo{}
		}),
		`[1].(disk).disk.source.path: must not be set when type is BLOCK`: disk(func(r *mesos.Resource) {
			r.Disk = source(mesos.Resource_DiskInfo_Source_BLOCK)
			r.Disk.Source.Mount, r.Disk.Source.Path = nil, &mesos.Resource_DiskInfo_Source_Path{}
		}),
		`[1].(disk).role: "b": is not the role of the last of reservations, "a"`: disk(func(r *mesos.Resource) {
			r.Role, r.Reservations = ptr("b"), reserved(reservation(static, "a")).Reservations
		}),
	} {
		err := Validate([]*mesos.Resource{cpus(1), r})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	odd := cpus(1)
	odd.Disk = persistent("v")
	if err := Validate([]*mesos.Resource{odd}); err == nil || !strings.Contains(err.Error(), `must not be set but for "disk"`) {
		t.Errorf("cpus with a disk: %v", err)
	}
}

func TestALongHostileListIsNoLoad(t *testing.T) {
	ranges := &mesos.Value_Ranges{}
	for i := range uint64(200_000) {
		ranges.Range = append(ranges.Range, &mesos.Value_Range{Begin: ptr(i * 2), End: ptr(i * 2)})
	}
	list := []*mesos.Resource{{Name: ptr(Ports), Type: mesos.Value_RANGES.Enum(), Ranges: ranges}}
	for range 100_000 {
		list = append(list, cpus(MaxMilli.Float()))
	}
	r, err := New(list...)
	if err != nil || r.Len() != 2 || r.Scalar(CPUs) != math.MaxInt64 || r.Ranges(Ports).Count() != 200_000 {
		t.Errorf("%d entries, cpus %s, %v", r.Len(), r.Scalar(CPUs), err)
	}
	if !r.Contains(r) || !r.Without(r).IsEmpty() {
		t.Error("a long list does not contain itself")
	}
}

func FuzzNew(f *testing.F) {
	for _, r := range []*mesos.Resource{cpus(1), reserved(reservation(static, "a"), reservation(dynamic, "a/b")), disk(func(r *mesos.Resource) { r.Disk, r.Role = persistent("v"), ptr("a") })} {
		data, err := proto.Marshal(&mesos.AgentInfo{Hostname: ptr("h"), Resources: []*mesos.Resource{r, r}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var agent mesos.AgentInfo
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(data, &agent) != nil {
			return
		}
		r, err := New(agent.Resources...)
		if err != nil {
			return
		}
		back, err := New(r.Proto()...)
		if err != nil || !back.Equal(r) {
			t.Errorf("%s came back as %s, %v", r, back, err)
		}
		if !r.Contains(r) || !r.Without(r).IsEmpty() {
			t.Errorf("%s does not contain itself", r)
		}
	})
}
