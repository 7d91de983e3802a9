package sealed

import (
	"errors"
	"fmt"
)

// Kind is what a file is meant to hold, in words for whoever has to deal with
// one that holds something else.
type Kind struct {
	// Foreign is wrapped by the errors of files that hold something else, or are
	// damaged.
	Foreign error
	// Restore and Busy end errors: what to do about a file that cannot be read,
	// and about one that another process uses.
	Restore, Busy string
	// Accept judges the header of a file that is there. Errors that it wraps with
	// Damaged say what to do, too. What it returns is nil, unless the file has a
	// form from before this one.
	Accept func(header []byte) (*Older, error)
}

// Older is a form of a file from before its records were where they are now.
type Older struct {
	// Bucket is where the records are.
	Bucket string
	// Turn makes of a record what it is now.
	Turn func(key string, data []byte) (newKey string, newData []byte, err error)
	// Header is the one that replaces the file's.
	Header []byte
}

// Damaged adds what to do about a file that cannot be read.
func (k *Kind) Damaged(cause error) error {
	return fmt.Errorf("%w: %w: %s", k.Foreign, cause, k.Restore)
}

// recovered turns a panic over the pages of a damaged file, or a fault in its
// mapping, into an error.
func (k *Kind) recovered(err *error) {
	if p := recover(); p != nil {
		*err = k.Damaged(fmt.Errorf("%v", p))
	}
}

// absent is about a bucket.
func (k *Kind) absent(bucket string) error {
	return k.Damaged(fmt.Errorf("the bucket %s is absent", bucket))
}

// errElse is of a database without a header.
var errElse = errors.New("the file is a database of something else")
