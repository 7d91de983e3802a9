package state

import (
	"cmp"
	"slices"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
	"troupe/messages/names"
	"troupe/messages/resources"
	"troupe/messages/validate"
)

// quotaRequest makes the quotas of roles what an operator wants: all of it, or
// nothing.
func (m *Machine) quotaRequest(in Received, msg *cluster.QuotaRequest) {
	if msg.Action == nil {
		m.refuseRequest(in, badRequest, field.Missing("action").Error())
		return
	}
	if status, err := m.checkQuota(msg); err != nil {
		m.refuseRequest(in, status, field.In("quota_configs", err).Error())
		return
	}
	op := registry.UpdateQuota{Configs: msg.GetConfigs(), Principal: cmp.Or(in.Principal, msg.GetPrincipal())}
	if msg.GetAction() == cluster.QuotaRequest_REMOVE {
		op.Configs = nil
		for _, c := range msg.GetConfigs() {
			op.Configs = append(op.Configs, &quota.QuotaConfig{Role: c.Role})
		}
	}
	m.persistChanges(op, func(changes []registry.Change, conflicts error) {
		m.settingsChanged(changes)
		if conflicts != nil {
			m.refuseRequest(in, conflict, conflicts.Error())
			return
		}
		if len(changes) > 0 {
			m.onQuotaChanged(op.Configs)
		}
		m.acceptRequest(in)
	})
}

// checkQuota returns why a request cannot be, and what HTTP calls that.
func (m *Machine) checkQuota(msg *cluster.QuotaRequest) (status uint32, err error) {
	if err := validate.QuotaConfigs(msg.GetConfigs()); err != nil {
		return badRequest, err
	}
	for i, c := range msg.GetConfigs() {
		err := m.checkAllowed(c.GetRole(), "role")
		has := m.registry.Quota(c.GetRole()) != nil
		switch {
		case err != nil:
		case msg.GetAction() == cluster.QuotaRequest_SET && has:
			err = field.Invalid("role", c.GetRole(), "already has a quota")
		case msg.GetAction() == cluster.QuotaRequest_REMOVE && !has:
			err = field.Invalid("role", c.GetRole(), "has no quota")
		}
		if err != nil {
			return badRequest, field.At("", i, err)
		}
	}
	if msg.GetForce() || msg.GetAction() == cluster.QuotaRequest_REMOVE {
		return 0, nil
	}
	if msg.GetAction() == cluster.QuotaRequest_SET {
		return conflict, m.checkCapacity(msg.GetConfigs())
	}
	if err := m.checkConsumption(msg.GetConfigs()); err != nil {
		return badRequest, err
	}
	return badRequest, m.checkCapacity(msg.GetConfigs())
}

// checkConsumption refuses limits below what their role consumes already.
func (m *Machine) checkConsumption(configs []*quota.QuotaConfig) error {
	ledger := m.ledgerOf(configs)
	for i, c := range configs {
		consumed := ledger.Of(c.GetRole()).Consumed()
		limits := quantities(c.GetLimits())
		if name, exceeds := consumed.Exceeds(limits); exceeds {
			return field.At("", i, field.Invalid("limits["+name+"]", limits[name].String(),
				"is below the %s that role %q consumes; force skips this check", consumed[name], c.GetRole()))
		}
	}
	return nil
}

// checkCapacity refuses guarantees that are more, with those that there are,
// than all registered agents have, connected or not.
func (m *Machine) checkCapacity(configs []*quota.QuotaConfig) error {
	wanted := make(map[string]view.Quantities)
	for q := range m.registry.Quotas() {
		wanted[q.GetConfig().GetRole()] = quantities(q.GetConfig().GetGuarantees())
	}
	for _, c := range configs {
		wanted[c.GetRole()] = quantities(c.GetGuarantees())
	}
	total := make(view.Quantities)
	for _, w := range wanted {
		total.Add(w)
	}
	capacity := make(view.Quantities)
	for _, a := range m.agents.byID {
		capacity.Add(view.QuantitiesOf(a.view.Total.Filter(func(e resources.Entry) bool {
			return e.Kind() == mesos.Value_SCALAR && !e.Revocable()
		})))
	}
	for i, c := range configs {
		if name, exceeds := total.Exceeds(within(capacity, c.GetGuarantees())); exceeds {
			return field.At("", i, field.Invalid("guarantees["+name+"]", wanted[c.GetRole()][name].String(),
				"all guarantees together are %s, and the cluster has %s; force skips this check", total[name], capacity[name]))
		}
	}
	return nil
}

