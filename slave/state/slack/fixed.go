package slack

import (
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Fixed lends the same always.
type Fixed struct{ lent resources.Resources }

// NewFixed lends what is given, made revocable.
func NewFixed(what resources.Resources) Fixed { return Fixed{revocable(what)} }

// Estimate implements Estimator.
func (f Fixed) Estimate(Sample) resources.Resources { return f.lent }

func revocable(r resources.Resources) resources.Resources {
	return r.Convert(func(m *mesos.Resource) { m.Revocable = &mesos.Resource_RevocableInfo{} })
}
