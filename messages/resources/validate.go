package resources

import (
	"math"
	"slices"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// Validate returns an error that names the element, field and value of the
// first resource in list that is malformed.
func Validate(list []*mesos.Resource) error {
	for i, r := range list {
		if err := validate(r); err != nil {
			return field.At("", i, err)
		}
	}
	return nil
}

// Check is Validate of one resource.
func Check(r *mesos.Resource) error { return validate(r) }

func validate(r *mesos.Resource) error {
	if r == nil {
		return field.Missing("")
	}
	if err := names.CheckResource("name", r.GetName()); err != nil {
		return err
	}
	for _, check := range []func(*mesos.Resource) error{validateValue, validateReservations, validateDisk, validateRest} {
		if err := check(r); err != nil {
			return field.In("("+r.GetName()+")", err)
		}
	}
	return nil
}

func validateValue(r *mesos.Resource) error {
	kind := r.GetType()
	if r.Type == nil {
		return field.Missing("type")
	}
	if err := onlyValueOf(kind, r); err != nil {
		return err
	}
	switch kind {
	case mesos.Value_SCALAR:
		return validateScalar(r)
	case mesos.Value_RANGES:
		return field.In("ranges", validateRanges(r.GetRanges()))
	default:
		return field.In("set", validateSet(r.GetSet()))
	}
}

// onlyValueOf returns an error unless the value of kind is set and no other.
func onlyValueOf(kind mesos.Value_Type, r *mesos.Resource) error {
	for _, v := range [...]struct {
		kind mesos.Value_Type
		name string
		set  bool
	}{
		{mesos.Value_SCALAR, "scalar", r.Scalar != nil},
		{mesos.Value_RANGES, "ranges", r.Ranges != nil},
		{mesos.Value_SET, "set", r.Set != nil},
	} {
		if v.set && v.kind != kind {
			return field.Invalid(v.name, nil, "must not be set when type is %s", kind)
		}
		if !v.set && v.kind == kind {
			return field.Missing(v.name)
		}
	}
	if kind != mesos.Value_SCALAR && kind != mesos.Value_RANGES && kind != mesos.Value_SET {
		return field.Invalid("type", kind, "must be SCALAR, RANGES or SET")
	}
	return nil
}

func validateScalar(r *mesos.Resource) error {
	amount := r.GetScalar().GetValue()
	if _, err := MilliOf(amount); err != nil {
		return field.Invalid("scalar.value", amount, "%s", err)
	}
	if r.GetName() == GPUs && amount != math.Trunc(amount) {
		return field.Invalid("scalar.value", amount, "must be a whole number")
	}
	return nil
}

func validateRanges(r *mesos.Value_Ranges) error {
	ascending := true
	for i, x := range r.GetRange() {
		if x.GetBegin() > x.GetEnd() {
			return field.At("range", i, field.Invalid("end", x.GetEnd(), "is below begin, %d", x.GetBegin()))
		}
		ascending = ascending && (i == 0 || x.GetBegin() > r.Range[i-1].GetEnd())
	}
	if ascending {
		return nil
	}
	sorted := make([]Range, len(r.Range))
	for i, x := range r.Range {
		sorted[i] = Range{x.GetBegin(), x.GetEnd()}
	}
	slices.SortFunc(sorted, byBegin)
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Begin <= sorted[i-1].End {
			return field.Invalid("range", sorted[i].Begin, "is in two ranges")
		}
	}
	return nil
}

func validateSet(s *mesos.Value_Set) error {
	sorted := slices.Sorted(slices.Values(s.GetItem()))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return field.Invalid("item", sorted[i], "is there twice")
		}
	}
	return nil
}

func validateRest(r *mesos.Resource) error {
	if r.ProviderId != nil && r.ProviderId.GetValue() == "" {
		return field.Missing("provider_id.value")
	}
	if role := r.GetAllocationInfo().GetRole(); role != "" {
		if err := names.CheckRole("allocation_info.role", role); err != nil {
			return err
		}
	}
	if r.Shared != nil && r.GetDisk().GetPersistence() == nil {
		return field.Invalid("shared", nil, "must not be set but for a persistent volume")
	}
	return nil
}
