package container

import (
	"fmt"
	"os/user"
	"strconv"
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

// Numbers are the user and group of a user given by name or number. Errors name
// the user.
func Numbers(name string) (uid, gid int, err error) {
	u, err := LookupUser(name)
	if err != nil {
		return 0, 0, err
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, fmt.Errorf("user %q: number %q: %w", name, u.Uid, err)
	}
	if gid, err = strconv.Atoi(u.Gid); err != nil {
		return 0, 0, fmt.Errorf("user %q: group %q: %w", name, u.Gid, err)
	}
	return uid, gid, nil
}
