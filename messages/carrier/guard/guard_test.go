package guard

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"troupe/messages/credentials"
	"troupe/messages/token"
)

const (
	reading Realm = "reading"
	writing Realm = "writing"
	working Realm = "working"
)

var (
	secret = []byte("a key")
	now    = func() time.Time { return time.Unix(1_700_000_000, 0) }
)

func known(t testing.TB) *credentials.Set {
	t.Helper()
	s, err := credentials.Parse([]byte(`{"credentials":[{"principal":"ops","secret":"se:same"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve is a mux whose routes say who asks.
func serve(t testing.TB) http.Handler {
	t.Helper()
	g := New(func(method, path string) Realm {
		switch {
		case path == "/health":
			return Open
		case path == "/work":
			return working
		case method == http.MethodGet && path != "/write":
			return reading
		}
		return writing
	}, map[Realm][]Proof{writing: {Basic(known(t))}, working: {Basic(known(t)), Bearer(secret, now)}})
	mux := http.NewServeMux()
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, proved := PrincipalOf(r.Context())
		if !proved {
			p.Name = "nobody"
		}
		_, _ = io.WriteString(w, p.String())
	})
	for _, pattern := range []string{"/", "/health", "/work", "/write", "/sub/"} {
		mux.Handle(pattern, g.Handler(pattern, who))
	}
	return mux
}

func basicOf(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

func TestGuard(t *testing.T) {
	h := serve(t)
	const ask = `Basic realm="writing"`
	const both = "\"Basic\" authenticator returned:\n401 Unauthorized.\n\n\"Bearer\" authenticator returned:\n401 Unauthorized."
	right := basicOf("ops:se:same")
	executor := "Bearer " + token.Sign(secret, map[string]string{"fid": "F", "eid": "<E>"})
	const shown = `{"claims":{"eid":"<E>","fid":"F"}}`
	invalid := func(why string) string {
		return `Basic realm="working",Bearer realm="working", error="invalid_token", error_description="` + why + `"`
	}
	for _, c := range []struct {
		method, path, authorization, says, challenge string
	}{
		{"GET", "/write", right, "ops", ""},
		{"GET", "/write", "bASIC" + right[5:], "ops", ""},
		{"GET", "/write", "", unauthorized, ask},
		{"GET", "/write", right + " ", unauthorized, ask},
		{"GET", "/write", "Basic", unauthorized, ask},
		{"GET", "/write", "Basic  " + right[6:], unauthorized, ask},
		{"GET", "/write", "Basic %", unauthorized, ask},
		{"GET", "/write", basicOf("ops"), unauthorized, ask},
		{"GET", "/write", basicOf("ops:"), unauthorized, ask},
		{"GET", "/write", basicOf("ops:se"), unauthorized, ask},
		{"GET", "/write", basicOf(":se:same"), unauthorized, ask},
		{"GET", "/write", basicOf("nobody:se:same"), unauthorized, ask},
		{"GET", "/write", executor, unauthorized, ask},
		{"POST", "/sub/x", "", unauthorized, ask},
		{"GET", "/sub/x", "", "nobody", ""},
		{"GET", "/sub/x", right, "nobody", ""}, // who is not asked is not believed
		{"POST", "/anything", "", unauthorized, ask},
		{"GET", "/write/", "", unauthorized, ask}, // no route: the pattern / answers, which is of its path
		{"GET", "/else", "", "nobody", ""},
		{"GET", "/health", "", "nobody", ""},
		{"POST", "/health", "", "nobody", ""},
		{"POST", "/work", right, "ops", ""},
		{"POST", "/work", executor, shown, ""},
		{"POST", "/work", "", both, `Basic realm="working",Bearer realm="working"`},
		{"POST", "/work", "Bearer", both, invalid("Malformed 'Authorization' header")},
		{"POST", "/work", "Bearer a b", both, invalid("Malformed 'Authorization' header")},
		{"POST", "/work", "Negotiate x", both, invalid("Scheme unsupported")},
		{"POST", "/work", "Bearer x", both, invalid("Invalid JWT: a token has three parts, with dots between")},
		{"POST", "/work", executor + "A", both, invalid("Invalid JWT: the signature does not match")},
		{"POST", "/work", "Bearer " + token.Sign(secret, map[string]string{}), both, invalid("JWT claims missing")},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("Authorization", c.authorization)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		status := http.StatusOK
		if c.challenge != "" {
			status = http.StatusUnauthorized
		}
		if w.Code != status || w.Body.String() != c.says || w.Header().Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s %s %q: %d %q, %s", c.method, c.path, c.authorization, w.Code, w.Body, w.Header().Get("WWW-Authenticate"))
		}
	}
}

// A path that is written in another way is no way around.
func TestNoWayAround(t *testing.T) {
	h := serve(t)
	for _, path := range []string{"/write", "//write", "/./write", "/x/../write", "/%77rite", "/sub/../write", "/sub//../write"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// FuzzAuthorization: no header does harm or gets in.
func FuzzAuthorization(f *testing.F) {
	f.Add("Basic " + base64.StdEncoding.EncodeToString([]byte("ops:wrong")))
	f.Add("Bearer a.b.c")
	f.Add("Bearer " + token.Sign([]byte("other"), map[string]string{"fid": "F"}))
	h := serve(f)
	f.Fuzz(func(t *testing.T, authorization string) {
		r := httptest.NewRequest(http.MethodPost, "/work", nil)
		r.Header["Authorization"] = []string{authorization}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized && !strings.HasSuffix(authorization, basicOf("ops:se:same")[6:]) {
			t.Fatalf("%q: %d %s", authorization, w.Code, w.Body)
		}
		if strings.ContainsAny(w.Header().Get("WWW-Authenticate"), "\r\n\x00") {
			t.Fatalf("%q: %q", authorization, w.Header().Get("WWW-Authenticate"))
		}
	})
}
