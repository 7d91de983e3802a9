package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/resources"
)

// launchResources refuses what a container cannot be given: one that stands alone
// has only what is nobody's, as no master knows of it, and one that is below
// another's task shares what that has.
func launchResources(c *agent.Call_LaunchContainer) error {
	if err := field.In("resources", resources.Validate(c.GetResources())); err != nil {
		return err
	}
	switch parent := c.GetContainerId().GetParent(); {
	case parent == nil:
		for i, r := range c.GetResources() {
			if err := nobodys(r); err != nil {
				return field.At("resources", i, err)
			}
		}
	case parent.GetParent() == nil:
	case len(c.GetResources()) > 0:
		return field.Invalid("resources", nil, "cannot be given to a container at the second level or below")
	case len(c.GetLimits()) > 0:
		return field.Invalid("limits", nil, "cannot be given to a container at the second level or below")
	}
	return nil
}

func nobodys(r *mesos.Resource) error {
	switch {
	case len(r.GetReservations()) > 0 || r.Role != nil && r.GetRole() != "*":
		return field.Invalid("reservations", r.GetName(), "a container that stands alone has unreserved resources only")
	case r.GetDisk().GetPersistence() != nil:
		return field.Invalid("disk.persistence", r.GetDisk().GetPersistence().GetId(), "a container that stands alone has no persistent volumes")
	case r.GetRevocable() != nil:
		return field.Invalid("revocable", r.GetName(), "a container that stands alone has no revocable resources")
	}
	return nil
}
