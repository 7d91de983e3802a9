package resources

import (
	"cmp"
	"encoding/binary"
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/names"
)

// indivisible tells whether r can only be had as a whole: anything shared, a
// persistent volume, a disk that is a mount, a block device, or raw with an
// identity of its own.
func indivisible(r *mesos.Resource) bool {
	if r.Shared != nil || r.GetDisk().GetPersistence() != nil {
		return true
	}
	source := r.GetDisk().GetSource()
	switch source.GetType() {
	case mesos.Resource_DiskInfo_Source_MOUNT, mesos.Resource_DiskInfo_Source_BLOCK:
		return true
	case mesos.Resource_DiskInfo_Source_RAW:
		return source.Id != nil
	}
	return false
}

// appendIdentity appends a key that is equal for two resources exactly when they
// add up. It starts with the name, so that resources sort by it. r is valid, and
// what it has of reservations is in their stack. Disk.volume says how a disk is
// used, not which it is, and does not count; nor does a persistence's principal.
func appendIdentity(k []byte, r *mesos.Resource, v value) []byte {
	k = append(k, r.GetName()...)
	k = append(k, 0, byte(v.kind))
	k = appendFlag(k, r.Revocable != nil, r.Shared != nil, r.AllocationInfo != nil, r.Disk != nil, r.ProviderId != nil)
	if r.AllocationInfo != nil {
		k = appendOptional(k, r.AllocationInfo.Role)
	}
	if r.ProviderId != nil {
		k = appendText(k, r.ProviderId.GetValue())
	}
	k = binary.AppendUvarint(k, uint64(len(r.Reservations)))
	for _, reservation := range r.Reservations {
		k = appendReservation(k, reservation)
	}
	if r.Disk != nil {
		k = appendDisk(k, r.Disk)
	}
	if indivisible(r) {
		k = appendText(k, v.String())
	}
	return append(k, r.ProtoReflect().GetUnknown()...)
}

// common are entries of what most agents and tasks have, without their values:
// key and form are shared by all that have the same.
var common = func() map[string]Entry {
	entries := make(map[string]Entry)
	anybody := &mesos.Resource_AllocationInfo{Role: new(names.AnyRole)}
	add := func(name string, kind mesos.Value_Type) {
		for _, given := range []*mesos.Resource_AllocationInfo{nil, anybody} {
			form := &mesos.Resource{Name: &name, Type: &kind, AllocationInfo: given}
			key := string(appendIdentity(nil, form, value{kind: kind}))
			entries[key] = Entry{key: key, form: form, copies: 1}
		}
	}
	for _, name := range []string{CPUs, Mem, Disk, GPUs} {
		add(name, mesos.Value_SCALAR)
	}
	add(Ports, mesos.Value_RANGES)
	return entries
}()

func appendReservation(k []byte, r *mesos.Resource_ReservationInfo) []byte {
	k = append(k, byte(r.GetType()))
	k = appendOptional(appendOptional(k, r.Role), r.Principal)
	return appendLabels(k, r.Labels)
}

func appendDisk(k []byte, d *mesos.Resource_DiskInfo) []byte {
	k = appendFlag(k, d.Persistence != nil, d.Source != nil)
	if d.Persistence != nil {
		k = appendText(k, d.Persistence.GetId())
	}
	s := d.Source
	if s == nil {
		return k
	}
	k = append(k, byte(s.GetType()))
	k = appendFlag(k, s.Path != nil, s.Mount != nil)
	if s.Path != nil {
		k = appendOptional(k, s.Path.Root)
	}
	if s.Mount != nil {
		k = appendOptional(k, s.Mount.Root)
	}
	k = appendOptional(appendOptional(appendOptional(k, s.Vendor), s.Id), s.Profile)
	return appendLabels(k, s.Metadata)
}

// appendLabels ignores the order of labels.
func appendLabels(k []byte, labels *mesos.Labels) []byte {
	if labels == nil {
		return append(k, 0)
	}
	sorted := slices.SortedFunc(slices.Values(labels.GetLabels()), func(a, b *mesos.Label) int {
		return cmp.Or(cmp.Compare(a.GetKey(), b.GetKey()), cmp.Compare(a.GetValue(), b.GetValue()), presence(a.Value)-presence(b.Value))
	})
	k = binary.AppendUvarint(append(k, 1), uint64(len(sorted)))
	for _, label := range sorted {
		k = appendOptional(appendText(k, label.GetKey()), label.Value)
	}
	return k
}

func presence(text *string) int {
	if text == nil {
		return 0
	}
	return 1
}

func appendFlag(k []byte, flags ...bool) []byte {
	var bits byte
	for i, set := range flags {
		if set {
			bits |= 1 << i
		}
	}
	return append(k, bits)
}

func appendOptional(k []byte, text *string) []byte {
	if text == nil {
		return append(k, 0)
	}
	return appendText(append(k, 1), *text)
}

func appendText(k []byte, text string) []byte {
	return append(binary.AppendUvarint(k, uint64(len(text))), text...)
}
