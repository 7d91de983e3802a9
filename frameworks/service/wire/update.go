package wire

import (
	"fmt"

	"troupe/frameworks/service/app"
)

// ReadApp reads a new app, as POST takes it: what it does not say has its default,
// and its id must be there. base is the group to which a relative id is so.
// The error is an *UnreadableError, or app.Problems with all that is wrong.
func ReadApp(data []byte, base app.Path, opt Options) (*app.App, error) {
	o, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	return o.app(base, opt)
}

// app reads a new app.
func (o object) app(base app.Path, opt Options) (*app.App, error) {
	a := o.fresh(base, opt)
	return o.checked(a, opt)
}

// checked is what was read, unless something is wrong with it.
func (o object) checked(a *app.App, opt Options) (*app.App, error) {
	if err := o.err(); err != nil {
		return nil, err
	}
	if err := append(o.invalid, a.Validate(opt.Rules)...).Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// fresh reads an app with the defaults of what it does not say.
func (o object) fresh(base app.Path, opt Options) *app.App {
	a := fresh(o.id(base))
	o.into(a, opt, true)
	return a
}

// id reads the id, which must be there.
func (o object) id(base app.Path) app.Path {
	if !o.has("id") {
		o.mistake(o.at("id"), "error.path.missing")
		return ""
	}
	text := ""
	o.text("id", &text)
	p, err := app.ParsePath(text, base)
	if err != nil {
		o.refuse(o.at("id"), err.Error())
		return app.Path("/invalid") // one problem of the id is enough
	}
	return p
}

// Update is a change of an app, as PUT and PATCH take it. What it does not say
// stays; objects and lists within it replace those of before as a whole.
type Update struct {
	ID app.Path
	// Version is the one to go back to; nil is none. Then there is nothing to
	// apply.
	Version *app.Version

	source any
}

// ReadUpdate reads the change of the app id. The error is an *UnreadableError or
// app.Problems.
func ReadUpdate(data []byte, id app.Path) (*Update, error) {
	o, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	return o.update(id)
}

// ReadUpdates reads a list of changes, each of which names its app; relative ids
// are so to the root.
func ReadUpdates(data []byte) ([]*Update, error) {
	v, err := parse(data)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, &UnreadableError{Wrong: app.Problems{{Path: "/", Text: "error.expected.jsarray"}}}
	}
	r := &reading{}
	updates := []*Update{}
	seen := map[app.Path]bool{}
	for i, v := range list {
		o, ok := r.object(fmt.Sprintf("(%d)", i), v)
		if !ok {
			continue
		}
		id := o.id(app.Root)
		if seen[id] && len(r.invalid) == 0 {
			r.refuse(o.at("id"), fmt.Sprintf("%s is there twice", id))
		}
		seen[id] = true
		u := &Update{ID: id, source: v}
		o.into(fresh(id), Options{}, true)
		u.Version = o.version()
		updates = append(updates, u)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return updates, r.invalid.Err()
}

func (o object) update(id app.Path) (*Update, error) {
	u := &Update{ID: id, source: o.fields, Version: o.version()}
	o.sameID(id)
	o.into(fresh(id), Options{}, true)
	if err := o.err(); err != nil {
		return nil, err
	}
	if err := o.invalid.Err(); err != nil {
		return nil, err
	}
	return u, nil
}

// sameID checks that the id in a body, if there is one, is that of the URL.
func (o object) sameID(id app.Path) {
	text := string(id)
	o.text("id", &text)
	inBody, err := app.ParsePath(text, app.Root)
	nested, _ := app.ParsePath(text, id.Parent())
	switch {
	case err != nil:
		o.refuse(o.at("id"), err.Error())
	case inBody != id && nested != id:
		o.refuse(o.at("id"), fmt.Sprintf("The id %s of the body is not %s, that of the URL", inBody, id))
	}
}

// version reads the version to go back to, which goes with nothing but an id.
func (o object) version() *app.Version {
	if !o.has("version") {
		return nil
	}
	for _, key := range o.keys() {
		if key != "id" && key != "version" && o.has(key) {
			o.refuse(o.at("version"), "The 'version' field may only be combined with the 'id' field.")
			return nil
		}
	}
	return o.timestamp("version")
}

func (o object) timestamp(key string) *app.Version {
	text := ""
	o.text(key, &text)
	v, err := app.ParseVersion(text)
	if err != nil {
		o.refuse(o.at(key), err.Error())
		return nil
	}
	return &v
}

// Apply is the app that the update makes of old, which stays as it is, or of
// nothing if old is nil. With partial false everything that the update does not say
// returns to its default. Stamps are those of old. The error is app.Problems, those
// of a resident app that cannot change so included.
func (u *Update) Apply(old *app.App, partial bool, opt Options) (*app.App, error) {
	r := &reading{}
	o, _ := r.object("", u.source)
	created := old == nil || !partial
	a := fresh(u.ID)
	if !created {
		a = old.Clone()
	}
	o.into(a, opt, created)
	if old == nil {
		return o.checked(a, opt)
	}
	a.Version, a.History = old.Version, old.History
	r.invalid = append(r.invalid, old.ValidateUpdate(a)...)
	return o.checked(a, opt)
}
