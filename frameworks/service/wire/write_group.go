package wire

import "troupe/frameworks/service/app"

// Group is a group with what is in it.
type Group struct {
	ID           app.Path   `json:"id"`
	Apps         []*AppInfo `json:"apps,omitzero"`
	Pods         []struct{} `json:"pods"` // there are none, but clients look
	Groups       []*Group   `json:"groups,omitzero"`
	Dependencies []app.Path `json:"dependencies"`
	Version      string     `json:"version,omitempty"`
	EnforceRole  *bool      `json:"enforceRole,omitempty"`
}

// FromGroup is the JSON of a group. info makes that of each of its apps; nil leaves
// them out, and deep false the groups.
func FromGroup(g *app.Group, deep bool, info func(*app.App) *AppInfo) *Group {
	w := &Group{
		ID: g.ID, Pods: []struct{}{}, Dependencies: g.Dependencies,
		Version: g.Version.String(), EnforceRole: g.EnforceRole,
	}
	if w.Dependencies == nil {
		w.Dependencies = []app.Path{}
	}
	if info != nil {
		w.Apps = make([]*AppInfo, 0, len(g.Apps))
		for _, a := range g.Apps {
			w.Apps = append(w.Apps, info(a))
		}
	}
	if deep {
		w.Groups = make([]*Group, 0, len(g.Groups))
		for _, sub := range g.Groups {
			w.Groups = append(w.Groups, FromGroup(sub, true, info))
		}
	}
	return w
}

// Plain is an app with nothing of its instances.
func Plain(a *app.App) *AppInfo { return &AppInfo{App: *FromApp(a)} }

// ReadStoredGroup reads a group as FromGroup wrote it with Plain apps, with all
// stamps. It checks kinds alone.
func ReadStoredGroup(data []byte) (*app.Group, error) {
	o, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	g := o.storedGroup(0)
	if err := o.err(); err != nil {
		return nil, err
	}
	if err := o.invalid.Err(); err != nil {
		return nil, err
	}
	return g, nil
}

func (o object) storedGroup(depth int) *app.Group {
	g := &app.Group{ID: o.id(app.Root)}
	if depth > mostNested {
		o.refuse(o.path, "groups are too deep")
		return g
	}
	o.paths("dependencies", app.Root, &g.Dependencies)
	if o.has("version") {
		if v := o.timestamp("version"); v != nil {
			g.Version = *v
		}
	}
	if o.has("enforceRole") {
		g.EnforceRole = new(bool)
		o.flag("enforceRole", g.EnforceRole)
	}
	o.objects("apps", func(c object) { g.Apps = append(g.Apps, c.stored()) })
	o.objects("groups", func(c object) { g.Groups = append(g.Groups, c.storedGroup(depth+1)) })
	return g.Sorted()
}
