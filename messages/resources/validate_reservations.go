package resources

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// validateReservations accepts the three forms in which reservations come: a
// stack (reservations), the older single one (role and reservation), and both
// at once as endpoints show it.
func validateReservations(r *mesos.Resource) error {
	if err := names.CheckRole("role", r.GetRole()); err != nil {
		return err
	}
	if len(r.Reservations) > 0 {
		return validateStack(r)
	}
	if r.Reservation == nil {
		return nil
	}
	if r.GetRole() == names.AnyRole {
		return field.Invalid("reservation", nil, "must not be set when role is %q", names.AnyRole)
	}
	if r.Reservation.Role != nil {
		return field.Invalid("reservation.role", r.Reservation.GetRole(), "must not be set beside role")
	}
	if r.Reservation.Type != nil {
		return field.Invalid("reservation.type", r.Reservation.GetType(), "must not be set beside role")
	}
	return nil
}

func validateStack(r *mesos.Resource) error {
	for i, reservation := range r.Reservations {
		if err := validateReservation(r.Reservations[:i], reservation); err != nil {
			return field.At("reservations", i, err)
		}
	}
	top := r.Reservations[len(r.Reservations)-1]
	if r.GetRole() != names.AnyRole && r.GetRole() != top.GetRole() {
		return field.Invalid("role", r.GetRole(), "is not the role of the last of reservations, %q", top.GetRole())
	}
	return nil
}

// validateReservation checks one reservation on top of those below it.
func validateReservation(below []*mesos.Resource_ReservationInfo, r *mesos.Resource_ReservationInfo) error {
	kind := r.GetType()
	if kind != mesos.Resource_ReservationInfo_STATIC && kind != mesos.Resource_ReservationInfo_DYNAMIC {
		return field.Invalid("type", kind, "must be STATIC or DYNAMIC")
	}
	if err := names.CheckRole("role", r.GetRole()); err != nil {
		return err
	}
	if r.GetRole() == names.AnyRole {
		return field.Invalid("role", r.GetRole(), "cannot be reserved for")
	}
	if len(below) == 0 {
		return nil
	}
	if kind == mesos.Resource_ReservationInfo_STATIC {
		return field.Invalid("type", kind, "must be DYNAMIC but for the first reservation")
	}
	last := below[len(below)-1].GetRole()
	if r.GetRole() == last || !names.Within(r.GetRole(), last) {
		return field.Invalid("role", r.GetRole(), "must be below %q, which it refines", last)
	}
	return nil
}

// validateDisk checks r.disk; a persistent volume needs a reservation.
func validateDisk(r *mesos.Resource) error {
	d := r.Disk
	if d == nil {
		return nil
	}
	if r.GetName() != Disk {
		return field.Invalid("disk", nil, "must not be set but for %q", Disk)
	}
	if err := validateSource(d.Source); err != nil {
		return field.In("disk.source", err)
	}
	if d.Persistence == nil {
		return nil
	}
	if err := names.CheckID("disk.persistence.id", d.Persistence.GetId()); err != nil {
		return err
	}
	if len(r.Reservations) == 0 && r.GetRole() == names.AnyRole {
		return field.Invalid("disk.persistence.id", d.Persistence.GetId(), "must be on reserved disk")
	}
	if r.Revocable != nil {
		return field.Invalid("disk.persistence.id", d.Persistence.GetId(), "must not be on revocable disk")
	}
	return nil
}

func validateSource(s *mesos.Resource_DiskInfo_Source) error {
	if s == nil {
		return nil
	}
	switch kind := s.GetType(); kind {
	case mesos.Resource_DiskInfo_Source_PATH, mesos.Resource_DiskInfo_Source_MOUNT:
		return nil
	case mesos.Resource_DiskInfo_Source_BLOCK, mesos.Resource_DiskInfo_Source_RAW:
		if s.Mount != nil {
			return field.Invalid("mount", nil, "must not be set when type is %s", kind)
		}
		if s.Path != nil {
			return field.Invalid("path", nil, "must not be set when type is %s", kind)
		}
		return nil
	default:
		return field.Invalid("type", kind, "must be PATH, MOUNT, BLOCK or RAW")
	}
}
