package state

import (
	"maps"
	"slices"

	"troupe/messages/constraints"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/validate"
)

// checkTerms checks what a framework says of itself, and that this master
// allows it.
func (m *Machine) checkTerms(t terms) error {
	info := t.info
	if err := validate.FrameworkInfo(info); err != nil {
		return field.In("framework_info", err)
	}
	if m.cfg.RefuseRoot && info.GetUser() == "root" {
		return field.Invalid("framework_info.user", info.GetUser(), "is not allowed by this master")
	}
	roles := validate.Roles(info)
	for i, role := range roles {
		if len(m.cfg.Roles) > 0 && !slices.Contains(m.cfg.Roles, role) {
			return field.At("framework_info.roles", i, field.Invalid("", role, "is not among the roles that this master allows"))
		}
	}
	for i, role := range t.suppressed {
		if !slices.Contains(roles, role) {
			return field.At("suppressed_roles", i, field.Invalid("", role, "is not among the framework's roles"))
		}
	}
	wanted, err := constraints.Compile(t.constraints)
	if err != nil {
		return field.In("offer_constraints", err)
	}
	for _, role := range slices.Sorted(maps.Keys(wanted)) {
		if !slices.Contains(roles, role) {
			return field.Invalid("offer_constraints.role_constraints", role, "is not among the framework's roles")
		}
	}
	return nil
}

// checkUpdate checks that an UPDATE_FRAMEWORK leaves alone what never changes.
func checkUpdate(have, want *mesos.FrameworkInfo) error {
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

// checkNoID checks that an operation that launches does not ask for feedback.
func checkNoID(op *mesos.Offer_Operation) error {
	if op.Id != nil {
		return field.Invalid("operation.id", op.GetId().GetValue(), "must not be set for %s", op.GetType())
	}
	return nil
}

// checkOwner checks that an executor does not claim to be of another framework.
func checkOwner(e *mesos.ExecutorInfo, f FrameworkID) error {
	if given := e.GetFrameworkId().GetValue(); given != "" && given != string(f) {
		return field.Invalid("executor.framework_id", given, "is not the framework's own id %s", f)
	}
	return nil
}

// userOf is who a task runs as.
func userOf(info *mesos.TaskInfo, f *mesos.FrameworkInfo) string {
	for _, user := range []string{info.GetCommand().GetUser(), info.GetExecutor().GetCommand().GetUser()} {
		if user != "" {
			return user
		}
	}
	return f.GetUser()
}
