package dsl

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"go.starlark.net/starlark"
)

// Jobs is what a configuration asks for: apps, or one group that holds all.
type Jobs struct {
	// Apps are the JSON of an app each. What they do not name is left alone.
	Apps []Job
	// Group is the JSON of a group; what is not in it is to be removed from it.
	// nil for a configuration of apps.
	Group *Job
}

// Job is an app or a group.
type Job struct {
	ID   string // an absolute path
	JSON []byte
}

// collect makes JSON of the list of jobs.
func (e *evaluation) collect(v starlark.Value) (*Jobs, error) {
	list, ok := v.(starlark.Iterable)
	if _, one := v.(*job); one {
		list, ok = starlark.NewList([]starlark.Value{v}), true
	}
	if !ok {
		return nil, fmt.Errorf("jobs: %s: must be a list of what app() and group() made", v.Type())
	}
	w := &writer{evaluation: e, ids: map[string]bool{}}
	all, at := &Jobs{}, 0
	for v := range starlark.Elements(list) {
		where := fmt.Sprintf("jobs[%d]", at)
		at++
		j, ok := v.(*job)
		if !ok {
			return nil, fmt.Errorf("%s: %s: must be what app() or group() made", where, v)
		}
		fields, id, err := w.job(where, "/", j, 0)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(fields)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		if j.kind == "group" {
			all.Group = &Job{id, text}
		} else {
			all.Apps = append(all.Apps, Job{id, text})
		}
	}
	switch {
	case at == 0:
		return nil, errors.New("jobs: is empty")
	case all.Group != nil && at > 1:
		return nil, fmt.Errorf("jobs: has the group %s and more: put all into one group, or name only apps", all.Group.ID)
	}
	return all, nil
}

// writer makes JSON of values.
type writer struct {
	*evaluation
	ids    map[string]bool
	values int
}

// job makes the fields of a job, and its absolute path. in is the group it is in.
func (w *writer) job(where, in string, j *job, deep int) (map[string]any, string, error) {
	fields := map[string]any{}
	id, err := w.text(where+".id", j.id())
	if err != nil {
		return nil, "", err
	}
	if id == "" {
		return nil, "", fmt.Errorf("%s.id: is not there", where)
	}
	if !strings.HasPrefix(id, "/") {
		id = strings.TrimSuffix(in, "/") + "/" + id
	}
	if w.ids[id] || len(w.ids) == MaxJobs {
		return nil, "", fmt.Errorf("%s.id: %q: is there twice, or the last of more than %d", where, id, MaxJobs)
	}
	w.ids[id] = true
	for _, name := range j.known() {
		v := j.fields[name]
		switch {
		case v == nil:
		case name == "id":
			fields[name] = id
		case j.kind == "group" && (name == "apps" || name == "groups"):
			fields[name], err = w.members(where+"."+name, id, strings.TrimSuffix(name, "s"), v, deep+1)
		default:
			fields[name], err = w.value(where+"."+name, v, deep+1)
		}
		if err != nil {
			return nil, "", err
		}
	}
	return fields, id, nil
}

// members are the apps or groups of a group.
func (w *writer) members(where, in, kind string, v starlark.Value, deep int) (any, error) {
	list, ok := v.(starlark.Iterable)
	if !ok || deep > maxNested {
		return nil, fmt.Errorf("%s: %s: must be a list of what %s() made, not deeper than %d", where, v.Type(), kind, maxNested)
	}
	all := []any{}
	for v := range starlark.Elements(list) {
		at := fmt.Sprintf("%s[%d]", where, len(all))
		j, ok := v.(*job)
		if !ok || j.kind != kind {
			return nil, fmt.Errorf("%s: %s: must be what %s() made", at, v, kind)
		}
		fields, _, err := w.job(at, in, j, deep)
		if err != nil {
			return nil, err
		}
		all = append(all, fields)
	}
	return all, nil
}

// value makes JSON of what a field has.
func (w *writer) value(where string, v starlark.Value, deep int) (any, error) {
	if w.values++; deep > maxNested || w.values > maxValues {
		return nil, fmt.Errorf("%s: is nested deeper than %d, or the last of more than %d values", where, maxNested, maxValues)
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		return json.Number(v.String()), nil
	case starlark.Float:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
		return nil, fmt.Errorf("%s: %s: is no number that JSON has", where, v)
	case starlark.String:
		return w.text(where, string(v))
	case *starlark.Dict:
		return w.dict(where, v, deep)
	case starlark.Sequence:
		all := make([]any, 0, v.Len())
		for item := range starlark.Elements(v) {
			made, err := w.value(fmt.Sprintf("%s[%d]", where, len(all)), item, deep+1)
			if err != nil {
				return nil, err
			}
			all = append(all, made)
		}
		return all, nil
	default:
		return nil, fmt.Errorf("%s: %s: a %s has no JSON", where, v, v.Type())
	}
}

func (w *writer) dict(where string, d *starlark.Dict, deep int) (any, error) {
	all := make(map[string]any, d.Len())
	for _, item := range d.Items() {
		key, ok := starlark.AsString(item[0])
		if !ok {
			return nil, fmt.Errorf("%s: the key %s: must be a string", where, item[0])
		}
		made, err := w.value(where+"."+key, item[1], deep+1)
		if err != nil {
			return nil, err
		}
		all[key] = made
	}
	return all, nil
}

// mention is a binding in a text; what looks otherwise is left alone, as other
// systems have braces, too.
var mention = regexp.MustCompile(`\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}`)

// text puts bindings in.
func (w *writer) text(where, s string) (string, error) {
	var missing error
	s = mention.ReplaceAllStringFunc(s, func(m string) string {
		name := m[2 : len(m)-2]
		value, ok := w.Bindings[name]
		if !ok && missing == nil {
			missing = fmt.Errorf("%s: {{%s}} has no value: give it by --bind %s=VALUE", where, name, name)
		}
		w.used[name] = true
		return value
	})
	return s, missing
}
