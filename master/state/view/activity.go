package view

import (
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

// maxType bounds the types of calls and events, and the states of tasks, that
// are counted; none of this version is above it.
const maxType = 32

// Activity counts what a framework did, and what became of it, since this
// master leads.
type Activity struct {
	calls, events        [maxType]int64
	operations, terminal [maxType]int64
	OffersMade           int64
	OffersEnded          [Discarded + 1]int64
}

// Calls is how many calls of one type came.
func (a *Activity) Calls(t scheduler.Call_Type) int64 { return at(&a.calls, int32(t)) }

// Events is how many events of one type were sent.
func (a *Activity) Events(t scheduler.Event_Type) int64 { return at(&a.events, int32(t)) }

// Operations is how many operations of one type its ACCEPTs had.
func (a *Activity) Operations(t mesos.Offer_Operation_Type) int64 { return at(&a.operations, int32(t)) }

// AllOperations is how many operations its ACCEPTs had.
func (a *Activity) AllOperations() int64 { return sum(&a.operations) }

// Terminal is how many tasks reached a terminal state.
func (a *Activity) Terminal(s mesos.TaskState) int64 { return at(&a.terminal, int32(s)) }

// AllCalls is how many calls came.
func (a *Activity) AllCalls() int64 { return sum(&a.calls) }

// AllEvents is how many events were sent.
func (a *Activity) AllEvents() int64 { return sum(&a.events) }

func at(list *[maxType]int64, i int32) int64 {
	if i < 0 || i >= maxType {
		return 0
	}
	return list[i]
}

func add(list *[maxType]int64, i int32) {
	if i >= 0 && i < maxType {
		list[i]++
	}
}

func sum(list *[maxType]int64) int64 {
	var n int64
	for _, x := range list {
		n += x
	}
	return n
}

// activityOf is what is counted of a framework; for one that is not shown,
// nobody looks at it.
func (m *Model) activityOf(id FrameworkID) *Activity {
	if f := m.frameworks[id]; f != nil {
		return f.activity
	}
	return &m.nobody
}

// countActivity counts an event for its framework.
func (m *Model) countActivity(e Event) {
	switch e := e.(type) {
	case Called:
		add(&m.activityOf(e.Framework).calls, e.Type)
	case Told:
		a := m.activityOf(e.Framework)
		add(&a.events, e.Type)
		if e.Type == int32(scheduler.Event_SUBSCRIBED) {
			add(&a.calls, int32(scheduler.Call_SUBSCRIBE)) // whose it was, was not known when it came
		}
	case Operated:
		add(&m.activityOf(e.Framework).operations, e.Type)
	case OffersMade:
		for _, o := range e.Offers {
			m.activityOf(o.Framework).OffersMade++
		}
	case OfferRemoved:
		m.activityOf(e.Offer.Framework).OffersEnded[e.End]++
	case TaskUpdated:
		if e.Before != e.Task.State && tasks.Terminal(e.Task.State) {
			add(&m.activityOf(e.Task.Framework).terminal, int32(e.Task.State))
		}
	case TaskRefused:
		add(&m.activityOf(e.Framework).terminal, int32(e.Status.GetState()))
	}
}
