package guard

import (
	"encoding/base64"
	"strings"
	"time"

	"troupe/messages/credentials"
	"troupe/messages/token"
)

// Basic takes a principal and its secret (RFC 7617).
func Basic(known *credentials.Set) Proof { return basic{known} }

type basic struct{ known *credentials.Set }

// Scheme implements Proof.
func (basic) Scheme() string { return "Basic" }

// Principal implements Proof.
func (b basic) Principal(authorization string, r Realm) (Principal, string, bool) {
	challenge := `Basic realm="` + string(r) + `"`
	scheme, encoded, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return Principal{}, challenge, false
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	name, secret, both := strings.Cut(string(text), ":")
	if err != nil || !both || !b.known.Check(name, secret) {
		return Principal{}, challenge, false
	}
	return Principal{Name: name}, "", true
}

// Bearer takes a token that was signed with key, as an agent gives it to its
// executors (RFC 6750). now is the time; nil: the clock's.
func Bearer(key []byte, now func() time.Time) Proof {
	if now == nil {
		now = time.Now
	}
	return bearer{key, now}
}

type bearer struct {
	key []byte
	now func() time.Time
}

// Scheme implements Proof.
func (bearer) Scheme() string { return "Bearer" }

// Principal implements Proof.
func (b bearer) Principal(authorization string, r Realm) (Principal, string, bool) {
	challenge := `Bearer realm="` + string(r) + `"`
	if authorization == "" {
		return Principal{}, challenge, false
	}
	claims, why := b.claims(authorization)
	if why != "" {
		return Principal{}, challenge + `, error="invalid_token", error_description="` + why + `"`, false
	}
	return Principal{Claims: claims}, "", true
}

// claims are those of a header, or why there are none: a text of this program,
// with nothing of the header in it.
func (b bearer) claims(authorization string) (claims map[string]string, why string) {
	scheme, text, both := strings.Cut(authorization, " ")
	switch {
	case !both || strings.Contains(text, " "):
		return nil, "Malformed 'Authorization' header"
	case !strings.EqualFold(scheme, "Bearer"):
		return nil, "Scheme unsupported"
	}
	claims, err := token.Verify(b.key, b.now(), text)
	switch {
	case err != nil:
		return nil, "Invalid JWT: " + err.Error()
	case len(claims) == 0:
		return nil, "JWT claims missing"
	}
	return claims, ""
}
