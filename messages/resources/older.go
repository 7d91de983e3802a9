package resources

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// ProtoOlder is Proto in the form from before stacks of reservations, which
// frameworks without RESERVATION_REFINEMENT expect: role, and reservation for
// a dynamic one. It fails for what that form cannot say: several reservations
// of one resource, or a static one with principal or labels.
func (r Resources) ProtoOlder() ([]*mesos.Resource, error) {
	list := r.Proto()
	for i, m := range list {
		if !hasOlder(m.Reservations) {
			return nil, field.At("", i, field.Invalid("reservations", describeReservations(m.Reservations), "cannot be said by role and reservation"))
		}
		m = withOlder(m)
		m.Reservations = nil
		list[i] = m
	}
	return list, nil
}

// ProtoEndpoint is Proto as endpoints show it: with stacks, and beside them
// role and reservation where these can say the same.
func (r Resources) ProtoEndpoint() []*mesos.Resource {
	list := r.Proto()
	for i, m := range list {
		if len(m.Reservations) < 2 {
			list[i] = withOlder(m)
		}
	}
	return list
}

func hasOlder(stack []*mesos.Resource_ReservationInfo) bool {
	if len(stack) != 1 {
		return len(stack) == 0
	}
	r := stack[0]
	return r.GetType() == mesos.Resource_ReservationInfo_DYNAMIC || r.Principal == nil && r.Labels == nil
}

// withOlder returns a copy of m, which is reserved once at most, with role and
// reservation set.
func withOlder(m *mesos.Resource) *mesos.Resource {
	older := shallow(m)
	older.Scalar, older.Ranges, older.Set = m.Scalar, m.Ranges, m.Set
	role := names.AnyRole
	if len(m.Reservations) == 1 {
		top := m.Reservations[0]
		role = top.GetRole()
		if top.GetType() == mesos.Resource_ReservationInfo_DYNAMIC {
			older.Reservation = &mesos.Resource_ReservationInfo{Principal: top.Principal, Labels: top.Labels}
		}
	}
	older.Role = &role
	return older
}
