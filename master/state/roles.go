package state

import (
	"slices"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/validate"
)

// recoverSettings tells the read side what the registry holds of quotas,
// weights, machines and standing reservations.
func (m *Machine) recoverSettings() {
	var changes []registry.Change
	for q := range m.registry.Quotas() {
		changes = append(changes, registry.Change{Key: registry.QuotaKey(q.GetConfig().GetRole()), Record: registry.QuotaRecord(q)})
	}
	for w := range m.registry.Weights() {
		changes = append(changes, registry.Change{Key: registry.WeightKey(w.GetRole()), Record: registry.WeightRecord(w)})
	}
	for r := range m.registry.Machines() {
		changes = append(changes, registry.Change{Key: registry.MachineKey(machineName(r.GetMachine().GetId())), Record: registry.MachineRecord(r)})
	}
	for r := range m.registry.Reservations() {
		changes = append(changes, registry.Change{Key: registry.ReservationKey(r.GetId()), Record: registry.ReservationRecord(r)})
		m.watchReservations(true)
	}
	m.settingsChanged(changes)
}

func (m *Machine) settingsChanged(changes []registry.Change) {
	if len(changes) > 0 {
		m.publish(view.SettingsChanged{Changes: changes})
	}
}

// checkAllowed checks that the roles at paths are among those that this master
// allows.
func (m *Machine) checkAllowed(role, path string) error {
	if len(m.cfg.Roles) > 0 && !slices.Contains(m.cfg.Roles, role) {
		return field.Invalid(path, role, "is not among the roles that this master allows")
	}
	return nil
}

// weightsRequest sets weights of roles: all that are named, or none.
func (m *Machine) weightsRequest(in Received, msg *cluster.WeightsRequest) {
	err := validate.Weights(msg.GetWeights())
	for i, w := range msg.GetWeights() {
		if err == nil {
			err = field.At("", i, m.checkAllowed(w.GetRole(), "role"))
		}
	}
	if err != nil {
		m.refuseRequest(in, badRequest, field.In("weight_infos", err).Error())
		return
	}
	m.setWeights(msg.GetWeights(), func(err error) {
		if err != nil {
			m.refuseRequest(in, conflict, err.Error())
			return
		}
		m.acceptRequest(in)
	})
}

// bootstrapWeights sets the configured weights when the registry has none.
func (m *Machine) bootstrapWeights() {
	if len(m.cfg.Weights) == 0 {
		return
	}
	for range m.registry.Weights() {
		m.note(Warn, "The weights that this master is configured with do not count: the registry has others")
		return
	}
	m.setWeights(m.cfg.Weights, func(err error) {
		if err != nil {
			m.note(Warn, "The weights that this master is configured with cannot be: "+err.Error())
		}
	})
}

func (m *Machine) setWeights(weights []*mesos.WeightInfo, then func(conflict error)) {
	m.persistChanges(registry.UpdateWeights{Weights: weights}, func(changes []registry.Change, conflict error) {
		m.settingsChanged(changes)
		if len(changes) > 0 {
			m.onWeightsChanged(changes)
		}
		then(conflict)
	})
}

// onWeightsChanged tells the allocator first, and then takes all offers back if
// the weights are those of roles that frameworks have: they were made by other
// shares.
func (m *Machine) onWeightsChanged(changes []registry.Change) {
	told := new(cluster.UpdateWeights)
	var roles []string
	for _, c := range changes {
		told.Weights = append(told.Weights, allocatorWeight(c.Record.GetWeight()))
		roles = append(roles, c.Record.GetWeight().GetRole())
	}
	m.tellAllocator(told)
	frameworks := m.frameworks.ordered()
	if !slices.ContainsFunc(frameworks, func(f *framework) bool { return f.playsWithin(roles) }) {
		return
	}
	for _, f := range frameworks {
		m.rescindOffers(f)
	}
}

// playsWithin tells whether f is subscribed in one of the roles or below one.
func (f *framework) playsWithin(roles []string) bool {
	return slices.ContainsFunc(f.view.Roles, func(own string) bool {
		return slices.ContainsFunc(roles, func(role string) bool { return names.Within(own, role) })
	})
}

func allocatorWeight(w *mesos.WeightInfo) *cluster.StartAllocator_Weight {
	return &cluster.StartAllocator_Weight{Role: w.Role, Weight: w.Weight}
}

// beginning is the first message of an epoch, with all that is set for roles.
func (m *Machine) beginning() *cluster.StartAllocator {
	msg := &cluster.StartAllocator{Epoch: &m.allocator.epoch, Domain: m.cfg.Info.GetDomain()}
	if expected := len(m.agents.byID) + len(m.agents.recovered); expected > 0 {
		msg.ExpectedAgents = new(uint32(expected))
	}
	for w := range m.registry.Weights() {
		msg.Weights = append(msg.Weights, allocatorWeight(w))
	}
	for q := range m.registry.Quotas() {
		msg.Quotas = append(msg.Quotas, q.GetConfig())
	}
	return msg
}
