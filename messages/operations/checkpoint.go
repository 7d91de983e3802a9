package operations

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Checkpointed is what of an agent's resources came about by operations, and
// must be on its disk: what is dynamically reserved, and volumes.
func Checkpointed(r resources.Resources) resources.Resources {
	return r.Filter(func(e resources.Entry) bool { return dynamic(e) || isVolume(e) })
}

func dynamic(e resources.Entry) bool {
	stack := e.Reservations()
	return len(stack) > 0 && stack[len(stack)-1].GetType() == mesos.Resource_ReservationInfo_DYNAMIC
}

// Restore is configured, an agent's resources as its flags say, with the
// checkpointed ones made of them once more. It fails, naming what is missing,
// when configured no longer has what those were made of.
func Restore(configured, checkpointed resources.Resources) (resources.Resources, error) {
	total := configured
	for e := range checkpointed.All() {
		if !dynamic(e) && !isVolume(e) {
			return configured, field.Invalid(e.Name(), e.String(), "is neither reserved dynamically nor a volume")
		}
		rest, err := total.Subtract(resources.Sum(e).Convert(bare))
		if err != nil {
			return configured, err
		}
		total = rest.Add(resources.Sum(e))
	}
	return total, nil
}

// bare makes of a resource what an agent's flags say of it: without volume, and
// with a static reservation alone.
func bare(r *mesos.Resource) {
	strip(r)
	if len(r.Reservations) > 0 && r.Reservations[0].GetType() == mesos.Resource_ReservationInfo_STATIC {
		r.Reservations = r.Reservations[:1:1]
		return
	}
	r.Reservations = nil
}
