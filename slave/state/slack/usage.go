package slack

import (
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const (
	// remembered is how many samples must agree before more is lent; less is lent
	// at once.
	remembered = 4
	// kept is the share of the slack that is not lent: what was idle may wake up.
	kept = 0.2
	// step is the unit of what is lent, in thousandths of a CPU: each change takes
	// offers back.
	step = 100
)

// Usage lends the CPU time that containers have and leave unused: the least
// that was left in the last four samples, but for a fifth. What a container uses
// of what it was lent itself counts as its own use, and one that is new, or could
// not be measured, counts as using all it has. Only CPUs are lent: they can be had
// back at once.
type Usage struct {
	rates rates
	slack []resources.Milli // of the last samples, the newest last
}

// NewUsage has seen nothing, and lends nothing until it has.
func NewUsage() *Usage { return &Usage{} }

// Estimate implements Estimator.
func (u *Usage) Estimate(s Sample) resources.Resources {
	used := u.rates.next(s)
	if used == nil {
		return lend(u.least())
	}
	var idle resources.Milli
	for i, c := range s.Containers {
		idle += used[i].idle(c)
	}
	u.slack = append(u.slack, idle)
	if len(u.slack) > remembered {
		u.slack = slices.Delete(u.slack, 0, len(u.slack)-remembered)
	}
	return lend(u.least())
}

// least is the smallest slack of late; none before there are samples enough.
func (u *Usage) least() resources.Milli {
	if len(u.slack) < remembered {
		return 0
	}
	return slices.Min(u.slack)
}

func lend(slack resources.Milli) resources.Resources {
	amount := resources.Milli(float64(slack) * (1 - kept))
	amount -= amount % step
	if amount <= 0 {
		return resources.Resources{}
	}
	name, value := resources.CPUs, amount.Float()
	list, err := resources.New(&mesos.Resource{
		Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value},
	})
	if err != nil {
		return resources.Resources{} // cannot be: it is more than nothing, and less than what there is
	}
	return revocable(list)
}
