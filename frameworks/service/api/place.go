package api

import (
	"fmt"
	"strings"

	"troupe/frameworks/service/app"
)

// placeOf is where the app or group id is in a root, as problems name it: of /g/a,
// /groups(0) and /apps(2).
func placeOf(root *app.Group, id app.Path) []string {
	var place []string
	for at := root; at != nil && at.ID != id; {
		var on *app.Group
		for n, sub := range at.Groups {
			if sub.ID == id || id.Below(sub.ID) {
				place = append(place, fmt.Sprintf("/groups(%d)", n))
				on = sub
			}
		}
		for n, a := range at.Apps {
			if a.ID == id {
				place = append(place, fmt.Sprintf("/apps(%d)", n))
			}
		}
		at = on
	}
	return place
}

// fromHere tells of the problems of a whole root as whoever asked for a change of
// the app or group id sees them: what they sent is where paths begin. root is nil if
// they are of what was sent already.
func fromHere(found app.Problems, root *app.Group, id app.Path) app.Problems {
	if root == nil {
		return found
	}
	place := placeOf(root, id)
	here := make(app.Problems, 0, len(found))
	for _, p := range found {
		for _, part := range place {
			rest, within := strings.CutPrefix(p.Path, part)
			if !within || rest != "" && rest[0] != '/' {
				break
			}
			p.Path = rest
		}
		if p.Path == "" {
			p.Path = "/"
		}
		here = append(here, p)
	}
	return here
}
