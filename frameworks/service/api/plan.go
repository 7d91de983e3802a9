package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/frameworks/service/wire"
)

// PlanAnswer is what a change would do: the steps, as Marathon has them, and what
// becomes of each app.
type PlanAnswer struct {
	wire.StepsAnswer
	Changes []AppChange `json:"changes"`
}

// AppChange is what becomes of one app. Change is created, removed, scaled, edited
// (nothing restarts) or replaced (every instance is).
type AppChange struct {
	App    app.Path      `json:"app"`
	Change string        `json:"change"`
	Fields []FieldChange `json:"fields"`
}

// FieldChange is a field that differs; Old or New is null where it is not there.
type FieldChange struct {
	Path string `json:"path"`
	Old  any    `json:"old"`
	New  any    `json:"new"`
}

// planAnswer is the JSON of a plan.
func planAnswer(p *rollout.Plan) (PlanAnswer, error) {
	answer := PlanAnswer{StepsAnswer: wire.StepsAnswer{Steps: steps(p.Steps)}, Changes: []AppChange{}}
	for _, id := range p.Affected {
		change, err := appChange(id, p.Original.App(id), p.Target.App(id))
		if err != nil {
			return answer, err
		}
		answer.Changes = append(answer.Changes, change)
	}
	return answer, nil
}

func appChange(id app.Path, old, next *app.App) (AppChange, error) {
	c := AppChange{App: id, Fields: []FieldChange{}}
	switch {
	case old == nil:
		c.Change = "created"
	case next == nil:
		c.Change = "removed"
	default:
		c.Change = app.Compare(old, next).String()
	}
	before, err := generic(old)
	if err != nil {
		return c, err
	}
	after, err := generic(next)
	if err != nil {
		return c, err
	}
	if before == nil || after == nil {
		if err := leaveOutDefaults(before, after); err != nil {
			return c, err
		}
	}
	c.Fields = differences(c.Fields, "", before, after)
	return c, nil
}

// leaveOutDefaults takes out of an app that is new, or goes, what all have who say
// nothing about it, so that people see what was said.
func leaveOutDefaults(apps ...map[string]any) error {
	plain, err := wire.ReadApp([]byte(`{"id": "/plain", "cmd": "true"}`), app.Root, wire.Options{})
	if err != nil {
		return fmt.Errorf("the defaults of an app: %w", err)
	}
	defaults, err := generic(plain)
	if err != nil {
		return err
	}
	for _, a := range apps {
		maps.DeleteFunc(a, func(key string, value any) bool { return reflect.DeepEqual(value, defaults[key]) })
	}
	return nil
}

// generic is an app as JSON that nobody has given a type, without its stamps.
func generic(a *app.App) (map[string]any, error) {
	if a == nil {
		return nil, nil
	}
	data, err := wire.Encode(wire.FromApp(a))
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("compare %s: %w", a.ID, err)
	}
	delete(fields, "version")
	delete(fields, "versionInfo")
	delete(fields, "id")
	delete(fields, "ports") // follows from those of the host or the mappings
	return fields, nil
}

// differences are the fields in which two objects differ; objects within them are
// gone into, lists are compared as a whole.
func differences(list []FieldChange, path string, old, next map[string]any) []FieldChange {
	keys := maps.Clone(old)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, next)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		at := path + "/" + key
		before, isObject := old[key].(map[string]any)
		after, staysObject := next[key].(map[string]any)
		switch {
		case reflect.DeepEqual(old[key], next[key]):
		case isObject && staysObject:
			list = differences(list, at, before, after)
		default:
			list = append(list, FieldChange{at, old[key], next[key]})
		}
	}
	return list
}

// actionNames are Marathon's words for what is done to an app.
var actionNames = map[rollout.Kind]string{
	rollout.Start: wire.StartApplication, rollout.Stop: wire.StopApplication,
	rollout.Scale: wire.ScaleApplication, rollout.Restart: wire.RestartApplication,
}

func steps(list []rollout.Step) []wire.Step {
	all := make([]wire.Step, 0, len(list))
	for _, s := range list {
		all = append(all, step(s))
	}
	return all
}

func step(s rollout.Step) wire.Step {
	w := wire.Step{Actions: make([]wire.Action, 0, len(s))}
	for _, a := range s {
		w.Actions = append(w.Actions, wire.Action{Action: actionNames[a.Kind], App: a.App})
	}
	return w
}
