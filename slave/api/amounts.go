package api

import (
	"slices"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

// always are the scalars that a summary has even when there is none of them.
var always = [...]string{"disk", "mem", "gpus", "cpus"}

// sum adds lists of resources up; those that are not valid count nothing.
func sum(lists ...[]*mesos.Resource) resources.Resources {
	var total resources.Resources
	for _, list := range lists {
		if r, err := resources.New(list...); err == nil {
			total = total.Add(r)
		}
	}
	return total
}

// totalOf is what the agent has, as operations have left it; without what is
// lent.
func totalOf(a *view.Agent) resources.Resources {
	if len(a.Resources) == 0 {
		return sum(a.Info.GetResources())
	}
	return sum(a.Resources)
}

// used is what an executor and its tasks hold.
func used(x *view.ExecutorTree) resources.Resources {
	lists := [][]*mesos.Resource{x.Info.GetResources()}
	for _, t := range slices.Concat(x.Queued, x.Live) {
		lists = append(lists, t.Info.GetResources())
	}
	return sum(lists...)
}

// allocated is what all executors hold.
func allocated(s *view.Snapshot) resources.Resources {
	var total resources.Resources
	for _, f := range s.Frameworks {
		for _, x := range f.Executors {
			total = total.Add(used(x))
		}
	}
	return total
}

// writeSum writes a summary: scalars as numbers, ranges and sets as text.
func writeSum(w *json.Writer, r resources.Resources) {
	w.BeginObject()
	for _, name := range always {
		w.Field(name, r.Scalar(name).Float())
	}
	seen := map[string]bool{}
	for e := range r.All() {
		name := e.Name()
		if seen[name] || slices.Contains(always[:], name) {
			continue
		}
		seen[name] = true
		switch e.Kind() {
		case mesos.Value_RANGES:
			w.Field(name, r.Ranges(name).String())
		case mesos.Value_SET:
			w.Field(name, r.Set(name).String())
		default:
			w.Field(name, r.Scalar(name).Float())
		}
	}
	w.EndObject()
}

func ofRole(r resources.Resources, role string) resources.Resources {
	return r.Filter(func(e resources.Entry) bool { return e.Role() == role })
}

func reservedRoles(r resources.Resources) []string {
	var roles []string
	for e := range r.All() {
		if role := e.Role(); role != "*" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles
}

func writeFull(w *json.Writer, r resources.Resources) {
	w.BeginArray()
	for _, p := range r.ProtoEndpoint() {
		w.Message(p)
	}
	w.EndArray()
}

// allocationRole is the role that resources were allocated to.
func allocationRole(list []*mesos.Resource) string {
	for _, r := range list {
		if role := r.GetAllocationInfo().GetRole(); role != "" {
			return role
		}
	}
	return "*"
}
