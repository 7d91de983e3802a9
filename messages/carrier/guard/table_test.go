package guard

import "testing"

// What nobody has named is not open: who reads needs one realm, who does
// anything else the other.
func TestTable(t *testing.T) {
	table := Table{
		Prefix: "/master", ReadOnly: "readonly", ReadWrite: "readwrite",
		Named: map[string]Realm{"/health": Open, "/weights": "readwrite", "/quota/": "readwrite", "/stats.json": Open, "/call": "call"},
	}
	for _, c := range []struct {
		method, path string
		want         Realm
	}{
		{"GET", "/health", Open},
		{"PATCH", "/health", Open},
		{"GET", "/master/health", Open},
		{"GET", "/health.json", Open},
		{"POST", "/call", "call"},
		{"POST", "/master/call", "call"},
		{"GET", "/weights.json", "readwrite"},
		{"GET", "/quota/", "readwrite"},
		{"GET", "/stats.json", Open},
		{"GET", "/stats", "readonly"},
		{"GET", "/state", "readonly"},
		{"HEAD", "/master/state.json", "readonly"},
		{"POST", "/state", "readwrite"},
		{"GET", "/of/tomorrow", "readonly"},
		{"PATCH", "/of/tomorrow", "readwrite"},
		{"OPTIONS", "/of/tomorrow", "readwrite"},
		{"GET", "/masterhealth", "readonly"},
		{"GET", "/master/master/health", "readonly"},
		{"GET", "", "readonly"},
		{"", "/health/", "readwrite"},
	} {
		if got := table.RealmOf(c.method, c.path); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
