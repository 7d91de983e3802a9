package registry

import (
	"errors"
	"fmt"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// Kinds of records: what their keys begin with.
const (
	agentPrefix     = "agent/"
	frameworkPrefix = "framework/"
	quotaPrefix     = "quota/"
	weightPrefix    = "weight/"
	machinePrefix   = "machine/"
	standingPrefix  = "reservation/"
)

// AgentKey is the key of an agent's record.
func AgentKey(id string) string { return agentPrefix + id }

// FrameworkKey is the key of a framework's record.
func FrameworkKey(id string) string { return frameworkPrefix + id }

// QuotaKey is the key of the quota of a role.
func QuotaKey(role string) string { return quotaPrefix + role }

// WeightKey is the key of the weight of a role.
func WeightKey(role string) string { return weightPrefix + role }

// MachineKey is the key of a machine in maintenance, by names.Machine.
func MachineKey(name string) string { return machinePrefix + name }

// ReservationKey is the key of a standing reservation.
func ReservationKey(id string) string { return standingPrefix + id }

func machineKeyOf(id *mesos.MachineID) string { return MachineKey(machineName(id)) }

func machineName(id *mesos.MachineID) string { return names.Machine(id.GetHostname(), id.GetIp()) }

// shown is machineName for people.
func shown(id *mesos.MachineID) string { return names.ShowMachine(id.GetHostname(), id.GetIp()) }

// KeyOf returns the key of a record. It fails for one that holds nothing, or
// nothing that this version knows, and for one without an id.
func KeyOf(r *cluster.RegistryRecord) (string, error) {
	switch {
	case r.GetAgent() != nil:
		id := r.GetAgent().GetAgent().GetId().GetValue()
		if id == "" {
			return "", errors.New("agent.id is empty")
		}
		return AgentKey(id), nil
	case r.GetFramework() != nil:
		return frameworkKeyOf(r.GetFramework())
	case r.GetQuota() != nil:
		return keyed(QuotaKey, r.GetQuota().GetConfig().GetRole(), "quota.config.role")
	case r.GetWeight() != nil:
		return keyed(WeightKey, r.GetWeight().GetRole(), "weight.role")
	case r.GetMachine() != nil:
		id := r.GetMachine().GetMachine().GetId()
		if machineName(id) == names.NoMachine {
			return "", errors.New("machine.machine.id has neither hostname nor ip")
		}
		return machineKeyOf(id), nil
	case r.GetReservation() != nil:
		return keyed(ReservationKey, r.GetReservation().GetId(), "reservation.id")
	}
	return "", errors.New("it is no record that this version knows")
}

func keyed(key func(string) string, id, path string) (string, error) {
	if id == "" {
		return "", errors.New(path + " is empty")
	}
	return key(id), nil
}

func frameworkKeyOf(r *cluster.FrameworkRecord) (string, error) {
	id := r.GetFrameworkId().GetValue()
	info := r.GetFramework().GetId().GetValue()
	switch {
	case id == "":
		return "", errors.New("framework_id is empty")
	case r.GetStatus() == cluster.FrameworkRecord_ADMITTED && info != id:
		return "", fmt.Errorf("framework.id: %q: is not framework_id, %q", info, id)
	}
	return FrameworkKey(id), nil
}

// AgentRecord wraps an agent's record for a store.
func AgentRecord(r *cluster.AgentRecord) *cluster.RegistryRecord {
	return &cluster.RegistryRecord{Record: &cluster.RegistryRecord_Agent{Agent: r}}
}

// FrameworkRecord wraps a framework's record for a store.
func FrameworkRecord(r *cluster.FrameworkRecord) *cluster.RegistryRecord {
	return &cluster.RegistryRecord{Record: &cluster.RegistryRecord_Framework{Framework: r}}
}

// QuotaRecord wraps a quota for a store.
func QuotaRecord(r *cluster.QuotaRecord) *cluster.RegistryRecord {
	return &cluster.RegistryRecord{Record: &cluster.RegistryRecord_Quota{Quota: r}}
}

// WeightRecord wraps the weight of a role for a store.
func WeightRecord(w *mesos.WeightInfo) *cluster.RegistryRecord {
	return &cluster.RegistryRecord{Record: &cluster.RegistryRecord_Weight{Weight: w}}
}

// ReservationRecord wraps a standing reservation for a store.
func ReservationRecord(r *cluster.StandingReservation) *cluster.RegistryRecord {
	return &cluster.RegistryRecord{Record: &cluster.RegistryRecord_Reservation{Reservation: r}}
}

// MachineRecord wraps a machine in maintenance for a store.
func MachineRecord(r *cluster.MachineRecord) *cluster.RegistryRecord {
	return &cluster.RegistryRecord{Record: &cluster.RegistryRecord_Machine{Machine: r}}
}