// within is the part of q that names has, without what is 0 there.
func within(q view.Quantities, names map[string]*mesos.Value_Scalar) view.Quantities {
	part := make(view.Quantities)
	for name, amount := range quantities(names) {
		if amount > 0 {
			part[name] = q[name]
		}
	}
	return part
}

// quantities are amounts that were checked.
func quantities(amounts map[string]*mesos.Value_Scalar) view.Quantities {
	q := make(view.Quantities, len(amounts))
	for name, amount := range amounts {
		q[name], _ = resources.MilliOf(amount.GetValue())
	}
	return q
}

// ledgerOf books what is there for the roles of configs.
func (m *Machine) ledgerOf(configs []*quota.QuotaConfig) *view.Ledger {
	if len(configs) == 0 {
		return view.NewLedger()
	}
	roles := make([]string, 0, len(configs))
	for _, c := range configs {
		roles = append(roles, c.GetRole())
	}
	ledger := view.NewLedger(roles...)
	for _, a := range m.agents.ordered() {
		ledger.Own(a.view.Total)
		for _, t := range a.tasks {
			if !t.freed {
				ledger.Hold(t.view.Role, t.view.Resources)
			}
		}
		for _, e := range a.orderedExecutors() {
			ledger.Hold(e.view.Role, e.view.Resources)
		}
		for _, o := range a.offers {
			ledger.Offer(o.view.Role, o.view.Resources)
		}
	}
	return ledger
}

// onQuotaChanged tells the allocator first, and then takes back offers: of the
// roles themselves as long as they are above their limits, and of others until
// there may be enough for the guarantees. What the allocator has on the way is
// not known here, so that this is no more than a good try.
func (m *Machine) onQuotaChanged(configs []*quota.QuotaConfig) {
	m.tellAllocator(&cluster.UpdateQuota{Configs: configs})
	ledger := m.ledgerOf(configs)
	for _, c := range configs {
		account := ledger.Of(c.GetRole())
		has := account.Consumed()
		has.Add(account.Offered)
		m.enforceLimits(c, has)
		m.makeRoom(c, has)
	}
}

// enforceLimits takes back offers of a role that has more than its limits.
func (m *Machine) enforceLimits(c *quota.QuotaConfig, has view.Quantities) {
	limits := quantities(c.GetLimits())
	for _, f := range m.frameworks.ordered() {
		for _, o := range f.orderedOffers() {
			if _, exceeds := has.Exceeds(limits); !exceeds {
				return
			}
			if names.Within(o.view.Role, c.GetRole()) {
				subtract(has, o.view.Resources)
				m.rescind(o)
			}
		}
	}
}

// makeRoom takes back offers of other roles, agent by agent, until what was
// taken back and what the role has reach its guarantees. Whatever seems to be
// free the allocator may have given away meanwhile.
func (m *Machine) makeRoom(c *quota.QuotaConfig, has view.Quantities) {
	guarantees := quantities(c.GetGuarantees())
	for _, a := range m.agents.ordered() {
		for _, o := range slices.Clone(a.offers) {
			if has.Contains(guarantees) {
				return
			}
			if !names.Within(o.view.Role, c.GetRole()) {
				if before := a.free(); m.overlaps() {
					m.rescind(o)
					has.Add(view.QuantitiesOf(a.free().Without(before)))
					continue
				}
				has.Add(view.QuantitiesOf(o.view.Resources))
				m.rescind(o)
			}
		}
	}
}

func subtract(from view.Quantities, what resources.Resources) {
	for name, amount := range view.QuantitiesOf(what) {
		from[name] -= amount
	}
}
