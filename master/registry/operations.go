package registry

import (
	"fmt"

	"google.golang.org/protobuf/proto"
)

// Operation is one of the named changes of this package; the list is closed.
type Operation interface {
	// changes says what the operation makes differ in r: nothing when r
	// already is as wanted, an error that wraps ErrConflict when r forbids it.
	changes(r Registry) ([]Change, error)
}

// Apply performs one operation. On an error the registry is returned as it
// was. An operation that finds its work done returns no changes.
func Apply(r Registry, op Operation) (Registry, []Change, error) {
	changes, err := op.changes(r)
	if err == nil {
		err = refuseLarge(op, changes)
	}
	if err != nil || len(changes) == 0 {
		return r, nil, err
	}
	return r.with(changes), changes, nil
}

// MaxRecord is the size of a record, with its key, from which on what others say
// is not kept, in bytes: some stores have no room for records of more than 900
// KiB. What the master itself notes in a record is always taken.
const MaxRecord = 512 << 10

// ErrTooLarge is wrapped, beside ErrConflict, by the refusal of an operation
// that would make a record of more than MaxRecord.
var ErrTooLarge = fmt.Errorf("over the limit of %d bytes: %w", MaxRecord, ErrConflict)

// refuseLarge looks at what operations write that others have sent.
func refuseLarge(op Operation, changes []Change) error {
	switch op.(type) {
	case AdmitAgent, MarkReachable, AdmitFramework, UpdateQuota, UpdateWeights, SetReservation, UpdateMaintenanceSchedule:
	default:
		return nil
	}
	for _, c := range changes {
		if n := len(c.Key) + proto.Size(c.Record); n > MaxRecord {
			return fmt.Errorf("record %.60q has %d bytes: %w", c.Key, n, ErrTooLarge)
		}
	}
	return nil
}

// Differs tells whether Apply would do more than nothing: whether the
// operation changes something, or is refused.
func Differs(r Registry, op Operation) bool {
	changes, err := op.changes(r)
	return err != nil || len(changes) > 0
}
