package resources

import "troupe/messages/mesos"

// Borrowed tells whether the resource is a reservation that is lent to somebody
// else: it is reserved, and revocable. What it is taken from, which its agent has
// and its owner may use, is the same but for being revocable: see Underlying.
func (e Entry) Borrowed() bool { return e.form.Revocable != nil && len(e.form.Reservations) > 0 }

// Lendable tells whether the resource is a reservation that may be lent: nothing
// that holds data of its owner, or that several may use at once.
func (e Entry) Lendable() bool {
	return len(e.form.Reservations) > 0 && e.form.Revocable == nil && e.form.Disk == nil && e.form.Shared == nil && e.form.ProviderId == nil
}

// Borrowed returns what of r is borrowed.
func (r Resources) Borrowed() Resources { return r.Filter(Entry.Borrowed) }

// Underlying returns r with what is borrowed as its owner has it. What an agent
// has, less the underlying of all that is taken there, is free.
func (r Resources) Underlying() Resources {
	if !r.borrows() {
		return r
	}
	return r.Convert(func(form *mesos.Resource) {
		if len(form.Reservations) > 0 {
			form.Revocable = nil
		}
	})
}

func (r Resources) borrows() bool {
	for _, e := range r.entries {
		if e.Borrowed() {
			return true
		}
	}
	return false
}

// Lent returns what of r may be lent, as who borrows it has it.
func (r Resources) Lent() Resources {
	return r.Filter(Entry.Lendable).Convert(func(form *mesos.Resource) { form.Revocable = &mesos.Resource_RevocableInfo{} })
}
