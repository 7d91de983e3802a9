package state

import (
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state/reserve"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// reserveInterval is the time between two looks at whether what is reserved is
// what standing reservations want.
const reserveInterval = 5 * time.Second

// standing is what the machine knows of standing reservations beside the
// registry.
type standing struct {
	// The next look is due.
	watching bool
	// The removal of what expired is under way.
	expiring bool
	// What all agents have.
	survey reserve.Survey
	// Counts what may have made something free.
	events uint64
	// When the last plan found nothing to do; zero when it found something.
	futile futile
}

// futile is when a plan found nothing to do. Rules are set by a request that
// begins a plan, so that their number tells of other changes.
type futile struct {
	events uint64
	rules  int
	until  time.Time // when to look all the same
}

// futility is for how long what a plan cannot do is not tried again, unless
// something may have got free.
const futility = time.Minute

// survey counts what an agent has now.
func (m *Machine) survey(a *agent) {
	if a.surveyed.Equal(a.view.Total) {
		return
	}
	m.standing.survey.Remove(a.surveyed)
	a.surveyed = a.view.Total
	m.standing.survey.Add(a.surveyed)
}

// checkSurvey returns an error unless the survey counts what agents have.
func (m *Machine) checkSurvey() error {
	var anew reserve.Survey
	for _, a := range m.agents.byID {
		anew.Add(a.view.Total)
	}
	if !anew.Equal(&m.standing.survey) {
		return fmt.Errorf("survey for standing reservations: counts %v, there is %v", m.standing.survey, anew)
	}
	return nil
}

// reservationRequest sets or removes a standing reservation. It is answered
// when that is durable; what it wants is reserved as resources become free.
func (m *Machine) reservationRequest(in Received, msg *cluster.ReservationRequest) {
	var op registry.Operation
	r := msg.GetReservation()
	switch {
	case msg.Action == nil:
		m.refuseRequest(in, badRequest, field.Missing("action").Error())
		return
	case msg.GetAction() == cluster.ReservationRequest_REMOVE:
		if m.registry.Reservation(r.GetId()) == nil {
			m.refuseRequest(in, notFound, field.Invalid("reservation.id", r.GetId(), "is no standing reservation").Error())
			return
		}
		op = registry.RemoveReservations{IDs: []string{r.GetId()}}
	default:
		if err := m.checkReservation(r); err != nil {
			m.refuseRequest(in, badRequest, field.In("reservation", err).Error())
			return
		}
		r = proto.CloneOf(r)
		if in.Principal != "" {
			r.Principal = &in.Principal
		}
		op = registry.SetReservation{Reservation: r}
	}
	m.persistChanges(op, func(changes []registry.Change, conflicts error) {
		m.settingsChanged(changes)
		if conflicts != nil {
			m.refuseRequest(in, conflict, conflicts.Error())
			return
		}
		m.acceptRequest(in)
		m.standing.futile = futile{}
		m.keepReservations()
	})
}

// checkReservation says what is wrong with a standing reservation.
func (m *Machine) checkReservation(r *cluster.StandingReservation) error {
	if err := names.CheckID("id", r.GetId()); err != nil {
		return err
	}
	if err := names.CheckRole("role", r.GetRole()); err != nil {
		return err
	}
	switch {
	case r.GetRole() == names.AnyRole:
		return field.Invalid("role", r.GetRole(), "cannot be reserved for")
	case len(r.GetShares()) == 0:
		return field.Missing("shares")
	case r.Expires != nil && !time.Unix(0, r.GetExpires().GetNanoseconds()).After(m.now):
		return field.Invalid("expires.nanoseconds", r.GetExpires().GetNanoseconds(), "is over already")
	}
	if err := m.checkAllowed(r.GetRole(), "role"); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i, share := range r.GetShares() {
		err := checkShare(share)
		switch {
		case err != nil:
		case seen[share.GetName()]:
			err = field.Invalid("name", share.GetName(), "is there twice")
		default:
			err = m.checkPercent(r.GetId(), share)
		}
		if err != nil {
			return field.At("shares", i, err)
		}
		seen[share.GetName()] = true
	}
	return nil
}

func checkShare(s *cluster.StandingReservation_Share) error {
	if err := names.CheckResource("name", s.GetName()); err != nil {
		return err
	}
	if (s.Amount == nil) == (s.Percent == nil) {
		return field.Invalid("", s.GetName(), "must have either amount or percent")
	}
	if s.Percent != nil {
		if p := s.GetPercent(); !(p >= 0.001 && p <= 100) { // not a number is neither
			return field.Invalid("percent", p, "must be from 0.001 to 100")
		}
		return nil
	}
	value := s.GetAmount().GetValue()
	switch amount, err := resources.MilliOf(value); {
	case err != nil:
		return field.Invalid("amount.value", value, "%s", err)
	case amount == 0:
		return field.Invalid("amount.value", value, "must be above 0")
	case s.GetName() == resources.GPUs && amount%1000 != 0:
		return field.Invalid("amount.value", value, "must be a whole number")
	}
	return nil
}

// checkPercent refuses what comes to more than all there is.
func (m *Machine) checkPercent(id string, share *cluster.StandingReservation_Share) error {
	if share.Percent == nil {
		return nil
	}
	sum := percent(share)
	for other := range m.registry.Reservations() {
		for _, s := range other.GetShares() {
			if other.GetId() != id && s.GetName() == share.GetName() {
				sum += percent(s)
			}
		}
	}
	if sum > reserve.Whole {
		return field.Invalid("percent", share.GetPercent(), "comes to %s with what others have, more than 100", sum)
	}
	return nil
}

// percent is in thousandths of a percent; 0 when the share has none.
func percent(s *cluster.StandingReservation_Share) resources.Milli {
	return resources.Milli(math.Round(s.GetPercent() * 1000))
}

// watchReservations makes sure that there is another look, if there is anything
// to look after.
func (m *Machine) watchReservations(any bool) {
	if any && !m.standing.watching {
		m.standing.watching = true
		m.emit(SetTimer{timerReservations, reserveInterval})
	}
}

// reservationsDue is a look when its time has come.
func (m *Machine) reservationsDue() {
	m.standing.watching = false
	m.keepReservations()
}

// keepReservations brings what is reserved closer to what standing reservations
// want, and ends those whose time is over. It looks at agents only when there is
// something to change, and something happened since that could not be done.
func (m *Machine) keepReservations() {
	rules, s := m.rules(), &m.standing
	if len(rules) == 0 && !s.survey.Standing() {
		return
	}
	again := s.futile.events != s.events || s.futile.rules != len(rules) || !m.now.Before(s.futile.until)
	if again && !s.survey.Settled(rules) {
		s.futile = futile{}
		if !m.planReservations(rules) {
			s.futile = futile{s.events, len(rules), m.now.Add(futility)}
		}
	}
	m.watchReservations(true)
}

// planReservations begins what a plan says, and tells whether that is anything.
func (m *Machine) planReservations(rules []reserve.Rule) bool {
	agents := m.agents.ordered()
	known := make([]reserve.Agent, len(agents))
	for i, a := range agents {
		known[i] = a.reservable()
	}
	moves := reserve.Plan(rules, known)
	for _, move := range moves {
		a := agents[move.Agent]
		if err := m.operateFor(Received{}, a, move.Operation); err != nil {
			m.note(Warn, "A standing reservation could not be kept: "+err.Error(), Field{"agent", string(a.id())})
		}
	}
	return len(moves) > 0
}

// rules lists the standing reservations that have not expired, and begins to
// remove the others.
func (m *Machine) rules() []reserve.Rule {
	var rules []reserve.Rule
	var over []string
	for r := range m.registry.Reservations() {
		if r.Expires != nil && !time.Unix(0, r.GetExpires().GetNanoseconds()).After(m.now) {
			over = append(over, r.GetId())
			continue
		}
		rules = append(rules, ruleOf(r))
	}
	if len(over) > 0 && !m.standing.expiring {
		m.standing.expiring = true
		m.persistChanges(registry.RemoveReservations{IDs: over}, func(changes []registry.Change, conflicts error) {
			m.standing.expiring = false
			m.settingsChanged(changes)
			if conflicts != nil {
				m.note(Warn, "Expired reservations stay: "+conflicts.Error())
				return
			}
			for _, id := range over {
				m.note(Info, "A standing reservation expired", Field{"reservation", id})
			}
		})
	}
	return rules
}

func ruleOf(r *cluster.StandingReservation) reserve.Rule {
	rule := reserve.Rule{ID: r.GetId(), Role: r.GetRole(), Principal: r.GetPrincipal()}
	for _, s := range r.GetShares() {
		amount, _ := resources.MilliOf(s.GetAmount().GetValue()) // was checked
		rule.Shares = append(rule.Shares, reserve.Share{Name: s.GetName(), Amount: amount, Percent: percent(s)})
	}
	return rule
}

// reservable is what a plan may know of an agent. While an operation is under
// way there, nothing of it is free.
func (a *agent) reservable() reserve.Agent {
	known := reserve.Agent{Total: a.view.Total}
	if a.leaving || !a.connected() || !a.view.Active() || a.lastPending() > 0 {
		return known
	}
	known.Idle = a.free().Filter(scalar)
	known.Free = a.unused().Filter(scalar)
	return known
}

func scalar(e resources.Entry) bool { return e.Kind() == mesos.Value_SCALAR }
