package state

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
)

// checkDomain says whether an agent may stand in domain: where it stands means
// nothing without knowing where the master does. One that is refused may try
// again: it can be started anew with another domain, and its tasks go on
// meanwhile.
func (m *Machine) checkDomain(domain *mesos.DomainInfo) error {
	switch {
	case domain == nil && m.cfg.RequireAgentDomain:
		return field.Invalid("domain", nil, "must be set: this master takes no agent without")
	case domain != nil && m.cfg.Info.GetDomain() == nil:
		return field.Invalid("domain", domain.GetFaultDomain().GetRegion().GetName(), "must not be set: this master has no domain itself")
	}
	return nil
}
