// Package credentials reads the names and secrets by which clients of HTTP
// prove who they are, in the form of Mesos's files. Anybody may import it.
package credentials

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Set is who may prove to be whom. It holds no secret, only what tells one from
// another. It is immutable.
type Set struct {
	digests map[string][sha256.Size]byte // of secrets, by principal
}

// Parse reads {"credentials": [{"principal": "ops", "secret": "…"}]}. What else
// the objects hold does not count. Errors name the place, and never a secret:
// no UTF-8, no JSON, no credentials, a principal that is absent, empty, twice
// there or has a colon or a control character, a secret that is absent or empty.
func Parse(text []byte) (*Set, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("is not UTF-8")
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("is no JSON object: %w", reasonOf(err))
	}
	var list []map[string]json.RawMessage
	if given, ok := file["credentials"]; !ok {
		return nil, errors.New("credentials: is absent")
	} else if err := json.Unmarshal(given, &list); err != nil {
		return nil, errors.New("credentials: is no list of objects")
	}
	if len(list) == 0 {
		return nil, errors.New("credentials: is empty")
	}
	s := &Set{digests: make(map[string][sha256.Size]byte, len(list))}
	for i, credential := range list {
		if err := s.add(credential); err != nil {
			return nil, fmt.Errorf("credentials[%d].%w", i, err)
		}
	}
	return s, nil
}

// reasonOf is what is wrong with JSON, without a word of what it says.
func reasonOf(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("at byte %d", syntax.Offset)
	}
	return errors.New("it is another value")
}

func (s *Set) add(credential map[string]json.RawMessage) error {
	principal, err := text(credential, "principal")
	if err != nil {
		return err
	}
	secret, err := text(credential, "secret")
	if err != nil {
		return err
	}
	if strings.ContainsFunc(principal, func(r rune) bool { return r == ':' || unicode.IsControl(r) }) {
		return fmt.Errorf("principal: %q: has a colon or a control character, which cannot be sent", principal)
	}
	if _, twice := s.digests[principal]; twice {
		return fmt.Errorf("principal: %q: is there twice", principal)
	}
	s.digests[principal] = sha256.Sum256([]byte(secret))
	return nil
}

// text is a member that must be a text, and not empty.
func text(of map[string]json.RawMessage, name string) (string, error) {
	given, ok := of[name]
	if !ok {
		return "", fmt.Errorf("%s: is absent", name)
	}
	var value *string
	if err := json.Unmarshal(given, &value); err != nil || value == nil {
		return "", fmt.Errorf("%s: is no text", name)
	}
	if *value == "" {
		return "", fmt.Errorf("%s: is empty", name)
	}
	return *value, nil
}

// Check tells whether a principal has the secret. It takes as long whether or
// not it is right, and whether or not there is such a principal.
func (s *Set) Check(principal, secret string) bool {
	want, known := s.digests[principal]
	got := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && known
}

// Len is how many principals there are.
func (s *Set) Len() int { return len(s.digests) }
