package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"troupe/messages/field"
)

const (
	// MaxKey bounds a key, in bytes.
	MaxKey = 1 << 10
	// MaxValue bounds a value, in bytes. It is there to find mistakes.
	MaxValue = 256 << 20
)

// ErrForeign is wrapped by the errors about places that hold something else
// than this framework's state, or state that is damaged.
var ErrForeign = errors.New("not the state of this framework, or damaged")

// errClosed is what a closed store answers.
var errClosed = errors.New("the store is closed")

// Store is what all stores do. Methods may be called from any goroutine; one
// Apply is carried out after the other.
type Store interface {
	// Load returns everything, by key. The map is the caller's; the values are
	// not to be changed.
	Load(ctx context.Context) (map[string][]byte, error)
	// Apply gives keys new values, and removes those whose value is nil, whether
	// they are there or not. All of it is durable when Apply returns, or nothing
	// is. Keys are UTF-8 of 1 to MaxKey bytes without zero bytes, values have at most
	// MaxValue bytes, and are not to be changed any more.
	//
	// Changes that break these rules are refused, and harm nothing: the error
	// wraps a *field.Error. After any other error nobody knows what is stored:
	// all that follows fails with it, and the process has to end.
	Apply(ctx context.Context, changes map[string][]byte) error
	// Size of what is stored, in bytes, about.
	Size() int64
	// Close lets go of what the store holds. Apply fails from then on.
	Close() error
}

// change is of one key; a value that is nil removes it.
type change struct {
	key   string
	value []byte
}

// ordered checks changes, and puts them in the order of keys: stores do the
// same thing for the same batch.
func ordered(changes map[string][]byte) ([]change, error) {
	all := make([]change, 0, len(changes))
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		value := changes[key]
		switch {
		case key == "":
			return nil, field.Invalid("key", key, "is empty")
		case len(key) > MaxKey:
			return nil, field.Invalid("key", key, "has %d bytes, limit %d", len(key), MaxKey)
		case !utf8.ValidString(key):
			return nil, field.Invalid("key", key, "is not UTF-8")
		case strings.Contains(key, separator):
			return nil, field.Invalid("key", key, "has a zero byte")
		case len(value) > MaxValue:
			return nil, field.Invalid("value", key, "has %d bytes, limit %d", len(value), MaxValue)
		}
		all = append(all, change{key, value})
	}
	return all, nil
}

// separator is in no key.
const separator = "\x00"

// gate keeps the promise of Apply about errors. Its methods are called under
// its owner's lock.
type gate struct{ failed error }

// write makes changes unless an earlier write failed.
func (g *gate) write(place string, changes map[string][]byte, apply func([]change) error) error {
	if g.failed != nil {
		return fmt.Errorf("write %s: %w", place, g.failed)
	}
	all, err := ordered(changes)
	if err != nil {
		return fmt.Errorf("write %s: %w", place, err)
	}
	if g.failed = apply(all); g.failed != nil {
		return fmt.Errorf("write %s: %w", place, g.failed)
	}
	return nil
}

// close fails all later writes.
func (g *gate) close() {
	if g.failed == nil {
		g.failed = errClosed
	}
}
