package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/state"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// bounds is what the registry says of quotas, and what masters make of that.
type bounds struct {
	quotas map[string]*quota.QuotaConfig // of roles that have one
	// When what roles have last could grow beyond their limits: when a quota
	// changed, or masters, allocators, agents or operators brought something.
	stirred time.Time
	// By how much roles exceeded their limits at the last look.
	excess map[string]resources.Milli
}

func newBounds() bounds {
	return bounds{quotas: make(map[string]*quota.QuotaConfig), excess: make(map[string]resources.Milli)}
}

// settling is how long it takes until the master and the allocator think the same
// of quotas.
const settling = 10 * time.Second

func (o *oracle) stir() { o.bounds.stirred = o.cluster.net.now }

// quotaWritten tells of a quota that is durable; nil of one that is no more.
func (o *oracle) quotaWritten(role string, config *quota.QuotaConfig) {
	o.bounds.quotas[role] = config
	if config == nil {
		delete(o.bounds.quotas, role)
	}
	o.stir()
}

// checkLimits judges what a master lets roles have: when nothing stirred for a
// while, nobody gets more beyond a limit than he had.
func (o *oracle) checkLimits(m *masterNode) {
	calm := o.cluster.net.now.Sub(o.bounds.stirred) > settling
	for _, role := range slices.Sorted(maps.Keys(o.bounds.quotas)) {
		limits := o.bounds.quotas[role].GetLimits()
		if len(limits) == 0 || o.plans.standing["for-"+role] {
			continue
		}
		has := m.machine.Consumed(role)
		for _, name := range slices.Sorted(maps.Keys(limits)) {
			limit, err := resources.MilliOf(limits[name].GetValue())
			if err != nil {
				o.cluster.fail("the limit of role %s: %v", role, err)
				return
			}
			key, excess := role+" "+name, max(0, has[name]-limit)
			if before, looked := o.bounds.excess[key]; looked && calm && excess > before {
				o.cluster.fail("law 1: role %s has %s of %s by the books of %s, and its limit is %s", role, has[name], name, m.address, limit)
			}
			o.bounds.excess[key] = excess
		}
	}
}

// guaranteed is what a role, or the one at the top above it, is guaranteed.
func (o *oracle) guaranteed(role string) view.Quantities {
	q := make(view.Quantities)
	for name, amount := range o.bounds.quotas[topOf(role)].GetGuarantees() {
		q[name], _ = resources.MilliOf(amount.GetValue()) // was checked when it was set
	}
	return q
}

func topOf(role string) string {
	top, _, _ := strings.Cut(role, "/")
	return top
}

// term is what one leader is known by.
func (m *masterNode) term() string { return fmt.Sprint(m.address, "#", m.life) }

// masterPreempts judges whom a master kills for another role's guarantee: all
// that is left to the role of each, by the master's books, is at least what is
// guaranteed to that role. before is what it had.
func (o *oracle) masterPreempts(m *masterNode, role string, before view.Quantities, effects []state.Effect) {
	left, guaranteed := maps.Clone(before), o.guaranteed(role)
	for _, f := range o.fates {
		if f.taken.preempted == m.term() && !f.taken.returned && topOf(f.role) == topOf(role) {
			f.takeFrom(left)
		}
	}
	for _, effect := range effects {
		s, _ := effect.(state.Send)
		kill, ok := s.Message.(*cluster.KillTask)
		if !ok {
			continue
		}
		f := o.fateOf(kill.GetTaskId().GetValue())
		if f == nil {
			return
		}
		f.unwanted, f.taken.preempted = true, m.term()
		f.takeFrom(left)
		if !left.Contains(guaranteed) {
			o.broken(1, f.id, "of role %s is preempted: %s is guaranteed to the role, and %s is left to it", f.role, guaranteed, left)
		}
	}
}

// takeFrom takes what a task counts for from what its role has.
func (f *fate) takeFrom(q view.Quantities) {
	for name, amount := range view.QuantitiesOf(firmOf(f.needs).Filter(func(e resources.Entry) bool { return e.Role() == "*" })) {
		q[name] -= amount
	}
}

// masterHears tells of a message that reaches a master. Whoever is heard to have
// ended holds nothing there any more.
func (o *oracle) masterHears(message proto.Message) {
	switch m := message.(type) {
	case *cluster.StatusUpdate:
		f := o.fates[m.GetStatus().GetTaskId().GetValue()]
		if f != nil && (terminal(m.GetStatus().GetState()) || terminal(m.GetLatestState())) {
			f.taken.returned = true
		}
	case *cluster.RegisterAgent, *cluster.ReregisterAgent, *cluster.OperationRequest, *cluster.ReservationRequest, *cluster.OperationUpdate:
		o.stir()
	}
}

// endHeard tells of an acknowledgement in an agent's journal, which forgets a task
// with that of its end.
func (o *oracle) endHeard(task, uuid string) {
	if f := o.fates[task]; f != nil && (uuid == "" || uuid == f.taken.ended) {
		f.taken.known = true
	}
}

// endAcknowledged tells, of a task that was evicted or preempted, whether its
// agent knows that its framework knows of its end. An agent that is another now
// has nothing to say of it.
func (o *oracle) endAcknowledged(f *fate) bool {
	if f.taken.evicted == "" && f.taken.preempted == "" || f.taken.ended == "" || f.taken.known || o.over[f.framework] || o.forgotten[f.framework] {
		return true
	}
	return !slices.ContainsFunc(o.cluster.agents, func(a *agentNode) bool { return a.identity() == f.agent })
}

// endTold judges how a master tells of the end of a task that it preempted, which
// its executor had to tell of: it may have ended with its machine before.
func (o *oracle) endTold(p *process, m *scheduler.Event) {
	s := m.GetUpdate().GetStatus()
	f := o.fates[s.GetTaskId().GetValue()]
	if f == nil {
		return
	}
	if s.GetState() == mesos.TaskState_TASK_UNREACHABLE {
		f.taken.preempted = "" // and forgotten
	}
	if _, said := f.made[string(s.GetUuid())]; !said || f.taken.preempted != fmt.Sprint(p.address, "#", p.life) || f.seen[string(s.GetUuid())] {
		return
	}
	if terminal(s.GetState()) && s.GetState() != mesos.TaskState_TASK_FINISHED && s.GetReason() != mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
		o.broken(2, f.id, "was preempted by %s, which calls that %s", p.address, s.GetReason())
	}
}
