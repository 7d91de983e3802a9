package resources

import (
	"sort"

	"troupe/messages/mesos"
)

// Convert returns r with every entry changed by change, which gets a copy
// without the value: it may set fields, but must not change what they point
// to. What it makes must be valid and in the form with a stack of reservations.
func (r Resources) Convert(change func(*mesos.Resource)) Resources {
	entries := make([]Entry, len(r.entries))
	for i, e := range r.entries {
		form := shallow(e.form)
		change(form)
		entries[i] = entryOf(form, e.value)
		entries[i].copies = e.copies
	}
	return normal(entries)
}

// Own returns o in r's words: where r has something that adds up with an entry
// of o, what does not count for that (the principal of a volume, and how it is
// used) is as r has it.
func (r Resources) Own(o Resources) Resources {
	entries := make([]Entry, len(o.entries))
	for i, e := range o.entries {
		if own, ok := r.find(e.key); ok {
			e.form = own.form
		}
		entries[i] = e
	}
	return Resources{entries}
}

func (r Resources) find(key string) (Entry, bool) {
	i := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].key >= key })
	if i < len(r.entries) && r.entries[i].key == key {
		return r.entries[i], true
	}
	return Entry{}, false
}

// Use takes what a task needs from r: of what is shared, r must have a copy,
// and it stays. It returns what is left, or false when r has too little.
func (r Resources) Use(need Resources) (Resources, bool) {
	shared, alone := need.Filter(Entry.Shared), need.Filter(func(e Entry) bool { return !e.Shared() })
	for e := range shared.All() {
		if _, ok := r.find(e.key); !ok {
			return r, false
		}
	}
	if !r.Contains(alone) {
		return r, false
	}
	return r.Without(alone), true
}

// Sum returns entries of others together.
func Sum(entries ...Entry) Resources { return normal(append([]Entry(nil), entries...)) }

// Stack returns a key that is equal for two entries exactly when they are
// reserved in the same way.
func (e Entry) Stack() string {
	var k []byte
	for _, reservation := range e.form.Reservations {
		k = appendReservation(k, reservation)
	}
	return string(k)
}
