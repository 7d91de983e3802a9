package container

import (
	"fmt"
	"os/user"
)

// LookupUser finds a user of this machine by name or number. The error names
// it.
func LookupUser(name string) (*user.User, error) {
	u, err := user.Lookup(name)
	if err == nil {
		return u, nil
	}
	if u, err = user.LookupId(name); err != nil {
		return nil, fmt.Errorf("user %q does not exist on this machine", name)
	}
	return u, nil
}
