package core

import (
	"maps"
	"slices"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// bounds are a checked quota: what a role is guaranteed and limited to.
type bounds struct {
	guarantees resources.Quantities
	limits     limits
}

// limits are amounts by the numbers of an index. What is beyond the end, or
// negative, is not limited.
type limits []resources.Milli

// of returns the limit of number n; ok is false when there is none.
func (l limits) of(n int) (limit resources.Milli, ok bool) {
	if n < len(l) && l[n] >= 0 {
		return l[n], true
	}
	return 0, false
}

func (l *limits) set(n int, m resources.Milli) {
	for len(*l) <= n {
		*l = append(*l, -1)
	}
	(*l)[n] = m
}

func (b bounds) isNone() bool { return b.guarantees.IsZero() && len(b.limits) == 0 }

// setQuotas replaces the quotas of the roles named, all or none.
func (a *Allocator) setQuotas(path string, configs []*quota.QuotaConfig) error {
	read := make([]bounds, len(configs))
	for i, c := range configs {
		b, err := a.readQuota(c)
		if err != nil {
			return field.At(path, i, err)
		}
		read[i] = b
	}
	for i, c := range configs {
		a.setBounds(c.GetRole(), read[i])
	}
	return nil
}

func (a *Allocator) readQuota(c *quota.QuotaConfig) (bounds, error) {
	role := c.GetRole()
	if err := names.CheckRole("role", role); err != nil {
		return bounds{}, err
	}
	if strings.Contains(role, "/") {
		return bounds{}, field.Invalid("role", role, "is not at the top of the tree")
	}
	var b bounds
	err := a.readAmounts("guarantees", c.GetGuarantees(), b.guarantees.Set)
	if err == nil {
		err = a.readAmounts("limits", c.GetLimits(), b.limits.set)
	}
	if err != nil {
		return b, err
	}
	for n, guarantee := range b.guarantees {
		if limit, ok := b.limits.of(n); ok && limit < guarantee {
			return b, field.Invalid("limits."+a.bundles.index.Name(n), limit, "is below the guarantee of %s", guarantee)
		}
	}
	return b, nil
}

func (a *Allocator) readAmounts(path string, amounts map[string]*mesos.Value_Scalar, set func(int, resources.Milli)) error {
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		if err := names.CheckResource(path, name); err != nil {
			return err
		}
		amount, err := resources.MilliOf(amounts[name].GetValue())
		if err != nil {
			return field.Invalid(path+"."+name, amounts[name].GetValue(), "%v", err)
		}
		set(a.bundles.index.Number(name), amount)
	}
	return nil
}
