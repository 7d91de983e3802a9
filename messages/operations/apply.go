package operations

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Change is what an operation makes of what; both are allocated to nobody and
// come to the same quantities.
type Change struct {
	Consumed, Converted resources.Resources
}

// Apply returns from, which is allocated to nobody, as it is after op. It
// fails, naming the field, unless op is well formed and from has all that op
// consumes; then from is returned as it was. It does not ask who may do this:
// see Validate.
func Apply(op *mesos.Offer_Operation, from resources.Resources) (resources.Resources, error) {
	change, err := ChangeOf(op, from)
	if err != nil {
		return from, err
	}
	return from.Without(change.Consumed).Add(change.Converted), nil
}

// ChangeOf is what Apply takes out of from, and what it puts there instead.
func ChangeOf(op *mesos.Offer_Operation, from resources.Resources) (Change, error) {
	consumed, err := Consumed(op)
	if err != nil {
		return Change{}, err
	}
	if _, err := from.Subtract(consumed); err != nil {
		return Change{}, field.In(partName(op.GetType()), err)
	}
	own := from.Own(consumed)
	converted, err := converted(op, own)
	if err != nil {
		return Change{}, field.In(partName(op.GetType()), err)
	}
	return Change{Consumed: own, Converted: converted}, nil
}

// Consumed is what op needs, allocated to nobody. It fails, naming the field,
// unless op is well formed.
func Consumed(op *mesos.Offer_Operation) (resources.Resources, error) {
	if err := wellFormed(op); err != nil {
		return resources.Resources{}, err
	}
	consumed, err := consumed(op)
	return consumed.Unallocate(), err
}

func consumed(op *mesos.Offer_Operation) (resources.Resources, error) {
	switch op.GetType() {
	case mesos.Offer_Operation_RESERVE:
		if source := op.GetReserve().GetSource(); len(source) > 0 {
			return resources.New(source...)
		}
		return changed(op.GetReserve().GetResources(), pop)
	case mesos.Offer_Operation_UNRESERVE:
		return resources.New(op.GetUnreserve().GetResources()...)
	case mesos.Offer_Operation_CREATE:
		return changed(op.GetCreate().GetVolumes(), strip)
	case mesos.Offer_Operation_DESTROY:
		return resources.New(op.GetDestroy().GetVolumes()...)
	case mesos.Offer_Operation_GROW_VOLUME:
		return resources.New(op.GetGrowVolume().GetVolume(), op.GetGrowVolume().GetAddition())
	default:
		return resources.New(op.GetShrinkVolume().GetVolume())
	}
}

// converted is what op makes of own, which is what it consumes in the words of
// the agent that has it.
func converted(op *mesos.Offer_Operation, own resources.Resources) (resources.Resources, error) {
	switch op.GetType() {
	case mesos.Offer_Operation_RESERVE:
		list, err := resources.New(op.GetReserve().GetResources()...)
		return list.Unallocate(), err
	case mesos.Offer_Operation_UNRESERVE:
		return own.Convert(pop), nil
	case mesos.Offer_Operation_CREATE:
		list, err := resources.New(op.GetCreate().GetVolumes()...)
		return list.Unallocate(), err
	case mesos.Offer_Operation_DESTROY:
		return own.Convert(strip), nil
	case mesos.Offer_Operation_GROW_VOLUME:
		return grown(own, op.GetGrowVolume().GetAddition())
	default:
		return shrunk(own, op.GetShrinkVolume().GetSubtract())
	}
}

// grown is the volume in own with all of addition.
func grown(own resources.Resources, addition *mesos.Resource) (resources.Resources, error) {
	volume := own.Filter(isVolume).Proto()[0]
	more, err := resources.MilliOf(addition.GetScalar().GetValue())
	if err != nil {
		return resources.Resources{}, err
	}
	return resized(volume, amountOf(volume)+more)
}

// shrunk is the volume in own without what is taken from it, and that.
func shrunk(own resources.Resources, subtract *mesos.Value_Scalar) (resources.Resources, error) {
	volume := own.Proto()[0]
	less, err := resources.MilliOf(subtract.GetValue())
	if err != nil {
		return resources.Resources{}, err
	}
	rest, err := resized(volume, amountOf(volume)-less)
	if err != nil {
		return rest, err
	}
	freed, err := resized(volume, less)
	return rest.Add(freed.Convert(strip)), err
}

// resized is a volume with another size.
func resized(volume *mesos.Resource, size resources.Milli) (resources.Resources, error) {
	list, err := changed([]*mesos.Resource{volume}, func(*mesos.Resource) {})
	if err != nil {
		return list, err
	}
	resized := list.Proto()[0]
	resized.Scalar = &mesos.Value_Scalar{Value: new(size.Float())}
	return resources.New(resized)
}

// amountOf is the amount of a resource that has been checked.
func amountOf(r *mesos.Resource) resources.Milli {
	m, _ := resources.MilliOf(r.GetScalar().GetValue())
	return m
}

func changed(list []*mesos.Resource, change func(*mesos.Resource)) (resources.Resources, error) {
	r, err := resources.New(list...)
	return r.Convert(change), err
}

// pop takes off the newest reservation.
func pop(r *mesos.Resource) {
	r.Reservations = r.Reservations[: len(r.Reservations)-1 : len(r.Reservations)-1]
}

// strip makes of a volume the disk that it stands on.
func strip(r *mesos.Resource) {
	r.Shared = nil
	if source := r.GetDisk().GetSource(); source != nil {
		r.Disk = &mesos.Resource_DiskInfo{Source: source}
		return
	}
	r.Disk = nil
}

func isVolume(e resources.Entry) bool { return e.Disk().GetPersistence() != nil }
