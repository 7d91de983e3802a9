// Package field holds the error that every check of a message returns: which
// field, which value, why. Anything that checks messages may import it.
package field

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxValue bounds how much of a value an error shows, in bytes.
const maxValue = 120

// Error tells that a field holds what it must not.
type Error struct {
	// Path leads from the checked message to the field, in names of the
	// .proto file: "accept.operations[0].launch". Empty for the whole.
	Path string
	// Value is the offending value as text, cut at 120 bytes; empty when the
	// field is absent or too large to show.
	Value string
	// Reason continues "the field …": "is negative", "must be set".
	Reason string
}

// Error formats "path: value: reason", leaving out what is empty.
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{e.Path, e.Value, e.Reason} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Invalid returns an *Error. Strings and bytes are quoted; a nil value is left
// out.
func Invalid(path string, value any, format string, args ...any) error {
	return &Error{Path: path, Value: show(value), Reason: fmt.Sprintf(format, args...)}
}

// Missing returns the *Error of a field that must be set.
func Missing(path string) error {
	return &Error{Path: path, Reason: "must be set"}
}

// In puts prefix before the path of err, which may be any error or nil.
func In(prefix string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	return &Error{Path: join(prefix, e.Path), Value: e.Value, Reason: e.Reason}
}

// At is In for element i of the list named prefix, which may be empty.
func At(prefix string, i int, err error) error {
	if err == nil {
		return nil
	}
	return In(prefix+"["+strconv.Itoa(i)+"]", err)
}

func join(prefix, path string) string {
	switch {
	case prefix == "" || path == "":
		return prefix + path
	case path[0] == '[':
		return prefix + path
	}
	return prefix + "." + path
}

func show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return quote(v)
	case []byte:
		return quote(string(v))
	}
	text := fmt.Sprint(value)
	if len(text) > maxValue {
		text = strings.ToValidUTF8(text[:maxValue], "") + "…"
	}
	return text
}

func quote(s string) string {
	if len(s) > maxValue {
		return strconv.Quote(s[:maxValue]) + "…"
	}
	return strconv.Quote(s)
}
