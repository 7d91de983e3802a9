package carrier

import (
	"bytes"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// ReadText reads a body whose shape its path tells, and no media type: JSON or
// a form. It gives it to use, which makes something of it and must not keep it;
// until use returns, what that may cost is counted. What is wrong is a *Problem
// as of Read, but for the method and the media type, which are the caller's to
// look at; or the error of use.
func (in *Intake) ReadText(w http.ResponseWriter, r *http.Request, use func(body []byte) error) error {
	body, err := in.body(w, r)
	defer in.held.Add(-int64(cap(body)))
	if err != nil {
		return err
	}
	if at := firstNotUTF8(body); at >= 0 {
		return BadRequest(fmt.Sprintf("body: is not UTF-8 at byte %d", at))
	}
	more := textCost(body)
	if err := in.hold(more); err != nil {
		return err
	}
	defer in.held.Add(-more)
	return use(body)
}

// textCost is about what is made of a text at the most, in bytes: objects, each
// a message, the keys and values of a form, and a copy.
func textCost(body []byte) int64 {
	parts := 0
	for _, begin := range []string{"{", "%7B", "%7b", "&"} {
		parts += bytes.Count(body, []byte(begin))
	}
	return perMessage*int64(parts) + int64(len(body))
}

// firstNotUTF8 is where body stops to be UTF-8, in bytes from 0; -1: nowhere.
func firstNotUTF8(body []byte) int {
	if utf8.Valid(body) {
		return -1
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}
