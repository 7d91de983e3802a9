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
		{"GET", "/slave(1)/health", guard.Open},
		{"POST", "/api/v1/executor", Executor},
		{"POST", "/slave(1)/api/v1/executor", Executor},
		{"POST", "/slave(1)/api/v1", ReadWrite},
		{"GET", "/state", ReadOnly},
		{"GET", "/slave(1)/state.json", ReadOnly},
		{"POST", "/state", ReadWrite},
		{"POST", "/logging/toggle", ReadWrite},
		{"GET", "/of/tomorrow", ReadOnly},
		{"PATCH", "/of/tomorrow", ReadWrite},
	} {
		if got := Realms.RealmOf(c.method, c.path); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
