package view

import (
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Amount names a kind of scalar resource. What is lent of a reservation is no
// less the agent's own than the rest of it, and not Revocable here.
type Amount struct {
	Name      string
	Revocable bool
}

// Amounts sums up scalar resources, whatever their reservations.
type Amounts map[Amount]resources.Milli

// Add adds r, or with the sign -1 takes it away.
func (a Amounts) Add(r resources.Resources, sign resources.Milli) {
	for e := range r.All() {
		if e.Kind() == mesos.Value_SCALAR {
			a[Amount{e.Name(), e.Revocable() && !e.Borrowed()}] += sign * e.Amount() * resources.Milli(e.Copies())
		}
	}
}
