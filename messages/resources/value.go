package resources

import (
	"troupe/messages/mesos"
)

// value is what a resource has of its name: one of an amount, ranges or a set,
// as kind says.
type value struct {
	kind   mesos.Value_Type
	scalar Milli
	ranges Ranges
	set    Set
}

// valueOf reads the value of a resource that has been validated.
func valueOf(r *mesos.Resource) value {
	v := value{kind: r.GetType()}
	switch v.kind {
	case mesos.Value_RANGES:
		v.ranges = rangesOf(r.GetRanges())
	case mesos.Value_SET:
		v.set = SetOf(r.GetSet().GetItem()...)
	default:
		v.scalar, _ = MilliOf(r.GetScalar().GetValue()) // validated
	}
	return v
}

func rangesOf(r *mesos.Value_Ranges) Ranges {
	list := make(Ranges, 0, len(r.GetRange()))
	for _, x := range r.GetRange() {
		list = append(list, Range{x.GetBegin(), x.GetEnd()})
	}
	return united(list)
}

// write puts v into r, whose type is v's kind.
func (v value) write(r *mesos.Resource) {
	switch v.kind {
	case mesos.Value_RANGES:
		r.Ranges = v.ranges.proto()
	case mesos.Value_SET:
		r.Set = &mesos.Value_Set{Item: v.set}
	default:
		amount := v.scalar.Float()
		r.Scalar = &mesos.Value_Scalar{Value: &amount}
	}
}

func (rs Ranges) proto() *mesos.Value_Ranges {
	list := make([]*mesos.Value_Range, len(rs))
	for i := range rs {
		r := rs[i]
		list[i] = &mesos.Value_Range{Begin: &r.Begin, End: &r.End}
	}
	return &mesos.Value_Ranges{Range: list}
}

func (v value) isEmpty() bool {
	return v.scalar <= 0 && len(v.ranges) == 0 && len(v.set) == 0
}

func (v value) plus(o value) value {
	v.scalar = v.scalar.plus(o.scalar)
	v.ranges = v.ranges.Plus(o.ranges)
	v.set = v.set.Plus(o.set)
	return v
}

// minus takes o away, as far as it is there.
func (v value) minus(o value) value {
	v.scalar = max(0, v.scalar-o.scalar)
	v.ranges = v.ranges.Minus(o.ranges)
	v.set = v.set.Minus(o.set)
	return v
}

func (v value) contains(o value) bool {
	return v.scalar >= o.scalar && v.ranges.Contains(o.ranges) && v.set.Contains(o.set)
}

func (v value) equal(o value) bool {
	return v.scalar == o.scalar && v.ranges.Equal(o.ranges) && v.set.Equal(o.set)
}

func (v value) String() string {
	switch v.kind {
	case mesos.Value_RANGES:
		return v.ranges.String()
	case mesos.Value_SET:
		return v.set.String()
	}
	return v.scalar.String()
}

// common returns what is in both v and o.
func (v value) common(o value) value {
	v.scalar = min(v.scalar, o.scalar)
	v.ranges = v.ranges.Minus(v.ranges.Minus(o.ranges))
	v.set = v.set.Minus(v.set.Minus(o.set))
	return v
}
