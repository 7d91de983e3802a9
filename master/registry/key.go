package registry

import (
	"errors"
	"fmt"

	"troupe/messages/cluster"
)

// Kinds of records: what their keys begin with.
const (
	agentPrefix     = "agent/"
	frameworkPrefix = "framework/"
)

// AgentKey is the key of an agent's record.
func AgentKey(id string) string { return agentPrefix + id }

// FrameworkKey is the key of a framework's record.
func FrameworkKey(id string) string { return frameworkPrefix + id }

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
	}
	return "", errors.New("it is no record of an agent or framework")
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
