package validate

import (
	"maps"
	"math"
	"slices"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// The largest amounts that a quota may name: an exabyte, counted in megabytes,
// of memory and disk, and a trillion of anything else.
const (
	maxQuotaBytes = 1 << 40
	maxQuotaOther = 1e12
)

// QuotaConfigs checks quotas: each of a role at the top of the tree, none of a
// role twice, amounts that can be, guarantees within limits. The path of an
// error begins with the index.
func QuotaConfigs(configs []*quota.QuotaConfig) error {
	seen := make(map[string]bool, len(configs))
	for i, c := range configs {
		err := quotaConfig(c)
		if err == nil && seen[c.GetRole()] {
			err = field.Invalid("role", c.GetRole(), "is there twice")
		}
		if err != nil {
			return field.At("", i, err)
		}
		seen[c.GetRole()] = true
	}
	return nil
}

func quotaConfig(c *quota.QuotaConfig) error {
	if err := names.CheckRole("role", c.GetRole()); err != nil {
		return err
	}
	if !names.TopRole(c.GetRole()) {
		return field.Invalid("role", c.GetRole(), "is below another role: quotas are for roles at the top of the tree")
	}
	guarantees, err := quotaAmounts("guarantees", c.GetGuarantees())
	if err != nil {
		return err
	}
	limits, err := quotaAmounts("limits", c.GetLimits())
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(guarantees)) {
		if limit, limited := limits[name]; limited && guarantees[name] > limit {
			return field.Invalid("guarantees["+name+"]", guarantees[name].String(), "is above the limit, %s", limit)
		}
	}
	return nil
}

func quotaAmounts(path string, amounts map[string]*mesos.Value_Scalar) (map[string]resources.Milli, error) {
	checked := make(map[string]resources.Milli, len(amounts))
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		at := path + "[" + name + "]"
		if err := names.CheckResource(path, name); err != nil {
			return nil, err
		}
		value := amounts[name].GetValue()
		most := float64(maxQuotaOther)
		if name == "mem" || name == "disk" {
			most = maxQuotaBytes
		}
		if value > most && !math.IsInf(value, 1) {
			return nil, field.Invalid(at, value, "is above %.0f", most)
		}
		amount, err := resources.MilliOf(value)
		if err != nil {
			return nil, field.Invalid(at, value, "%v", err)
		}
		checked[name] = amount
	}
	return checked, nil
}

// QuotaRequest checks a guarantee in the older form: scalars that are not
// reserved, no disks, nothing revocable, none twice, at least one.
func QuotaRequest(r *quota.QuotaRequest) error {
	if r.GetRole() == "" {
		return field.Missing("role")
	}
	if len(r.GetGuarantee()) == 0 {
		return field.Missing("guarantee")
	}
	if _, err := resources.New(r.GetGuarantee()...); err != nil {
		return field.In("guarantee", err)
	}
	seen := make(map[string]bool)
	for i, g := range r.GetGuarantee() {
		if err := quotaGuarantee(g, seen); err != nil {
			return field.At("guarantee", i, err)
		}
		seen[g.GetName()] = true
	}
	return nil
}

func quotaGuarantee(g *mesos.Resource, seen map[string]bool) error {
	switch {
	case g.GetType() != mesos.Value_SCALAR:
		return field.Invalid("type", g.GetType().String(), "is not SCALAR")
	case len(g.GetReservations()) > 0 || g.GetReservation() != nil || g.GetRole() != "" && g.GetRole() != names.AnyRole:
		return field.Invalid("name", g.GetName(), "must not be reserved")
	case g.GetDisk() != nil:
		return field.Invalid("name", g.GetName(), "must not have a disk")
	case g.GetRevocable() != nil:
		return field.Invalid("name", g.GetName(), "must not be revocable")
	case seen[g.GetName()]:
		return field.Invalid("name", g.GetName(), "is there twice")
	}
	return nil
}

// The least and the greatest weight: a share that is divided by one stays a
// number that everybody can read.
const (
	minWeight = 1e-9
	maxWeight = 1e9
)

// Weights checks weights of roles: from 1e-9 to 1e9, none of a role twice. The path of
// an error begins with the index.
func Weights(list []*mesos.WeightInfo) error {
	seen := make(map[string]bool, len(list))
	for i, w := range list {
		err := names.CheckRole("role", w.GetRole())
		switch {
		case err != nil:
		case seen[w.GetRole()]:
			err = field.Invalid("role", w.GetRole(), "is there twice")
		case !(w.GetWeight() > 0) || math.IsInf(w.GetWeight(), 1):
			err = field.Invalid("weight", w.GetWeight(), "must be a number above 0")
		case w.GetWeight() < minWeight || w.GetWeight() > maxWeight:
			err = field.Invalid("weight", w.GetWeight(), "must be from %g to %g", minWeight, maxWeight)
		}
		if err != nil {
			return field.At("", i, err)
		}
		seen[w.GetRole()] = true
	}
	return nil
}
