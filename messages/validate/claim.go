package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
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
	volumes   map[string]bool // persistence ids
}

// add adds list to the claim, or tells why it cannot be.
func (c *claim) add(list []*mesos.Resource) error {
	more, err := resources.New(list...)
	if err != nil {
		return err
	}
	if c.revocable == nil {
		c.revocable, c.volumes = map[string]bool{}, map[string]bool{}
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
	id := r.GetDisk().GetPersistence().GetId()
	if id == "" || r.Shared != nil {
		return nil
	}
	if c.volumes[id] {
		return field.Invalid("disk.persistence.id", id, "is there twice")
	}
	c.volumes[id] = true
	return nil
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
