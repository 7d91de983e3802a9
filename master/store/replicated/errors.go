package replicated

import (
	"errors"
	"fmt"
)

var (
	// ErrDamaged is wrapped by the errors of Open about files that cannot be
	// believed.
	ErrDamaged = errors.New("not a registry that can be read")
	// ErrMembership is wrapped by errors about who the masters are.
	ErrMembership = errors.New("the masters do not agree with --masters")
	// ErrLost is wrapped by why a Term ended.
	ErrLost = errors.New("this master leads no more")

	errDisk        = errors.New("the log on disk failed")
	errWrongAnswer = errors.New("the answer is of no replica at that address")
)

// damaged says what to do about a file that cannot be read.
func damaged(path string, cause error) error {
	return fmt.Errorf("%s: %w: %w: while most of the other masters live, remove this one (troupe masters remove), "+
		"move its folder away, start it and add it again (troupe masters add); else restore the folder from a copy", path, ErrDamaged, cause)
}
