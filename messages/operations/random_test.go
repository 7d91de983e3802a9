package operations_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// anAgent draws what an agent has before anything was done to it.
func anAgent(t *rapid.T, tb testing.TB) resources.Resources {
	text := fmt.Sprintf("cpus %d; mem %d; disk %d; ports [1-%d]; set {a,b,c}; disk[PATH=/p] 50; disk[MOUNT=/m] 70; cpus(=eng) 4; disk(=eng) 20",
		rapid.IntRange(1, 9).Draw(t, "cpus"), rapid.IntRange(1, 99).Draw(t, "mem"), rapid.IntRange(1, 99).Draw(t, "disk"), rapid.IntRange(1, 99).Draw(t, "ports"))
	return sum(tb, text)
}

// aPart draws some of an entry: a volume and a mount as they are.
func aPart(t *rapid.T, e resources.Entry) *mesos.Resource {
	m := proto.CloneOf(e.Proto())
	whole := e.Disk().GetPersistence() != nil || e.Disk().GetSource().GetType() == mesos.Resource_DiskInfo_Source_MOUNT
	switch {
	case whole:
	case e.Kind() == mesos.Value_SCALAR:
		m.Scalar.Value = new(resources.Milli(rapid.Int64Range(1, int64(e.Amount())).Draw(t, "milli")).Float())
	case e.Kind() == mesos.Value_RANGES:
		m.Ranges.Range = m.Ranges.Range[:1]
		first := m.Ranges.Range[0]
		first.End = new(rapid.Uint64Range(first.GetBegin(), first.GetEnd()).Draw(t, "end"))
	default:
		m.Set.Item = m.Set.Item[:rapid.IntRange(1, len(m.Set.Item)).Draw(t, "items")]
	}
	return m
}

// anOperation draws one that total has everything for, and the one that undoes
// it, which is nil when the volume is consumed by it.
func anOperation(t *rapid.T, total resources.Resources, i int) (op, undo *mesos.Offer_Operation) {
	var entries []resources.Entry
	for e := range total.All() {
		entries = append(entries, e)
	}
	e := rapid.SampledFrom(entries).Draw(t, "of")
	part := aPart(t, e)
	list := []*mesos.Resource{part}
	switch volume := e.Disk().GetPersistence() != nil; {
	case volume && e.Disk().GetSource().GetType() != mesos.Resource_DiskInfo_Source_MOUNT && !e.Shared() && e.Amount() > 1 && rapid.Bool().Draw(t, "resize"):
		return resizing(t, e, part)
	case volume:
		return destroying(list), creating(list)
	case e.Name() == resources.Disk && e.Role() != "*" && rapid.Bool().Draw(t, "create"):
		if part.Disk == nil {
			part.Disk = &mesos.Resource_DiskInfo{}
		}
		part.Disk.Persistence = &mesos.Resource_DiskInfo_Persistence{Id: new(fmt.Sprint("v", i))}
		part.Disk.Volume = &mesos.Volume{Mode: mesos.Volume_RW.Enum(), ContainerPath: new("data")}
		if rapid.Bool().Draw(t, "shared") {
			part.Shared = &mesos.Resource_SharedInfo{}
		}
		return creating(list), destroying(list)
	case operations.Checkpointed(resources.Sum(e)).Len() > 0 && rapid.Bool().Draw(t, "unreserve"):
		return unreserving(list), reserving(list)
	}
	role := rapid.SampledFrom([]string{"web", "ads"}).Draw(t, "role")
	if e.Role() != "*" {
		role = e.Role() + "/" + role
	}
	part.Reservations = append(part.Reservations, &mesos.Resource_ReservationInfo{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &role})
	return reserving(list), unreserving(list)
}

