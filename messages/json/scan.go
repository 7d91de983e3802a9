package json

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"troupe/messages/field"
)

// scanner walks through a document. Its methods return errors without a path.
type scanner struct {
	data []byte
	pos  int
}

// syntax returns an error at the scanner's place.
func (s *scanner) syntax(reason string) error {
	if s.pos >= len(s.data) {
		return field.Invalid("", nil, "the document ends at byte %d: %s", len(s.data), reason)
	}
	return field.Invalid("", nil, "byte %d, %q: %s", s.pos+1, s.data[s.pos], reason)
}

// peek skips white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it comes next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// word consumes a literal if it comes next.
func (s *scanner) word(literal string) bool {
	s.peek()
	if !bytes.HasPrefix(s.data[s.pos:], []byte(literal)) {
		return false
	}
	s.pos += len(literal)
	return true
}

// elements calls each for every element of an array or member of an object,
// whose opening bracket comes next. each consumes one.
func (s *scanner) elements(closing byte, each func(i int) error) error {
	s.pos++
	if s.take(closing) {
		return nil
	}
	for i := 0; ; i++ {
		if err := each(i); err != nil {
			return err
		}
		if s.take(closing) {
			return nil
		}
		if !s.take(',') {
			return s.syntax("expected ',' or '" + string(rune(closing)) + "'")
		}
	}
}

// key consumes a key and its colon. The key may be a part of the document.
func (s *scanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.syntax("expected a key in quotes")
	}
	key, err := s.quoted()
	if err == nil && !s.take(':') {
		err = s.syntax("expected ':'")
	}
	return key, err
}

// text consumes a string. Bytes that are not UTF-8 stay as they are.
func (s *scanner) text() (string, error) {
	b, err := s.quoted()
	return string(b), err
}

// quoted is text without a copy, where the document has no escape.
func (s *scanner) quoted() ([]byte, error) {
	s.pos++
	start := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(append([]byte(nil), s.data[start:s.pos]...))
		case c < ' ':
			return nil, s.syntax("control characters must be escaped")
		}
	}
	return nil, s.syntax("a string is not closed")
}

// escaped consumes the rest of a string from its first escape on.
func (s *scanner) escaped(b []byte) ([]byte, error) {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case c == '"':
			s.pos++
			return b, nil
		case c < ' ':
			return nil, s.syntax("control characters must be escaped")
		case c != '\\':
			b = append(b, c)
			s.pos++
		default:
			s.pos++
			r, err := s.escape()
			if err != nil {
				return nil, err
			}
			b = utf8.AppendRune(b, r)
		}
	}
	return nil, s.syntax("a string is not closed")
}

// escape consumes what follows a backslash.
func (s *scanner) escape() (rune, error) {
	if s.pos >= len(s.data) {
		return 0, s.syntax("a string is not closed")
	}
	c := s.data[s.pos]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		s.pos++
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		return 0, s.syntax("no such escape")
	}
	r, err := s.unit()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if s.pos+1 < len(s.data) && s.data[s.pos] == '\\' && s.data[s.pos+1] == 'u' {
		before := s.pos
		s.pos++
		second, err := s.unit()
		if err != nil {
			return 0, err
		}
		if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
			return both, nil
		}
		s.pos = before
	}
	return utf8.RuneError, nil
}

// unit consumes 'u' and four hexadecimal digits.
func (s *scanner) unit() (rune, error) {
	if s.pos+5 > len(s.data) {
		s.pos = len(s.data)
		return 0, s.syntax("a string is not closed")
	}
	n, err := strconv.ParseUint(string(s.data[s.pos+1:s.pos+5]), 16, 16)
	if err != nil {
		return 0, s.syntax("expected four hexadecimal digits after \\u")
	}
	s.pos += 5
	return rune(n), nil
}

// number consumes a number and returns its text.
func (s *scanner) number() (string, error) {
	start := s.pos
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return "", s.syntax("expected a value")
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return "", s.syntax("expected a digit")
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		if !s.digits() {
			return "", s.syntax("expected a digit")
		}
	}
	return string(s.data[start:s.pos]), nil
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// skip consumes a value of any form, depth levels of brackets deep at most.
func (s *scanner) skip(depth int) error {
	switch c := s.peek(); c {
	case '{':
		if depth == 0 {
			return s.syntax(tooDeep)
		}
		return s.elements('}', func(int) error {
			if _, err := s.key(); err != nil {
				return err
			}
			return s.skip(depth - 1)
		})
	case '[':
		if depth == 0 {
			return s.syntax(tooDeep)
		}
		return s.elements(']', func(int) error { return s.skip(depth - 1) })
	case '"':
		_, err := s.quoted()
		return err
	}
	if s.word("null") || s.word("true") || s.word("false") {
		return nil
	}
	_, err := s.number()
	return err
}
