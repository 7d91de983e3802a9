package resources

import (
	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

// anyMessage draws a valid resource of any kind and identity.
func anyMessage() *rapid.Generator[*mesos.Resource] {
	return rapid.Custom(func(t *rapid.T) *mesos.Resource {
		r := &mesos.Resource{}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			r.Name = ptr(rapid.SampledFrom([]string{CPUs, Mem, Disk}).Draw(t, "name"))
			r.Type = mesos.Value_SCALAR.Enum()
			r.Scalar = &mesos.Value_Scalar{Value: ptr(float64(rapid.Int64Range(0, 100_000).Draw(t, "milli")) / 1000)}
		case 1:
			r.Name, r.Type = ptr(Ports), mesos.Value_RANGES.Enum()
			r.Ranges = anyRanges().Draw(t, "ranges").proto()
		case 2:
			r.Name, r.Type = ptr("set"), mesos.Value_SET.Enum()
			r.Set = &mesos.Value_Set{Item: anySet().Draw(t, "set")}
		}
		drawIdentity(t, r)
		return r
	})
}

func drawIdentity(t *rapid.T, r *mesos.Resource) {
	roll := rapid.IntRange(0, 9).Draw(t, "identity")
	if roll&1 != 0 {
		r.Reservations = anyStack().Draw(t, "stack")
	}
	switch {
	case roll <= 2 && roll > 0:
		r.Revocable = &mesos.Resource_RevocableInfo{}
	case roll == 3 || roll == 4:
		r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: ptr(anyRole().Draw(t, "allocated"))}
	case roll == 5:
		r.ProviderId = &mesos.ResourceProviderID{Value: ptr("p")}
	case roll >= 6 && r.GetName() == Disk:
		r.Disk = anyDisk(t, len(r.Reservations) > 0)
		if r.Disk.Persistence != nil && rapid.Bool().Draw(t, "shared") {
			r.Shared = &mesos.Resource_SharedInfo{}
		}
	}
}

func anyDisk(t *rapid.T, reserved bool) *mesos.Resource_DiskInfo {
	d := &mesos.Resource_DiskInfo{}
	if rapid.Bool().Draw(t, "source") {
		kind := mesos.Resource_DiskInfo_Source_Type(rapid.Int32Range(1, 4).Draw(t, "type"))
		d.Source = &mesos.Resource_DiskInfo_Source{Type: &kind}
		if rapid.Bool().Draw(t, "id") {
			d.Source.Id, d.Source.Metadata = ptr("disk1"), anyLabels().Draw(t, "metadata")
		}
		if root := rapid.SampledFrom([]*string{nil, ptr("/a"), ptr("/b")}).Draw(t, "root"); kind == mesos.Resource_DiskInfo_Source_PATH {
			d.Source.Path = &mesos.Resource_DiskInfo_Source_Path{Root: root}
		}
	}
	if reserved && rapid.Bool().Draw(t, "persistent") {
		d.Persistence = &mesos.Resource_DiskInfo_Persistence{Id: ptr(rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "volume"))}
	}
	return d
}

func anyStack() *rapid.Generator[[]*mesos.Resource_ReservationInfo] {
	return rapid.Custom(func(t *rapid.T) []*mesos.Resource_ReservationInfo {
		bottom := &mesos.Resource_ReservationInfo{
			Type: mesos.Resource_ReservationInfo_Type(rapid.Int32Range(1, 2).Draw(t, "type")).Enum(),
			Role: ptr(anyRole().Draw(t, "role")),
		}
		if rapid.Bool().Draw(t, "principal") {
			bottom.Principal = ptr("ops")
		}
		if rapid.IntRange(0, 3).Draw(t, "labelled") == 0 {
			bottom.Labels = anyLabels().Draw(t, "labels")
		}
		if rapid.Bool().Draw(t, "refined") {
			return []*mesos.Resource_ReservationInfo{bottom, {Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: ptr(bottom.GetRole() + "/sub")}}
		}
		return []*mesos.Resource_ReservationInfo{bottom}
	})
}

func anyLabels() *rapid.Generator[*mesos.Labels] {
	return rapid.Custom(func(t *rapid.T) *mesos.Labels {
		labels := &mesos.Labels{}
		for range rapid.IntRange(0, 2).Draw(t, "labels") {
			label := &mesos.Label{Key: ptr(rapid.SampledFrom([]string{"k", "l"}).Draw(t, "key"))}
			if rapid.Bool().Draw(t, "with value") {
				label.Value = ptr(rapid.SampledFrom([]string{"", "v"}).Draw(t, "value"))
			}
			labels.Labels = append(labels.Labels, label)
		}
		return labels
	})
}

func anyRole() *rapid.Generator[string] { return rapid.SampledFrom([]string{"a", "b", "a/c"}) }

func anyRanges() *rapid.Generator[Ranges] {
	return rapid.Custom(func(t *rapid.T) Ranges {
		var list []Range
		for range rapid.IntRange(0, 5).Draw(t, "ranges") {
			begin := rapid.Uint64Range(0, 60).Draw(t, "begin")
			list = append(list, Range{begin, begin + rapid.Uint64Range(0, 9).Draw(t, "size")})
		}
		return RangesOf(list...)
	})
}

func anySet() *rapid.Generator[Set] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 4), func(items []string) Set { return SetOf(items...) })
}

func anyList() *rapid.Generator[[]*mesos.Resource] { return rapid.SliceOfN(anyMessage(), 0, 8) }

func draw(t *rapid.T, label string) Resources {
	r, err := New(anyList().Draw(t, label)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ptr[T any](v T) *T { return &v }
