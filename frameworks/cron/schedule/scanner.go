package schedule

import "math"

// scanner reads a text byte by byte and knows where it is when that fails.
type scanner struct {
	text string
	at   int
	end  int
}

func newScanner(text string) *scanner { return &scanner{text: text, end: len(text)} }

// within reads a part of the text only.
func (s *scanner) within(from, to int) *scanner { return &scanner{text: s.text, at: from, end: to} }

func (s *scanner) done() bool   { return s.at >= s.end }
func (s *scanner) rest() string { return s.text[s.at:s.end] }

func (s *scanner) take(b byte) bool {
	if s.done() || s.text[s.at] != b {
		return false
	}
	s.at++
	return true
}

// number reads digits; with more than eighteen it is the largest there is.
func (s *scanner) number() (n int64, digits int) {
	for !s.done() && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		n, digits, s.at = n*10+int64(s.text[s.at]-'0'), digits+1, s.at+1
		if digits > 18 {
			n = math.MaxInt64 / 16
		}
	}
	return n, digits
}

// exactly reads a number of so many digits, at most so large.
func (s *scanner) exactly(digits int, most int64, what string) (int64, error) {
	from := s.at
	if to := from + digits; to <= s.end {
		part := s.within(from, to)
		if n, got := part.number(); got == digits && n <= most {
			s.at = to
			return n, nil
		}
	}
	return 0, s.failAt(from, what)
}

func (s *scanner) fail(reason string) error { return s.failAt(s.at, reason) }

func (s *scanner) failAt(at int, reason string) error { return &Error{s.text, at, reason} }
