package operations

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// wellFormed checks all of op that can be told from op alone.
func wellFormed(op *mesos.Offer_Operation) error {
	name := partName(op.GetType())
	if name == "" {
		return field.Invalid("type", op.GetType(), "is not about reservations or volumes")
	}
	if !hasPart(op) {
		return field.Missing(name)
	}
	return field.In(name, formOf(op))
}

func formOf(op *mesos.Offer_Operation) error {
	switch op.GetType() {
	case mesos.Offer_Operation_RESERVE:
		return reserveForm(op.GetReserve())
	case mesos.Offer_Operation_UNRESERVE:
		_, err := listForm("resources", op.GetUnreserve().GetResources(), dynamicForm)
		return err
	case mesos.Offer_Operation_CREATE:
		return volumesForm(op.GetCreate().GetVolumes())
	case mesos.Offer_Operation_DESTROY:
		return volumesForm(op.GetDestroy().GetVolumes())
	case mesos.Offer_Operation_GROW_VOLUME:
		return growForm(op.GetGrowVolume())
	}
	return shrinkForm(op.GetShrinkVolume())
}

// listForm checks that there are resources in list, each with a right form, and
// sums them up.
func listForm(path string, list []*mesos.Resource, check func(resources.Entry) error) (resources.Resources, error) {
	var sum resources.Resources
	if len(list) == 0 {
		return sum, field.Missing(path)
	}
	for i, r := range list {
		one, err := resourceForm(r, check)
		if err != nil {
			return sum, field.At(path, i, err)
		}
		sum = sum.Add(one)
	}
	return sum, nil
}

// resourceForm checks one resource.
func resourceForm(r *mesos.Resource, check func(resources.Entry) error) (resources.Resources, error) {
	if err := resources.Check(r); err != nil {
		return resources.Resources{}, err
	}
	one, err := resources.New(r)
	if err == nil && one.IsEmpty() {
		err = field.Invalid("", r.GetName(), "must be more than nothing")
	}
	for e := range one.All() {
		if err == nil {
			err = check(e)
		}
	}
	return one, err
}

// dynamicForm checks that the newest reservation is a dynamic one of what is no
// volume.
func dynamicForm(e resources.Entry) error {
	stack := e.Reservations()
	switch {
	case len(stack) == 0:
		return field.Invalid("reservations", nil, "must have a dynamic reservation")
	case stack[len(stack)-1].GetType() != mesos.Resource_ReservationInfo_DYNAMIC:
		return field.Invalid("reservations", e.Role(), "must end with a dynamic reservation")
	case e.Revocable():
		return field.Invalid("revocable", nil, "must not be set: what may be taken away cannot be reserved")
	}
	return plainForm(e)
}

// plainForm checks that a resource is no volume.
func plainForm(e resources.Entry) error {
	if isVolume(e) {
		return field.Invalid("disk.persistence.id", e.Disk().GetPersistence().GetId(), "is a volume, which must be destroyed first")
	}
	switch d := e.Disk(); {
	case d == nil:
		return nil
	case d.Volume != nil:
		return field.Invalid("disk.volume", d.GetVolume().GetContainerPath(), "must not be set without disk.persistence")
	case d.Source == nil:
		return field.Invalid("disk", nil, "must not be set and empty")
	}
	return nil
}

func reserveForm(r *mesos.Offer_Operation_Reserve) error {
	target, err := listForm("resources", r.GetResources(), dynamicForm)
	if err != nil || len(r.GetSource()) == 0 {
		return err
	}
	source, err := listForm("source", r.GetSource(), plainForm)
	if err != nil {
		return err
	}
	if err := oneStack("source", source); err != nil {
		return err
	}
	if err := oneStack("resources", target); err != nil {
		return err
	}
	if !unreserved(source).Equal(unreserved(target)) {
		return field.Invalid("source", source.String(), "must come to the same as resources, %s", target)
	}
	return nil
}

