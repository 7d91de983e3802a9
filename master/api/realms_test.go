package api

import (
	"testing"

	"troupe/messages/carrier/guard"
)

func TestRealms(t *testing.T) {
	for _, c := range []struct {
		method, path string
		want         guard.Realm
	}{
		{"GET", "/health", guard.Open},
		{"GET", "/master/health", guard.Open},
		{"GET", "/master/redirect", guard.Open},
		{"POST", "/api/v1/scheduler", Scheduler},
		{"POST", "/master/api/v1/scheduler", Scheduler},
		{"POST", "/api/v1", ReadWrite},
		{"GET", "/state", ReadOnly},
		{"HEAD", "/master/state.json", ReadOnly},
		{"POST", "/state", ReadWrite},
		{"GET", "/weights.json", ReadWrite},
		{"GET", "/quota/", ReadWrite},
		{"GET", "/master/maintenance/schedule", ReadWrite},
		{"GET", "/master/maintenance/status", ReadOnly},
		{"GET", "/of/tomorrow", ReadOnly},
		{"PATCH", "/of/tomorrow", ReadWrite},
		{"OPTIONS", "/of/tomorrow", ReadWrite},
		{"GET", "/masterhealth", ReadOnly},
		{"GET", "/master/master/health", ReadOnly},
	} {
		if got := Realms.RealmOf(c.method, c.path); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
