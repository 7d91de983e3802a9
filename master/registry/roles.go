package registry

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
)

// UpdateQuota replaces the quotas of the roles named: all of them in one
// operation, so that guarantees move from one role to another without a moment
// in which both or neither have them. A config with neither guarantees nor
// limits removes the role's quota. A role that is named twice is refused.
type UpdateQuota struct {
	Configs []*quota.QuotaConfig
	// Of who asks; empty without authentication.
	Principal string
}

func (o UpdateQuota) changes(r Registry) ([]Change, error) {
	next := make(map[string]*cluster.QuotaRecord, len(o.Configs))
	for _, c := range o.Configs {
		role := c.GetRole()
		if err := named(next, role, "update quota"); err != nil {
			return nil, err
		}
		next[role] = nil
		if len(c.GetGuarantees()) > 0 || len(c.GetLimits()) > 0 {
			next[role] = &cluster.QuotaRecord{Config: c}
			if o.Principal != "" {
				next[role].Principal = &o.Principal
			}
		}
	}
	var changes []Change
	for _, role := range slices.Sorted(maps.Keys(next)) {
		have, want := r.Quota(role), next[role]
		switch {
		case want == nil && have != nil:
			changes = append(changes, Change{Key: QuotaKey(role)})
		case want != nil && !proto.Equal(have.GetConfig(), want.GetConfig()):
			changes = append(changes, Change{Key: QuotaKey(role), Record: QuotaRecord(want)})
		}
	}
	return changes, nil
}

// UpdateWeights sets the weights of the roles named, in one operation. A role
// that is named twice, and a weight that is not above 0, are refused.
type UpdateWeights struct {
	Weights []*mesos.WeightInfo
}

func (o UpdateWeights) changes(r Registry) ([]Change, error) {
	next := make(map[string]*mesos.WeightInfo, len(o.Weights))
	for _, w := range o.Weights {
		if err := named(next, w.GetRole(), "update weights"); err != nil {
			return nil, err
		}
		if !(w.GetWeight() > 0) {
			return nil, fmt.Errorf("update weights: role %q: the weight %v is not above 0: %w", w.GetRole(), w.GetWeight(), ErrConflict)
		}
		next[w.GetRole()] = w
	}
	var changes []Change
	for _, role := range slices.Sorted(maps.Keys(next)) {
		if have := r.Weight(role); have == nil || have.GetWeight() != next[role].GetWeight() {
			changes = append(changes, Change{Key: WeightKey(role), Record: WeightRecord(next[role])})
		}
	}
	return changes, nil
}

// named refuses a role that has no name, or that known has already.
func named[V any](known map[string]V, role, what string) error {
	if role == "" {
		return fmt.Errorf("%s: role is empty: %w", what, ErrConflict)
	}
	if _, twice := known[role]; twice {
		return fmt.Errorf("%s: role %q is named twice: %w", what, role, ErrConflict)
	}
	return nil
}
