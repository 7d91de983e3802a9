package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// claim is what a task and its executor, or a group, use together. All of it
// must be possible side by side: nothing that there is only one of, such as a
// port or a volume that is not shared, is used twice, no name is revocable in
// one place and not in another, and everything is allocated to one role. What is
// not said to be allocated belongs to the role of the others.
type claim struct {
	sum       resources.Resources
	role      string          // that is named; empty while none is
	revocable map[string]bool // by name
	volumes   map[volumeKey]bool
}

// volumeKey is what tells a persistent volume from all others of its agent.
type volumeKey struct{ role, id string }

// add adds list to the claim, or tells why it cannot be.
func (c *claim) add(list []*mesos.Resource) error {
	more, err := resources.New(list...)
	if err != nil {
		return err
	}
	if c.revocable == nil {
		c.revocable, c.volumes = map[string]bool{}, map[volumeKey]bool{}
	}
	for i, r := range list {
		if err := c.note(r); err != nil {
			return field.At("", i, err)
		}
	}
	if err := apart(more, c.sum); err != nil {
		return err
	}
	c.sum = c.sum.Add(more)
	return nil
}

// note keeps what add must know of r later.
func (c *claim) note(r *mesos.Resource) error {
	name, taken := r.GetName(), r.Revocable != nil
	if before, seen := c.revocable[name]; seen && before != taken {
		return field.Invalid("name", name, "is revocable in one place and not in another")
	}
	c.revocable[name] = taken
	if role := r.GetAllocationInfo().GetRole(); role != "" {
		if c.role != "" && role != c.role {
			return field.Invalid("allocation_info.role", role, "is not that of the others, %q", c.role)
		}
		c.role = role
	}
	if err := diskUse(r); err != nil || r.GetDisk().GetPersistence() == nil || r.Shared != nil {
		return err
	}
	volume := volumeKey{reservedFor(r), r.GetDisk().GetPersistence().GetId()}
	if c.volumes[volume] {
		return field.Invalid("disk.persistence.id", volume.id, "is there twice")
	}
	c.volumes[volume] = true
	return nil
}

// reservedFor is the role that r is reserved for now, in any form.
func reservedFor(r *mesos.Resource) string {
	if n := len(r.GetReservations()); n > 0 {
		return r.GetReservations()[n-1].GetRole()
	}
	return r.GetRole()
}

// diskUse checks how a disk is to be used: a persistent volume says where it
// appears, and nothing else says so.
func diskUse(r *mesos.Resource) error {
	d := r.GetDisk()
	volume := d.GetVolume()
	switch {
	case d == nil:
		return nil
	case d.Persistence == nil && d.Volume != nil:
		return field.Invalid("disk.volume", volume.GetContainerPath(), "must not be set without disk.persistence")
	case d.Persistence == nil && d.Source == nil:
		return field.Invalid("disk", nil, "must not be set and empty")
	case d.Persistence == nil:
		return nil
	case d.Volume == nil:
		return field.Missing("disk.volume")
	case volume.HostPath != nil:
		return field.Invalid("disk.volume.host_path", volume.GetHostPath(), "must not be set for a persistent volume")
	}
	return names.CheckContainerPath("disk.volume.container_path", volume.GetContainerPath())
}

// apart checks that no number of a range and no item of a set is in both more
// and used.
func apart(more, used resources.Resources) error {
	for e := range more.All() {
		if both := used.Ranges(e.Name()).Minus(used.Ranges(e.Name()).Minus(e.Ranges())); len(both) > 0 {
			return field.Invalid(e.Name(), both, "is used twice")
		}
		if both := used.Set(e.Name()).Minus(used.Set(e.Name()).Minus(e.Set())); len(both) > 0 {
			return field.Invalid(e.Name(), both, "is used twice")
		}
	}
	return nil
}