func resizing(t *rapid.T, e resources.Entry, volume *mesos.Resource) (op, undo *mesos.Offer_Operation) {
	less := resources.Milli(rapid.Int64Range(1, int64(e.Amount())-1).Draw(t, "less")).Float()
	small := proto.CloneOf(volume)
	small.Scalar.Value = new((e.Amount() - amount(less)).Float())
	freed := proto.CloneOf(volume)
	freed.Scalar.Value = &less
	freed.Disk.Persistence, freed.Disk.Volume = nil, nil
	if freed.Disk.Source == nil {
		freed.Disk = nil
	}
	shrink := &mesos.Offer_Operation_ShrinkVolume{Volume: volume, Subtract: &mesos.Value_Scalar{Value: &less}}
	grow := &mesos.Offer_Operation_GrowVolume{Volume: small, Addition: freed}
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_SHRINK_VOLUME.Enum(), ShrinkVolume: shrink},
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_GROW_VOLUME.Enum(), GrowVolume: grow}
}

func amount(f float64) resources.Milli {
	m, err := resources.MilliOf(f)
	if err != nil {
		panic(err)
	}
	return m
}

func reserving(list []*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: list}}
}

func unreserving(list []*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{Resources: list}}
}

func creating(list []*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: list}}
}

func destroying(list []*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY.Enum(), Destroy: &mesos.Offer_Operation_Destroy{Volumes: list}}
}

// TestNothingIsMadeOrLost: after any operations an agent has what it had,
// reserved and cut up otherwise; each can be undone; and what is kept on disk
// of them is enough to have it all again.
func TestNothingIsMadeOrLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		configured := anAgent(rt, t)
		total := configured
		for i := range rapid.IntRange(1, 8).Draw(rt, "operations") {
			op, undo := anOperation(rt, total, i)
			after, err := operations.Apply(op, total)
			if err != nil {
				rt.Fatalf("%v on %s: %v", op, total, err)
			}
			if same := quantities(after); !same.Equal(quantities(configured)) {
				rt.Fatalf("%v made %s of %s", op, after, total)
			}
			change, err := operations.ChangeOf(op, total)
			if err != nil || !total.Without(change.Consumed).Add(change.Converted).Equal(after) {
				rt.Fatalf("%v on %s changes %v, %v", op, total, change, err)
			}
			if back, err := operations.Apply(undo, after); err != nil || !back.Equal(total) {
				rt.Fatalf("%v and %v make %s of %s, %v", op, undo, back, total, err)
			}
			total = after
		}
		if again, err := operations.Restore(configured, operations.Checkpointed(total)); err != nil || !again.Equal(total) {
			rt.Fatalf("%s came back as %s, %v", total, again, err)
		}
	})
}

// quantities is r without anything that operations change.
func quantities(r resources.Resources) resources.Resources {
	return r.Convert(func(m *mesos.Resource) {
		m.Reservations, m.Shared = nil, nil
		if m.GetDisk().GetSource().GetType() == mesos.Resource_DiskInfo_Source_MOUNT {
			m.Disk = &mesos.Resource_DiskInfo{Source: m.Disk.Source}
			return
		}
		m.Disk = nil
	})
}

// FuzzApply: whatever an operation says, it is refused or leaves the
// quantities as they were.
func FuzzApply(f *testing.F) {
	for _, text := range []string{
		"RESERVE cpus(web) 1", "RESERVE cpus(web) 1 -> cpus(ads) 1", "UNRESERVE cpus(web) 1", "CREATE disk[v](=eng) 1",
		"CREATE disk[v,shared](=eng) 1", "DESTROY disk[old](web) 5", "GROW_VOLUME disk[old](web) 5; disk(web) 1", "SHRINK_VOLUME disk[old](web) 5; 1",
	} {
		data, err := proto.Marshal(operation(f, text))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	from := sum(f, "cpus 4; cpus(web) 2; disk(=eng) 9; disk(web) 9; disk[old](web) 5; disk[MOUNT=/m](web) 7; ports [1-9]")
	f.Fuzz(func(t *testing.T, data []byte) {
		op := new(mesos.Offer_Operation)
		if proto.Unmarshal(data, op) != nil {
			return
		}
		after, err := operations.Apply(op, from)
		if err != nil && !after.Equal(from) || !quantities(after).Equal(quantities(from)) {
			t.Errorf("%v makes %s of %s, %v", op, after, from, err)
		}
		if operations.Validate(op, operations.Case{Agent: everything, Total: from}) == nil && err != nil {
			if _, err := operations.Consumed(op); err != nil {
				t.Errorf("%v is valid, and %v", op, err)
			}
		}
	})
}
