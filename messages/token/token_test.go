package token

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	key = []byte("a key")
	now = time.Unix(1_700_000_000, 0)
)

// rfc is the token of RFC 7515, A.1, whose key is not a text.
const (
	rfc = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." +
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ." +
		"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcKey = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
)

func TestTheTokenOfTheStandard(t *testing.T) {
	secret, err := encoding.DecodeString(rfcKey)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := Verify(secret, time.Unix(1300819380, 0), rfc)
	want := map[string]string{"iss": "joe", "exp": "1300819380", "http://example.com/is_root": "true"}
	if err != nil || !maps.Equal(claims, want) {
		t.Errorf("%v, %v", claims, err)
	}
	if claims, err := Verify(secret, time.Unix(1300819381, 0), rfc); !errors.Is(err, ErrExpired) || claims != nil {
		t.Errorf("a second later: %v, %v", claims, err)
	}
}

// signed is a token of a header and claims as they are written.
func signed(header, claims string) string {
	text := encoding.EncodeToString([]byte(header)) + "." + encoding.EncodeToString([]byte(claims))
	return text + "." + encoding.EncodeToString(sum(key, text))
}

func TestWhatIsNotTaken(t *testing.T) {
	good := Sign(key, map[string]string{"fid": "F"})
	const hs256 = `{"alg":"HS256"}`
	for name, c := range map[string]struct {
		token, want string
	}{
		"nothing":                 {"", ErrParts.Error()},
		"two parts":               {good[:strings.LastIndexByte(good, '.')], ErrParts.Error()},
		"four parts":              {good + ".", ErrParts.Error()},
		"no signature":            {good[:strings.LastIndexByte(good, '.')+1], ErrSignature.Error()},
		"another key":             {Sign([]byte("another"), map[string]string{"fid": "F"}), ErrSignature.Error()},
		"padding":                 {good + "=", ErrSignature.Error()},
		"a space":                 {" " + good, ErrSignature.Error()},
		"other claims":            {strings.Replace(good, ".", "."+encoding.EncodeToString([]byte(`{"a":1}`)), 1), ErrSignature.Error()},
		"none":                    {signed(`{"alg":"none"}`, `{}`), ErrAlgorithm.Error()},
		"another algorithm":       {signed(`{"alg":"HS512"}`, `{}`), ErrAlgorithm.Error()},
		"no algorithm":            {signed(`{}`, `{}`), ErrAlgorithm.Error()},
		"what is critical":        {signed(`{"alg":"HS256","crit":["x"]}`, `{}`), ErrCritical.Error()},
		"a header of no JSON":     {signed(`x`, `{}`), "header: is no JSON object"},
		"claims that are a list":  {signed(hs256, `[]`), "claims: is no JSON object"},
		"claims that are nothing": {signed(hs256, `null`), "claims: is no JSON object"},
		"over":                    {signed(hs256, `{"exp":1699999999}`), ErrExpired.Error()},
		"an end that is a text":   {signed(hs256, `{"exp":"1700000001"}`), "exp: is no number"},
		"an end that is nothing":  {signed(hs256, `{"exp":null}`), "exp: is no number"},
		"early":                   {signed(hs256, `{"nbf":1700000001}`), ErrEarly.Error()},
	} {
		if claims, err := Verify(key, now, c.token); err == nil || err.Error() != c.want || claims != nil {
			t.Errorf("%s: %v, %v, want %s", name, claims, err, c.want)
		}
	}
	if claims, err := Verify(key, now, signed(hs256, `{"exp":1700000000.5,"nbf":1700000000,"a":{"b":[1]},"c":"\u00e9"}`)); err != nil || claims["a"] != `{"b":[1]}` || claims["c"] != "é" {
		t.Errorf("%v, %v", claims, err)
	}
}

// What was signed is read, with the same key alone, and not when a byte of it
// is another.
func TestSignedIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]{3,5}`).Filter(func(s string) bool { return s != "exp" && s != "nbf" })
		claims := rapid.MapOf(name, rapid.String()).Draw(t, "claims")
		secret := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		token := Sign(secret, claims)
		got, err := Verify(secret, now, token)
		if err != nil || !maps.Equal(got, claims) {
			t.Fatalf("%q: %v, %v", token, got, err)
		}
		broken := []byte(token)
		at := rapid.IntRange(0, len(broken)-1).Draw(t, "at")
		if b := rapid.Byte().Draw(t, "byte"); b != broken[at] {
			broken[at] = b
			if got, err := Verify(secret, now, string(broken)); err == nil {
				t.Fatalf("%q for %q gives %v", broken, token, got)
			}
		}
	})
}

// FuzzVerify: no token does harm, whatever it says, and none is taken that was
// not signed.
func FuzzVerify(f *testing.F) {
	f.Add(rfc, `{"alg":"HS256"}`, `{"exp":1}`)
	f.Add(Sign([]byte("x"), nil), `{"alg":"none"}`, `{}`)
	f.Fuzz(func(t *testing.T, token, header, claims string) {
		if got, err := Verify(key, now, token); err == nil {
			t.Fatalf("%q is taken, for %v", token, got)
		}
		got, err := Verify(key, now, signed(header, claims))
		if (got == nil) == (err == nil) {
			t.Fatalf("%q %q: %v, %v", header, claims, got, err)
		}
	})
}
