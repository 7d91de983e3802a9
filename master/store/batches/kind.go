package batches

import "fmt"

// Kind is what the records are meant to be, in words for whoever has to deal
// with others.
type Kind struct {
	// Foreign is wrapped by the errors about znodes that hold something else, or
	// are damaged.
	Foreign error
	// Noun is what the records are together, as in "a new registry needs".
	Noun string
	// Owner is what the records belong to, as in "it belongs to another cluster".
	Owner string
	// Restore, Mine and Gone end errors: what to do about znodes that cannot be
	// read, about those of another owner, and about none where some are expected.
	Restore, Mine, Gone string
	// Self is who expects them: "this master".
	Self string
}

// Refused says what to do about a znode that cannot be read.
func (k Kind) Refused(znode string, cause error) error {
	return fmt.Errorf("znode %s: %w: %w: %s", znode, k.Foreign, cause, k.Restore)
}

// Opening says which records are meant.
type Opening struct {
	// New is the owner, where the records are begun; empty: they are not.
	New string
	// Expect is the owner that records must have that are there already; that
	// there are none is then refused, too, unless New is the same. Empty: any.
	Expect string
}

// Record is one, or a change of one: Data nil removes it, if it is there.
type Record struct {
	Key  string
	Data []byte
}
