package validate

import (
	"maps"
	"slices"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// FrameworkInfo checks what a framework says of itself when it subscribes. An
// empty id counts as none.
func FrameworkInfo(f *mesos.FrameworkInfo) error {
	if f == nil {
		return field.Missing("")
	}
	if f.GetId().GetValue() != "" {
		if err := names.CheckID("id.value", f.GetId().GetValue()); err != nil {
			return err
		}
	}
	if err := frameworkRoles(f); err != nil {
		return err
	}
	if err := seconds("failover_timeout", f.GetFailoverTimeout()); err != nil {
		return err
	}
	for _, role := range slices.Sorted(maps.Keys(f.GetOfferFilters())) {
		if err := OfferFilters(f.GetOfferFilters()[role]); err != nil {
			return field.In("offer_filters["+role+"]", err)
		}
	}
	return nil
}

// Capable tells whether f has the capability c.
func Capable(f *mesos.FrameworkInfo, c mesos.FrameworkInfo_Capability_Type) bool {
	return slices.ContainsFunc(f.GetCapabilities(), func(x *mesos.FrameworkInfo_Capability) bool { return x.GetType() == c })
}

// Roles returns the roles of f: those of the list roles when it is
// MULTI_ROLE capable, otherwise its single role.
func Roles(f *mesos.FrameworkInfo) []string {
	if Capable(f, mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		return f.GetRoles()
	}
	return []string{f.GetRole()}
}

func frameworkRoles(f *mesos.FrameworkInfo) error {
	if !Capable(f, mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		if len(f.GetRoles()) > 0 {
			return field.Invalid("roles", f.GetRoles(), "must not be set without the capability MULTI_ROLE")
		}
		return names.CheckRole("role", f.GetRole())
	}
	if f.Role != nil {
		return field.Invalid("role", f.GetRole(), "must not be set with the capability MULTI_ROLE; set roles")
	}
	return RoleList("roles", f.GetRoles())
}

// RoleList checks that each of roles is well formed and there once; path is
// the field's.
func RoleList(path string, roles []string) error {
	seen := make(map[string]bool, len(roles))
	for i, role := range roles {
		if err := names.CheckRole("", role); err != nil {
			return field.At(path, i, err)
		}
		if seen[role] {
			return field.At(path, i, field.Invalid("", role, "is there twice"))
		}
		seen[role] = true
	}
	return nil
}

// OfferFilters checks the quantities in f.
func OfferFilters(f *mesos.OfferFilters) error {
	for i, q := range f.GetMinAllocatableResources().GetQuantities() {
		if err := quantities(q.GetQuantities()); err != nil {
			return field.At("min_allocatable_resources.quantities", i, field.In("quantities", err))
		}
	}
	return nil
}

// quantities checks amounts by name.
func quantities(amounts map[string]*mesos.Value_Scalar) error {
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		path := "[" + name + "]"
		if err := names.CheckResource(path, name); err != nil {
			return err
		}
		amount := amounts[name].GetValue()
		if _, err := resources.MilliOf(amount); err != nil {
			return field.Invalid(path+".value", amount, "%s", err)
		}
	}
	return nil
}

// AgentInfo checks what an agent says of itself when it registers.
func AgentInfo(a *mesos.AgentInfo) error {
	if a == nil {
		return field.Missing("")
	}
	if a.GetHostname() == "" {
		return field.Invalid("hostname", "", "must not be empty")
	}
	if p := a.GetPort(); p < 0 || p > maxPort {
		return field.Invalid("port", p, "must be between 0 and %d", maxPort)
	}
	if a.Id != nil {
		if err := names.CheckID("id.value", a.GetId().GetValue()); err != nil {
			return err
		}
	}
	for i, attribute := range a.GetAttributes() {
		if err := names.CheckResource("name", attribute.GetName()); err != nil {
			return field.At("attributes", i, err)
		}
	}
	if err := field.In("domain", DomainInfo(a.Domain)); err != nil {
		return err
	}
	return field.In("resources", resources.Validate(a.GetResources()))
}

// DomainInfo checks where a master or an agent stands; nil is nowhere.
func DomainInfo(d *mesos.DomainInfo) error {
	switch fault := d.GetFaultDomain(); {
	case d == nil:
		return nil
	case d.FaultDomain == nil:
		return field.Missing("fault_domain")
	case fault.GetRegion().GetName() == "":
		return field.Missing("fault_domain.region.name")
	case fault.GetZone().GetName() == "":
		return field.Missing("fault_domain.zone.name")
	}
	return nil
}

// Caller checks that who has proved to be a principal may speak for a framework.
func Caller(principal string, f *mesos.FrameworkInfo) error {
	if principal == f.GetPrincipal() {
		return nil
	}
	return field.Invalid("framework_info.principal", f.GetPrincipal(),
		"Authenticated principal '%s' does not match principal '%s' set in `FrameworkInfo`", principal, f.GetPrincipal())
}
