package guard

import (
	"net/http"
	"strings"
)

// Table says of which realm the paths of a daemon are.
type Table struct {
	// Prefix may stand before every path, as in "/master".
	Prefix string
	// Named are the realms of single paths, for every method. An alias that ends in
	// ".json" is of the same realm.
	Named map[string]Realm
	// ReadOnly is the realm of whatever is not named, for GET and HEAD, and
	// ReadWrite for all other methods: what is forgotten is not open.
	ReadOnly, ReadWrite Realm
}

// RealmOf is the realm of a request, by the path of its route.
func (t Table) RealmOf(method, path string) Realm {
	if rest, under := strings.CutPrefix(path, t.Prefix+"/"); under {
		path = "/" + rest
	}
	if realm, named := t.Named[path]; named {
		return realm
	}
	if realm, named := t.Named[strings.TrimSuffix(path, ".json")]; named {
		return realm
	}
	if method == http.MethodGet || method == http.MethodHead {
		return t.ReadOnly
	}
	return t.ReadWrite
}
