package registry

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
	if err != nil || len(changes) == 0 {
		return r, nil, err
	}
	return r.with(changes), changes, nil
}

// Differs tells whether Apply would do more than nothing: whether the
// operation changes something, or is refused.
func Differs(r Registry, op Operation) bool {
	changes, err := op.changes(r)
	return err != nil || len(changes) > 0
}
