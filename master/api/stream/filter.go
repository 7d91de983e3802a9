package stream

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"troupe/master/api/records"
	"troupe/master/state/view"
	"troupe/messages/mesos/master"
)

// maxValues bounds what one parameter of a filter may name.
const maxValues = 100

// filter says which events somebody wants. A set that is nil wants all. An event
// that has none of what a set names, as that of an agent has no framework, is
// wanted.
type filter struct {
	types                     map[master.Event_Type]bool
	frameworks, agents, roles map[string]bool
}

// parseFilter reads ?type=, ?framework_id=, ?agent_id= and ?role=, each several
// times or with commas between.
func parseFilter(q url.Values) (filter, error) {
	var f filter
	types, err := valuesOf(q, "type")
	if err != nil {
		return f, err
	}
	for name := range types {
		t, known := master.Event_Type_value[name]
		if !known || t == int32(master.Event_UNKNOWN) {
			return f, fmt.Errorf("type: %q: is no type of event", shortened(name))
		}
		if f.types == nil {
			f.types = make(map[master.Event_Type]bool)
		}
		f.types[master.Event_Type(t)] = true
	}
	for name, to := range map[string]*map[string]bool{"framework_id": &f.frameworks, "agent_id": &f.agents, "role": &f.roles} {
		if *to, err = valuesOf(q, name); err != nil {
			return f, err
		}
	}
	return f, nil
}

func valuesOf(q url.Values, name string) (map[string]bool, error) {
	var set map[string]bool
	for _, list := range q[name] {
		for value := range strings.SplitSeq(list, ",") {
			if value == "" {
				return nil, fmt.Errorf("%s: a value is empty", name)
			}
			if set == nil {
				set = make(map[string]bool)
			}
			if set[value] = true; len(set) > maxValues {
				return nil, fmt.Errorf("%s: more than %d values", name, maxValues)
			}
		}
	}
	return set, nil
}

// String is the same for filters that want the same.
func (f filter) String() string {
	return fmt.Sprintf("%v %q %q %q", slices.Sorted(maps.Keys(f.types)), slices.Sorted(maps.Keys(f.frameworks)),
		slices.Sorted(maps.Keys(f.agents)), slices.Sorted(maps.Keys(f.roles)))
}

func (f filter) wants(e *entry) bool {
	if f.types != nil && !f.types[e.kind] {
		return false
	}
	return wanted(f.frameworks, e.framework) && wanted(f.agents, e.agent) && anyWanted(f.roles, e.roles)
}

func wanted(set map[string]bool, value string) bool { return set == nil || value == "" || set[value] }

func anyWanted(set map[string]bool, values []string) bool {
	return set == nil || len(values) == 0 || slices.ContainsFunc(values, func(v string) bool { return set[v] })
}

// parts are those of a state that events of the wanted types would change.
func (f filter) parts() records.Parts {
	wants := func(types ...master.Event_Type) bool {
		return f.types == nil || slices.ContainsFunc(types, func(t master.Event_Type) bool { return f.types[t] })
	}
	return records.Parts{
		Tasks:      wants(master.Event_TASK_ADDED, master.Event_TASK_UPDATED),
		Executors:  f.types == nil,
		Frameworks: wants(master.Event_FRAMEWORK_ADDED, master.Event_FRAMEWORK_UPDATED, master.Event_FRAMEWORK_REMOVED),
		Agents:     wants(master.Event_AGENT_ADDED, master.Event_AGENT_REMOVED),
	}
}

// of is what a snapshot has of what is wanted.
func (f filter) of(s *view.Snapshot) *view.Snapshot {
	if f.frameworks == nil && f.agents == nil && f.roles == nil {
		return s
	}
	part := *s
	part.Frameworks, part.Completed = f.ofFrameworks(s.Frameworks), f.ofFrameworks(s.Completed)
	part.Agents = kept(s.Agents, func(a *view.Agent) bool { return wanted(f.agents, string(a.ID)) })
	return &part
}

func (f filter) ofFrameworks(list []view.FrameworkState) []view.FrameworkState {
	var some []view.FrameworkState
	task := func(t *view.Task) bool {
		return wanted(f.agents, string(t.Agent)) && wanted(f.roles, t.Role)
	}
	for _, framework := range list {
		if !wanted(f.frameworks, string(framework.ID)) || !anyWanted(f.roles, framework.Roles) {
			continue
		}
		framework.Tasks = kept(framework.Tasks, task)
		framework.UnreachableTasks = kept(framework.UnreachableTasks, task)
		framework.CompletedTasks = kept(framework.CompletedTasks, task)
		framework.Executors = kept(framework.Executors, func(e *view.Executor) bool {
			return wanted(f.agents, string(e.Agent)) && wanted(f.roles, e.Role)
		})
		framework.Offers = kept(framework.Offers, func(o *view.Offer) bool {
			return wanted(f.agents, string(o.Agent)) && wanted(f.roles, o.Role)
		})
		some = append(some, framework)
	}
	return some
}

func kept[T any](list []T, keep func(T) bool) []T {
	var some []T
	for _, item := range list {
		if keep(item) {
			some = append(some, item)
		}
	}
	return some
}