// oneStack checks that all of r is reserved in the same way.
func oneStack(path string, r resources.Resources) error {
	first, want := true, ""
	for e := range r.All() {
		stack := e.Stack()
		if !first && stack != want {
			return field.Invalid(path, e.String(), "is reserved in another way than the others")
		}
		first, want = false, stack
	}
	return nil
}

func unreserved(r resources.Resources) resources.Resources {
	return r.Convert(func(m *mesos.Resource) { m.Reservations, m.AllocationInfo = nil, nil })
}

// volumesForm checks volumes to create or to destroy, of which none may be
// named twice.
func volumesForm(list []*mesos.Resource) error {
	if _, err := listForm("volumes", list, volumeForm); err != nil {
		return err
	}
	seen := map[volumeKey]bool{}
	for i, r := range list {
		one, err := resources.New(r)
		if err != nil {
			return err
		}
		for e := range one.All() {
			key := keyOf(e)
			if seen[key] {
				return field.At("volumes", i, field.Invalid("disk.persistence.id", key.id, "is there twice"))
			}
			seen[key] = true
		}
	}
	return nil
}

// volumeKey is what tells a volume from all others of its agent.
type volumeKey struct{ role, id string }

func keyOf(e resources.Entry) volumeKey {
	return volumeKey{e.Role(), e.Disk().GetPersistence().GetId()}
}

// volumeForm checks a persistent volume.
func volumeForm(e resources.Entry) error {
	d := e.Disk()
	volume := d.GetVolume()
	switch {
	case d == nil || d.Persistence == nil:
		return field.Missing("disk.persistence")
	case d.Volume == nil:
		return field.Missing("disk.volume")
	case volume.GetMode() != mesos.Volume_RW:
		return field.Invalid("disk.volume.mode", volume.GetMode(), "must be RW")
	case volume.HostPath != nil:
		return field.Invalid("disk.volume.host_path", volume.GetHostPath(), "must not be set")
	case volume.Source != nil:
		return field.Invalid("disk.volume.source", volume.GetSource().GetType(), "must not be set")
	case volume.Image != nil:
		return field.Invalid("disk.volume.image", volume.GetImage().GetType(), "must not be set")
	}
	return names.CheckContainerPath("disk.volume.container_path", volume.GetContainerPath())
}

// resizable checks a volume whose size may be changed.
func resizable(e resources.Entry) error {
	if err := volumeForm(e); err != nil {
		return err
	}
	if e.Shared() {
		return field.Invalid("shared", nil, "must not be set: a shared volume keeps its size")
	}
	switch source := e.Disk().GetSource(); {
	case source == nil || source.GetType() == mesos.Resource_DiskInfo_Source_PATH:
		return nil
	default:
		return field.Invalid("disk.source.type", source.GetType(), "cannot be divided, so that the volume keeps its size")
	}
}

func growForm(g *mesos.Offer_Operation_GrowVolume) error {
	volume, err := resourceForm(g.GetVolume(), resizable)
	if err != nil {
		return field.In("volume", err)
	}
	addition, err := resourceForm(g.GetAddition(), plainForm)
	if err != nil {
		return field.In("addition", err)
	}
	if disk := volume.Convert(strip).Unallocate(); disk.Add(addition.Unallocate()).Len() != 1 {
		return field.Invalid("addition", addition.String(), "must be disk like that of the volume, %s", disk)
	}
	return nil
}

func shrinkForm(s *mesos.Offer_Operation_ShrinkVolume) error {
	volume, err := resourceForm(s.GetVolume(), resizable)
	if err != nil {
		return field.In("volume", err)
	}
	subtract := s.GetSubtract().GetValue()
	less, err := resources.MilliOf(subtract)
	switch size := volume.Scalar(resources.Disk); {
	case err != nil:
		return field.Invalid("subtract.value", subtract, "%s", err)
	case less == 0:
		return field.Invalid("subtract.value", subtract, "must be above 0")
	case less >= size:
		return field.Invalid("subtract.value", subtract, "must be below the size of the volume, %s", size)
	}
	return nil
}
