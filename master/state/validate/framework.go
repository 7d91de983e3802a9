package validate

import (
	"math"
	"slices"
	"time"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// FrameworkRules are what an operator allows frameworks.
type FrameworkRules struct {
	RefuseRoot bool
	// When not empty, no other roles may be had.
	Roles []string
}

// Framework checks what a framework says of itself.
func Framework(info *mesos.FrameworkInfo, rules FrameworkRules) error {
	roles, err := frameworkRoles(info)
	if err != nil {
		return field.In("framework_info", err)
	}
	for _, role := range roles {
		if len(rules.Roles) > 0 && !slices.Contains(rules.Roles, role) {
			return field.Invalid("framework_info.roles", role, "is not among the roles that this master allows")
		}
	}
	if id := info.GetId().GetValue(); id != "" {
		if err := names.CheckID("framework_info.id", id); err != nil {
			return err
		}
	}
	if t := info.GetFailoverTimeout(); math.IsNaN(t) || t < 0 || t > math.MaxInt64/float64(time.Second) {
		return field.Invalid("framework_info.failover_timeout", t, "is not a duration from 0 to 292 years")
	}
	if rules.RefuseRoot && info.GetUser() == "root" {
		return field.Invalid("framework_info.user", info.GetUser(), "is not allowed by this master")
	}
	return filters(info)
}

func frameworkRoles(info *mesos.FrameworkInfo) ([]string, error) {
	if !multiRole(info) {
		if len(info.GetRoles()) > 0 {
			return nil, field.Invalid("roles", info.GetRoles(), "must not be set without the capability MULTI_ROLE")
		}
		return []string{info.GetRole()}, names.CheckRole("role", info.GetRole())
	}
	if info.Role != nil {
		return nil, field.Invalid("role", info.GetRole(), "must not be set with the capability MULTI_ROLE")
	}
	seen := make(map[string]bool, len(info.GetRoles()))
	for i, role := range info.GetRoles() {
		if err := names.CheckRole("", role); err != nil {
			return nil, field.At("roles", i, err)
		}
		if seen[role] {
			return nil, field.At("roles", i, field.Invalid("", role, "is named twice"))
		}
		seen[role] = true
	}
	return info.GetRoles(), nil
}

func multiRole(info *mesos.FrameworkInfo) bool {
	for _, c := range info.GetCapabilities() {
		if c.GetType() == mesos.FrameworkInfo_Capability_MULTI_ROLE {
			return true
		}
	}
	return false
}

// filters checks the amounts in a framework's offer filters.
func filters(info *mesos.FrameworkInfo) error {
	for _, role := range sortedKeys(info.GetOfferFilters()) {
		for _, set := range info.GetOfferFilters()[role].GetMinAllocatableResources().GetQuantities() {
			for _, name := range sortedKeys(set.GetQuantities()) {
				if v := set.GetQuantities()[name].GetValue(); !(v >= 0) || math.IsInf(v, 0) {
					return field.Invalid("framework_info.offer_filters", v, "of %q for role %q is no amount", name, role)
				}
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Suppressed checks that suppressed roles are among a framework's.
func Suppressed(roles, suppressed []string) error {
	for i, role := range suppressed {
		if !slices.Contains(roles, role) {
			return field.At("suppressed_roles", i, field.Invalid("", role, "is not among the framework's roles"))
		}
	}
	return nil
}

// Update checks that an UPDATE_FRAMEWORK leaves alone what never changes.
func Update(have, want *mesos.FrameworkInfo) error {
	switch {
	case have.GetPrincipal() != want.GetPrincipal():
		return field.Invalid("framework_info.principal", want.GetPrincipal(), "Changing framework's principal is not allowed.")
	case have.GetUser() != want.GetUser():
		return field.Invalid("framework_info.user", want.GetUser(), "may not change from %q", have.GetUser())
	case have.GetCheckpoint() != want.GetCheckpoint():
		return field.Invalid("framework_info.checkpoint", want.GetCheckpoint(), "may not change")
	}
	return nil
}
