package ensemble

import (
	"slices"
	"strings"
	"testing"
)

func TestCandidatesAreSortedByNumber(t *testing.T) {
	children := []string{
		"log_replicas", "json.info_0000000010", "info_0000000001", "registry", "json.info_", "json.info_x", "json.info_-000000001",
		"json.info_10000000000", "json.info_0000000009", "_c_0f-json.info_0000000001",
	}
	var got []string
	for _, c := range candidates("json.info_", children) {
		got = append(got, c.name)
	}
	want := []string{"json.info_0000000009", "json.info_0000000010", "json.info_10000000000"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzCandidates(f *testing.F) {
	f.Add("json.info_0000000001,json.info_0000000000,log_replicas")
	f.Add("json.info_99999999999999999999,json.info_,json.info_+1")
	f.Fuzz(func(t *testing.T, names string) {
		children := strings.Split(names, ",")
		all := candidates("json.info_", children)
		for i, c := range all {
			if c.number < 0 || !slices.Contains(children, c.name) || i > 0 && all[i-1].number > c.number {
				t.Errorf("%q: candidate %d is %v", children, i, c)
			}
		}
	})
}

func TestServersTakeTurns(t *testing.T) {
	s := new(servers)
	if err := s.Init([]string{"a", "b"}); err != nil || s.Len() != 2 {
		t.Fatalf("%d servers, %v", s.Len(), err)
	}
	// A pause comes after all were tried in vain, and not after a success.
	for i, want := range []struct {
		server string
		pause  bool
	}{{"a", false}, {"b", false}, {"a", true}, {"b", false}, {"a", true}} {
		if server, pause := s.Next(); server != want.server || pause != want.pause {
			t.Errorf("attempt %d: %s %v, want %v", i, server, pause, want)
		}
	}
	s.Connected()
	if server, pause := s.Next(); server != "b" || pause {
		t.Errorf("after a success: %s %v", server, pause)
	}
}
