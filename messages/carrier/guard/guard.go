// Package guard asks who sends a request before a handler sees it. What is
// guarded is divided into realms, as Mesos has them; each asks or does not, and
// says what it takes for a proof. Faces say which path is of which realm, and
// find out with PrincipalOf who asks; wiring makes the Guard and gives it to
// the actor system, so that no handler is reached around it.
package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"strings"
)

// Realm is what a proof is asked for; the name is shown to clients.
type Realm string

// Open is the realm of what anybody may ask, whatever the flags say.
const Open Realm = ""

// Principal is who sends a request: one with a name, or an executor, which has
// only claims.
type Principal struct {
	Name   string
	Claims map[string]string
}

// String is as Mesos shows it.
func (p Principal) String() string {
	if len(p.Claims) == 0 {
		return p.Name
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(struct {
		Value  string            `json:"value,omitempty"`
		Claims map[string]string `json:"claims"`
	}{p.Name, p.Claims}); err != nil {
		panic("guard: texts can be encoded: " + err.Error())
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// Proof tells who sends a request, by its header Authorization.
type Proof interface {
	// Scheme is the name that clients know it by.
	Scheme() string
	// Principal is false for a header that proves nothing. Then challenge says
	// to the client what would, in the realm.
	Principal(authorization string, r Realm) (p Principal, challenge string, proved bool)
}

// Guard holds who may enter which realm. It is immutable.
type Guard struct {
	realmOf func(method, path string) Realm
	proofs  map[Realm][]Proof
}

// New makes a guard. realmOf says which realm a request is of, by its method and
// the path of its route. A realm without proofs lets everybody in, as somebody
// without a Principal; the others take the first proof that holds.
func New(realmOf func(method, path string) Realm, proofs map[Realm][]Proof) *Guard {
	return &Guard{realmOf, proofs}
}

// Handler stands before h, which is what is served for a pattern, as in
// http.ServeMux.
func (g *Guard) Handler(pattern string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := pattern
		if at == "/" { // all that has no route
			at = path.Clean(r.URL.Path)
		}
		realm := g.realmOf(r.Method, at)
		proofs := g.proofs[realm]
		if len(proofs) == 0 {
			h.ServeHTTP(w, r)
			return
		}
		var challenges []string
		for _, proof := range proofs {
			p, challenge, proved := proof.Principal(r.Header.Get("Authorization"), realm)
			if proved {
				h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, p)))
				return
			}
			challenges = append(challenges, challenge)
		}
		refuse(w, proofs, challenges)
	})
}

// key is that of the principal in a request's context.
type key struct{}

// PrincipalOf is who sends the request of a context, and false when nobody was
// asked to prove it.
func PrincipalOf(ctx context.Context) (Principal, bool) {
	p, proved := ctx.Value(key{}).(Principal)
	return p, proved
}

const unauthorized = "401 Unauthorized."

// refuse answers as Mesos does, where several proofs are asked for one after the
// other.
func refuse(w http.ResponseWriter, proofs []Proof, challenges []string) {
	body := unauthorized
	if len(proofs) > 1 {
		var each []string
		for _, proof := range proofs {
			each = append(each, `"`+proof.Scheme()+`" authenticator returned:`+"\n"+unauthorized)
		}
		body = strings.Join(each, "\n\n")
	}
	w.Header().Set("WWW-Authenticate", strings.Join(challenges, ","))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, body) // a client that has gone needs no answer
}
