package isolation

import (
	"slices"
	"strings"

	"troupe/slave/container/isolator/cgroups"
)

// Claim makes the control groups below the settings' root one agent's own, until
// release is called. Without isolators that use them there is nothing to claim.
func (s Settings) Claim() (release func() error, err error) {
	if !slices.ContainsFunc(s.Names, func(name string) bool { return strings.HasPrefix(name, "cgroups/") }) {
		return func() error { return nil }, nil
	}
	tree, err := cgroups.Open(s.Cgroups.settings())
	if err != nil {
		return nil, err
	}
	f, err := tree.Claim()
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}
