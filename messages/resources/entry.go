package resources

import (
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// Entry is one resource of a Resources: an identity and how much of it.
type Entry struct {
	key    string          // see appendIdentity
	form   *mesos.Resource // all but the value, which is not looked at; shared, never changed
	value  value
	copies int // of what cannot be divided; otherwise 1
}

// entryOf makes an entry of v in the form of r, which is valid.
func entryOf(r *mesos.Resource, v value) Entry {
	if r.Reservation != nil || len(r.Reservations) == 0 && r.GetRole() != names.AnyRole {
		r = refined(r)
	}
	var buf [160]byte
	k := appendIdentity(buf[:0], r, v)
	if e, ok := common[string(k)]; ok {
		e.value = v
		return e
	}
	return Entry{key: string(k), form: refined(r), value: v, copies: 1}
}

// Name returns the resource's name, such as "cpus".
func (e Entry) Name() string { return e.form.GetName() }

// Kind returns SCALAR, RANGES or SET.
func (e Entry) Kind() mesos.Value_Type { return e.value.kind }

// Amount returns the scalar of one copy, or 0 for other kinds.
func (e Entry) Amount() Milli { return e.value.scalar }

// Ranges returns the ranges, or none for other kinds.
func (e Entry) Ranges() Ranges { return e.value.ranges }

// Set returns the set, or none for other kinds.
func (e Entry) Set() Set { return e.value.set }

// Copies returns how often the resource is there: 1 unless it is shared or
// otherwise indivisible.
func (e Entry) Copies() int { return e.copies }

// Role returns the role that the resource is reserved for now, the top of its
// stack of reservations, or "*" when it is not reserved.
func (e Entry) Role() string {
	if n := len(e.form.Reservations); n > 0 {
		return e.form.Reservations[n-1].GetRole()
	}
	return names.AnyRole
}

// Reservations returns the stack of reservations, the newest last; not to be
// changed.
func (e Entry) Reservations() []*mesos.Resource_ReservationInfo { return e.form.Reservations }

// AllocatedTo returns the role that the resource is given to, or "".
func (e Entry) AllocatedTo() string { return e.form.GetAllocationInfo().GetRole() }

// Disk returns which disk it is, or nil; not to be changed.
func (e Entry) Disk() *mesos.Resource_DiskInfo { return e.form.Disk }

// Revocable tells whether the resource may be taken away at any time.
func (e Entry) Revocable() bool { return e.form.Revocable != nil }

// Shared tells whether several tasks may use the resource at once.
func (e Entry) Shared() bool { return e.form.Shared != nil }

// Plain tells whether the resource is a scalar with nothing but its name and
// amount, whoever it is given to.
func (e Entry) Plain() bool {
	f := e.form
	return e.value.kind == mesos.Value_SCALAR && e.copies == 1 && len(f.Reservations) == 0 && f.Disk == nil && f.Revocable == nil &&
		f.Shared == nil && f.ProviderId == nil && len(f.ProtoReflect().GetUnknown()) == 0
}

// Proto returns one copy as a message that shares parts with others and must
// not be changed.
func (e Entry) Proto() *mesos.Resource {
	m := shallow(e.form)
	e.value.write(m)
	return m
}

// fits tells whether a task that asks for want can be served from e.
func (e Entry) fits(want Entry) bool {
	return e.Name() == want.Name() && e.Kind() == want.Kind() &&
		e.Revocable() == want.Revocable() && !indivisible(e.form)
}

// Same tells whether e and o add up.
func (e Entry) Same(o Entry) bool { return e.key == o.key }

// total returns the scalar of all copies, but of one when they are shared.
func (e Entry) total() Milli {
	if e.Shared() {
		return e.value.scalar
	}
	return e.value.scalar.times(e.copies)
}

func (e Entry) isEmpty() bool { return e.copies == 0 || e.value.isEmpty() }

func (e Entry) plus(o Entry) Entry {
	if indivisible(e.form) {
		e.copies += o.copies
	} else {
		e.value = e.value.plus(o.value)
	}
	return e
}

func (e Entry) minus(o Entry) Entry {
	if indivisible(e.form) {
		e.copies = max(0, e.copies-o.copies)
	} else {
		e.value = e.value.minus(o.value)
	}
	return e
}

func (e Entry) contains(o Entry) bool {
	return e.copies >= o.copies && e.value.contains(o.value)
}

// refined returns r in the form with a stack of reservations: itself, if it
// has that form already. r is valid.
func refined(r *mesos.Resource) *mesos.Resource {
	if r.Role == nil && r.Reservation == nil {
		return r
	}
	form := shallow(r)
	if len(form.Reservations) == 0 && r.GetRole() != names.AnyRole {
		form.Reservations = []*mesos.Resource_ReservationInfo{asReservation(r)}
	}
	form.Role, form.Reservation = nil, nil
	return form
}

// asReservation makes of the older fields role and reservation what stands for
// them in a stack.
func asReservation(r *mesos.Resource) *mesos.Resource_ReservationInfo {
	role := r.GetRole()
	if r.Reservation == nil {
		return &mesos.Resource_ReservationInfo{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: &role}
	}
	return &mesos.Resource_ReservationInfo{
		Type:      mesos.Resource_ReservationInfo_DYNAMIC.Enum(),
		Role:      &role,
		Principal: r.Reservation.Principal,
		Labels:    r.Reservation.Labels,
	}
}

// shallow copies r without its value.
func shallow(r *mesos.Resource) *mesos.Resource {
	m := &mesos.Resource{
		ProviderId:     r.ProviderId,
		Name:           r.Name,
		Type:           r.Type,
		Role:           r.Role,
		AllocationInfo: r.AllocationInfo,
		Reservation:    r.Reservation,
		Reservations:   r.Reservations,
		Disk:           r.Disk,
		Revocable:      r.Revocable,
		Shared:         r.Shared,
	}
	if unknown := r.ProtoReflect().GetUnknown(); len(unknown) > 0 {
		m.ProtoReflect().SetUnknown(unknown)
	}
	return m
}
