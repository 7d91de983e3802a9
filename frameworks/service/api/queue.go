package api

import (
	"math"
	"net/http"
	"slices"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
	"troupe/messages/mesos"
)

// listQueue answers with what waits for offers.
func listQueue(c *call) error {
	offers := slices.Contains(c.list("embed"), "lastUnusedOffers")
	now := c.s.Now()
	answer := wire.Queue{Queue: []wire.QueueItem{}}
	for _, v := range c.s.Board.Apps() {
		if v.Queue != nil && v.Queue.Count > 0 {
			answer.Queue = append(answer.Queue, c.s.queueItem(v.Queue, offers, now))
		}
	}
	return c.answer(http.StatusOK, answer)
}

func (s *Server) queueItem(q *state.Queue, offers bool, now time.Time) wire.QueueItem {
	item := wire.QueueItem{
		Count: q.Count, Since: stamp(q.Since), App: wire.FromApp(q.App), Delay: delay(q, now),
		Summary: wire.OffersSummary{
			Processed: q.Processed, Unused: q.Unused, LastUnusedAt: stamp(q.LastUnused), LastUsedAt: stamp(q.LastUsed),
			LastOffers: wire.Funnel(q.LastProcessed, q.LastDeclined), LaunchAttempt: wire.Funnel(q.Processed, q.Declined),
		},
	}
	if usual := s.Apps.Rules.Role; q.App.RoleOr(usual) != usual {
		item.Role = q.App.Role
	}
	if offers {
		item.UnusedOffers = make([]wire.UnusedOffer, 0, len(q.Refusals))
		for _, r := range q.Refusals {
			item.UnusedOffers = append(item.UnusedOffers, wire.UnusedOffer{Offer: offer(r.Offer), Reason: r.Reasons, Timestamp: stamp(r.At)})
		}
	}
	return item
}

// delay is what is left of the wait after a failure, in whole seconds: not 0 before
// it is over.
func delay(q *state.Queue, now time.Time) wire.Delay {
	left := q.Until.Sub(now)
	if q.Until.IsZero() || left <= 0 {
		return wire.Delay{Overdue: true}
	}
	return wire.Delay{TimeLeftSeconds: int64(math.Ceil(left.Seconds()))}
}

// Offers, as Marathon shows them.
type (
	offerJSON struct {
		ID         string      `json:"id"`
		Hostname   string      `json:"hostname"`
		Agent      string      `json:"agentId"`
		Resources  []valueJSON `json:"resources"`
		Attributes []valueJSON `json:"attributes"`
	}
	valueJSON struct {
		Name   string      `json:"name"`
		Role   string      `json:"role,omitempty"`
		Scalar *float64    `json:"scalar,omitempty"`
		Text   *string     `json:"text,omitempty"`
		Ranges []rangeJSON `json:"ranges,omitempty"`
		Set    []string    `json:"set,omitempty"`
	}
	rangeJSON struct {
		Begin uint64 `json:"begin"`
		End   uint64 `json:"end"`
	}
)

func offer(o *mesos.Offer) offerJSON {
	w := offerJSON{
		ID: o.GetId().GetValue(), Hostname: o.GetHostname(), Agent: o.GetAgentId().GetValue(),
		Resources: []valueJSON{}, Attributes: []valueJSON{},
	}
	for _, r := range o.GetResources() {
		v := value(r.GetName(), r.GetScalar(), r.GetRanges(), r.GetSet())
		if n := len(r.GetReservations()); n > 0 {
			v.Role = r.GetReservations()[n-1].GetRole()
		}
		w.Resources = append(w.Resources, v)
	}
	for _, a := range o.GetAttributes() {
		v := value(a.GetName(), a.GetScalar(), a.GetRanges(), a.GetSet())
		if a.GetText() != nil {
			v.Text = new(a.GetText().GetValue())
		}
		w.Attributes = append(w.Attributes, v)
	}
	return w
}

func value(name string, scalar *mesos.Value_Scalar, ranges *mesos.Value_Ranges, set *mesos.Value_Set) valueJSON {
	v := valueJSON{Name: name, Set: set.GetItem()}
	if scalar != nil {
		v.Scalar = new(scalar.GetValue())
	}
	for _, r := range ranges.GetRange() {
		v.Ranges = append(v.Ranges, rangeJSON{r.GetBegin(), r.GetEnd()})
	}
	return v
}

// resetDelay answers DELETE of a delay.
func resetDelay(c *call) error {
	v := c.s.Board.App(c.id)
	if v == nil || v.Queue == nil {
		return refuse(http.StatusNotFound, "Application %s not found in tasks queue.", shortened(string(c.id)))
	}
	return c.steer(func(n uint64) state.Input { return state.ResetDelay{Request: n, App: c.id} })
}

// Why tells in words why an app is not as it is to be.
type Why struct {
	App app.Path `json:"app"`
	// Instances that there are to be, that run, that are launched, and that wait to
	// be.
	Instances int `json:"instances"`
	Running   int `json:"running"`
	Staged    int `json:"staged"`
	Waiting   int `json:"waiting"`
	// Reasons are sentences; none if all is as it is to be.
	Reasons []string `json:"reasons"`
}

// tellWhy answers the question that is asked most.
func tellWhy(c *call) error {
	v, err := c.appView()
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, why(v, c.s.Board.Deployments(), c.s.Now()))
}
