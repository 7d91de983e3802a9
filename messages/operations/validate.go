package operations

import (
	"slices"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Case is what the check of an operation must know beside it. All resources are
// allocated to nobody.
type Case struct {
	// Framework is who asks; nil for an operator.
	Framework *mesos.FrameworkInfo
	// Role is what the offers are allocated to, one of the framework's roles;
	// empty for an operator.
	Role string
	// Principal is whoever asks, as authenticated; empty without authentication,
	// when operations may name any principal.
	Principal string
	// Agent is what the agent can do.
	Agent []mesos.AgentInfo_Capability_Type
	// Total is what the agent has, offered, used or free.
	Total resources.Resources
	// Used is what tasks and executors of the agent use, and those that are on
	// their way there.
	Used resources.Resources
}

func (c Case) can(t mesos.AgentInfo_Capability_Type) bool { return slices.Contains(c.Agent, t) }

func (c Case) frameworkCan(t mesos.FrameworkInfo_Capability_Type) bool {
	return c.Framework == nil || slices.ContainsFunc(c.Framework.GetCapabilities(), func(f *mesos.FrameworkInfo_Capability) bool {
		return f.GetType() == t
	})
}

// Validate checks whether whoever asks may do op there, as far as can be told
// without asking an authorizer. An error names field and value. That the offers
// have what op consumes is for Apply to tell.
func Validate(op *mesos.Offer_Operation, c Case) error {
	if err := wellFormed(op); err != nil {
		return err
	}
	return field.In(partName(op.GetType()), c.validate(op))
}

func (c Case) validate(op *mesos.Offer_Operation) error {
	switch op.GetType() {
	case mesos.Offer_Operation_RESERVE:
		return c.reserve(op.GetReserve())
	case mesos.Offer_Operation_UNRESERVE:
		return c.each("resources", op.GetUnreserve().GetResources(), c.allocated)
	case mesos.Offer_Operation_CREATE:
		return c.each("volumes", op.GetCreate().GetVolumes(), c.allocated, c.stack, c.volume)
	case mesos.Offer_Operation_DESTROY:
		return c.each("volumes", op.GetDestroy().GetVolumes(), c.allocated, c.destroy)
	case mesos.Offer_Operation_GROW_VOLUME:
		if err := field.In("volume", hold(op.GetGrowVolume().GetVolume(), c.allocated, c.resize)); err != nil {
			return err
		}
		return field.In("addition", hold(op.GetGrowVolume().GetAddition(), c.allocated))
	}
	return field.In("volume", hold(op.GetShrinkVolume().GetVolume(), c.allocated, c.resize))
}

// each holds every resource of list against checks.
func (c Case) each(path string, list []*mesos.Resource, checks ...func(resources.Entry) error) error {
	for i, r := range list {
		if err := hold(r, checks...); err != nil {
			return field.At(path, i, err)
		}
	}
	return nil
}

// hold holds a resource, which is well formed, against checks.
func hold(r *mesos.Resource, checks ...func(resources.Entry) error) error {
	one, err := resources.New(r)
	if err != nil {
		return err
	}
	for e := range one.All() {
		for _, check := range checks {
			if err := check(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// allocated checks that frameworks change what was offered to their role, and
// operators what was given to nobody.
func (c Case) allocated(e resources.Entry) error {
	role := e.AllocatedTo()
	switch {
	case role == "":
		return nil
	case c.Framework == nil:
		return field.Invalid("allocation_info.role", role, "must not be set by an operator")
	case role != c.Role:
		return field.Invalid("allocation_info.role", role, "is not the role of the offers, %q", c.Role)
	}
	return nil
}

func (c Case) reserve(r *mesos.Offer_Operation_Reserve) error {
	if len(r.GetSource()) > 0 && c.Framework != nil {
		return field.Invalid("source", nil, "must not be set by a framework")
	}
	if err := c.each("source", r.GetSource(), c.allocated); err != nil {
		return err
	}
	return c.each("resources", r.GetResources(), c.allocated, c.stack, c.reservation)
}

// stack checks that both sides understand how a resource is reserved.
func (c Case) stack(e resources.Entry) error {
	role, refined := e.Role(), len(e.Reservations()) > 1
	switch {
	case strings.Contains(role, "/") && !c.can(mesos.AgentInfo_Capability_HIERARCHICAL_ROLE):
		return field.Invalid("reservations", role, "needs an agent with HIERARCHICAL_ROLE")
	case refined && !c.can(mesos.AgentInfo_Capability_RESERVATION_REFINEMENT):
		return field.Invalid("reservations", role, "refines a reservation, which needs an agent with RESERVATION_REFINEMENT")
	case refined && !c.frameworkCan(mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT):
		return field.Invalid("reservations", role, "refines a reservation, which needs a framework with RESERVATION_REFINEMENT")
	}
	return nil
}

// reservation checks the newest reservation, which is to be made.
func (c Case) reservation(e resources.Entry) error {
	stack := e.Reservations()
	top := stack[len(stack)-1]
	if c.Framework != nil && top.GetRole() != c.Role {
		return field.Invalid("reservations.role", top.GetRole(), "is not the role of the offers, %q", c.Role)
	}
	return c.principal("reservations.principal", top.Principal)
}

// principal checks that what is made names whoever makes it.
func (c Case) principal(path string, named *string) error {
	switch {
	case c.Principal == "":
		return nil
	case named == nil:
		return field.Invalid(path, nil, "must be set to the principal of whoever asks, %q", c.Principal)
	case *named != c.Principal:
		return field.Invalid(path, *named, "is not the principal of whoever asks, %q", c.Principal)
	}
	return nil
}

// volume checks a volume that is to be made.
func (c Case) volume(e resources.Entry) error {
	key := keyOf(e)
	for other := range c.Total.All() {
		if isVolume(other) && keyOf(other) == key {
			return field.Invalid("disk.persistence.id", key.id, "is a volume of role %q there already", key.role)
		}
	}
	if e.Shared() && !c.frameworkCan(mesos.FrameworkInfo_Capability_SHARED_RESOURCES) {
		return field.Invalid("shared", nil, "needs a framework with SHARED_RESOURCES")
	}
	return c.principal("disk.persistence.principal", e.Disk().GetPersistence().Principal)
}

// destroy checks that a volume is there, and that nobody uses it.
func (c Case) destroy(e resources.Entry) error {
	volume := resources.Sum(e).Unallocate()
	switch id := keyOf(e).id; {
	case !c.Total.Contains(volume):
		return field.Invalid("disk.persistence.id", id, "is not a volume there")
	case c.Used.Contains(volume):
		return field.Invalid("disk.persistence.id", id, "is in use")
	}
	return nil
}

// resize checks that the agent can change the size of volumes.
func (c Case) resize(resources.Entry) error {
	if !c.can(mesos.AgentInfo_Capability_RESIZE_VOLUME) {
		return field.Invalid("", nil, "needs an agent with RESIZE_VOLUME")
	}
	return nil
}
