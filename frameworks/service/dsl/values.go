package dsl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// appFields are the fields of an app in the service framework's API.
var appFields = strings.Fields(`
	acceptedResourceRoles args backoffFactor backoffSeconds check cmd constraints container cpus dependencies disk env
	executor executorResources fetch gpus healthChecks id instances killSelection labels maxLaunchDelaySeconds mem
	networks portDefinitions ports readinessChecks requirePorts resourceLimits role secrets taskKillGracePeriodSeconds
	tty unreachableStrategy upgradeStrategy user`)

// merged are the fields in which an app that is made of another one adds to what
// that has, key by key. All others are replaced.
var merged = []string{"env", "labels", "secrets"}

// job is an app or a group as files handle it: a value that never changes, and
// that makes another one when it is called with fields to replace.
type job struct {
	kind   string // app or group
	fields map[string]starlark.Value
}

var (
	_ starlark.Callable = (*job)(nil)
	_ starlark.HasAttrs = (*job)(nil)
)

func newApp(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return (&job{kind: "app"}).with(b.Name(), args, kwargs)
}

func newGroup(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return (&job{kind: "group"}).with(b.Name(), args, kwargs)
}

func (j *job) known() []string {
	if j.kind == "group" {
		return []string{"apps", "dependencies", "enforceRole", "groups", "id"}
	}
	return appFields
}

// with is a copy of j with some fields replaced. None takes a field away.
func (j *job) with(name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("%s: %s: fields are given by name, as in id=%s", name, args[0], args[0])
	}
	made := &job{j.kind, maps.Clone(j.fields)}
	if made.fields == nil {
		made.fields = map[string]starlark.Value{}
	}
	for _, pair := range kwargs {
		field := string(pair[0].(starlark.String)) // of a keyword nothing else can come
		if !slices.Contains(j.known(), field) {
			return nil, fmt.Errorf("%s: %s: there is no such field; those there are: %s", name, field, strings.Join(j.known(), ", "))
		}
		value, err := merge(field, made.fields[field], pair[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, field, err)
		}
		value.Freeze()
		made.fields[field] = value
		if value == starlark.None {
			delete(made.fields, field)
		}
	}
	return made, nil
}

// merge is what a field becomes.
func merge(field string, old, next starlark.Value) (starlark.Value, error) {
	had, is := old.(*starlark.Dict)
	more, isToo := next.(*starlark.Dict)
	if !slices.Contains(merged, field) || !is || !isToo {
		return next, nil
	}
	all := starlark.NewDict(had.Len() + more.Len())
	for _, d := range []*starlark.Dict{had, more} {
		for _, item := range d.Items() {
			if err := all.SetKey(item[0], item[1]); err != nil {
				return nil, err
			}
			if item[1] != starlark.None {
				continue
			}
			if _, _, err := all.Delete(item[0]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// String is how print shows it.
func (j *job) String() string { return fmt.Sprintf("%s(%s)", j.kind, j.id()) }

// Type is app or group.
func (j *job) Type() string { return j.kind }

// Freeze does nothing: a job never changes.
func (j *job) Freeze() {}

// Truth is true.
func (j *job) Truth() starlark.Bool { return starlark.True }

// Hash fails: a job is no key.
func (j *job) Hash() (uint32, error) { return 0, fmt.Errorf("%s is no key", j.kind) }

// Name is for messages.
func (j *job) Name() string { return j.String() }

// CallInternal makes another job of this one.
func (j *job) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return j.with(j.String(), args, kwargs)
}

// Attr is a field, or None if it was not given.
func (j *job) Attr(name string) (starlark.Value, error) {
	if !slices.Contains(j.known(), name) {
		return nil, nil
	}
	if v := j.fields[name]; v != nil {
		return v, nil
	}
	return starlark.None, nil
}

// AttrNames are all fields there can be.
func (j *job) AttrNames() []string { return j.known() }

// id is "" for a template.
func (j *job) id() string {
	s, _ := starlark.AsString(j.fields["id"])
	return s
}
