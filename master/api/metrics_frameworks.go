package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// putEachFramework puts what every live framework does.
func putEachFramework(put putter, snapshot *view.Snapshot) {
	for _, f := range snapshot.Frameworks {
		prefix := "master/frameworks/" + encode(f.Info.GetName()) + "/" + string(f.ID) + "/"
		own := func(key string, value float64) { put(prefix+key, value) }
		own("subscribed", truth(f.Connected))
		putOwnOperations(own, f.Activity)
		putDialogue(own, f.Activity)
		putOffers(own, f.Activity)
		putOwnTasks(own, f)
		putSuppressed(own, f)
	}
}

// putPrincipals puts what the frameworks of each principal have sent. A principal
// is a part of the key as it is.
func putPrincipals(put putter, snapshot *view.Snapshot) {
	for _, f := range snapshot.Frameworks {
		if principal := f.Info.GetPrincipal(); principal != "" {
			m := snapshot.Counters.Messages[principal]
			put("frameworks/"+principal+"/messages_received", float64(m.Received))
			put("frameworks/"+principal+"/messages_processed", float64(m.Processed))
		}
	}
}

// putDialogue puts what a framework calls, and is told.
func putDialogue(put putter, a *view.Activity) {
	put("calls", float64(a.AllCalls()))
	for _, t := range types(scheduler.Call_Type_name) {
		put("calls/"+lower(scheduler.Call_Type(t).String(), ""), float64(a.Calls(scheduler.Call_Type(t))))
	}
	put("events", float64(a.AllEvents()))
	for _, t := range types(scheduler.Event_Type_name) {
		put("events/"+lower(scheduler.Event_Type(t).String(), ""), float64(a.Events(scheduler.Event_Type(t))))
	}
}

// putOwnOperations puts the operations of a framework's ACCEPTs.
func putOwnOperations(put putter, a *view.Activity) {
	put("operations", float64(a.AllOperations()))
	for _, t := range types(mesos.Offer_Operation_Type_name) {
		put("operations/"+lower(mesos.Offer_Operation_Type(t).String(), ""), float64(a.Operations(mesos.Offer_Operation_Type(t))))
	}
}

func putOffers(put putter, a *view.Activity) {
	put("offers/sent", float64(a.OffersMade))
	put("offers/accepted", float64(a.OffersEnded[view.Accepted]))
	put("offers/declined", float64(a.OffersEnded[view.Declined]))
	put("offers/rescinded", float64(a.OffersEnded[view.Rescinded]+a.OffersEnded[view.Overtaken]))
}

func putOwnTasks(put putter, f view.FrameworkState) {
	live := make(map[mesos.TaskState]int)
	for _, t := range f.Tasks {
		live[t.State]++
	}
	live[mesos.TaskState_TASK_UNREACHABLE] += len(f.UnreachableTasks)
	for _, state := range append(slices.Clone(gauges), mesos.TaskState_TASK_UNREACHABLE, mesos.TaskState_TASK_UNKNOWN) {
		put("tasks/active/"+lower(state.String(), ""), float64(live[state]))
	}
	for _, state := range totals {
		put("tasks/terminal/"+lower(state.String(), ""), float64(f.Activity.Terminal(state)))
	}
}

func putSuppressed(put putter, f view.FrameworkState) {
	suppressed := make(map[string]bool, len(f.Suppressed))
	for _, role := range f.Suppressed {
		suppressed[role] = true
	}
	for _, role := range f.Roles {
		put("roles/"+role+"/suppressed", truth(suppressed[role]))
	}
}

// types are the values of an enum in order, but for UNKNOWN.
func types(names map[int32]string) []int32 {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(t int32) bool { return t == 0 })
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// encode is a name without slashes and spaces, as a part of a URL is.
func encode(name string) string { return strings.ReplaceAll(url.QueryEscape(name), "+", "%20") }
