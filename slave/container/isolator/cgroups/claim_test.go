package cgroups_test

import (
	"strings"
	"testing"

	"troupe/tools/cgrouptest"
)

// TestClaim: a root is one agent's, until that ends.
func TestClaim(t *testing.T) {
	tree := cgrouptest.Tree(t)
	first, err := tree.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := tree.Claim(); err == nil || !strings.Contains(err.Error(), "--cgroups_root") {
		t.Errorf("a second claim: %v, %v", f, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := tree.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
