package simulate

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/quota"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// plans is what the registry says of machines, quotas and weights.
type plans struct {
	machines map[string]mesos.MachineInfo_Mode // by host name
	hosts    map[string]string                 // of agents, by id
	quotas   map[string]bool                   // roles that have one
	standing map[string]bool                   // ids of standing reservations
}

func newPlans() plans {
	return plans{machines: make(map[string]mesos.MachineInfo_Mode), hosts: make(map[string]string), quotas: make(map[string]bool), standing: make(map[string]bool)}
}

// planWritten tells of a record that is durable. Whatever runs on a machine that
// is down may be ended.
func (o *oracle) planWritten(c registry.Change) {
	p := o.plans
	kind, id, _ := strings.Cut(c.Key, "/")
	switch kind {
	case "agent":
		if c.Record != nil { // of one that is removed it is known still
			p.hosts[id] = c.Record.GetAgent().GetAgent().GetHostname()
		}
		o.endedWithMachine(id)
	case "quota":
		p.quotas[id] = c.Record != nil
		if c.Record == nil {
			delete(p.quotas, id)
		}
		o.quotaWritten(id, c.Record.GetQuota().GetConfig())
	case "reservation":
		p.standing[id] = c.Record != nil
		o.stir()
	case "machine":
		host, _, _ := strings.Cut(id, "@")
		p.machines[host] = c.Record.GetMachine().GetMachine().GetMode()
		if c.Record == nil {
			delete(p.machines, host)
		}
		for agent := range p.hosts {
			o.endedWithMachine(agent)
		}
	}
}

// endedWithMachine notes that an agent may end whose machine is down.
func (o *oracle) endedWithMachine(agent string) {
	if o.plans.machines[o.plans.hosts[agent]] == mesos.MachineInfo_DOWN {
		o.wishes.ending[agent] = true
	}
}

// takenDown tells of an end that a master tells although the task may run, as an
// operator says that its machine is down: whoever comes back from there is sent
// away.
func (o *oracle) takenDown(f *fate, s mesos.TaskState) bool {
	return s == mesos.TaskState_TASK_LOST && o.plans.machines[o.plans.hosts[f.agent]] == mesos.MachineInfo_DOWN
}

// request sends what an operator wants to the master that leads.
func (c *simulation) request(m proto.Message) {
	if leader := c.leader(); leader != nil && !leader.paused {
		leader.step(state.Received{From: "operator@console:0", Message: m})
	}
}

// faultMachine lets an operator plan, begin or end the maintenance of an agent's
// machine.
func (c *simulation) faultMachine(words []string) error {
	a, err := c.agentNamed(words[1])
	if err != nil {
		return err
	}
	host := fmt.Sprintf("agent%d", a.number)
	ids := []*mesos.MachineID{{Hostname: &host}}
	switch words[0] {
	case "plan":
		c.reschedule(host)
	case "down":
		c.request(&cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_START.Enum(), Machines: ids})
	case "up":
		c.request(&cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_STOP.Enum(), Machines: ids})
	default:
		return fmt.Errorf("%q is none of plan, down and up", words[0])
	}
	return nil
}

// reschedule replaces the schedule by one of the machines that are in it and one
// more, each at another time.
func (c *simulation) reschedule(more string) {
	known := maps.Clone(c.oracle.plans.machines)
	known[more] = mesos.MachineInfo_DRAINING
	c.schedule(slices.Sorted(maps.Keys(known)))
}

func (c *simulation) schedule(hosts []string) {
	s := new(maintenance.Schedule)
	for i, host := range hosts {
		s.Windows = append(s.Windows, &maintenance.Window{
			MachineIds: []*mesos.MachineID{{Hostname: &host}},
			Unavailability: &mesos.Unavailability{Start: &mesos.TimeInfo{
				Nanoseconds: proto.Int64(c.net.now.Add(time.Duration(i+1) * time.Hour).UnixNano()),
			}},
		})
	}
	c.request(&cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_SCHEDULE.Enum(), Schedule: s})
}

// faultRole lets an operator change the quota or the weight of a role.
func (c *simulation) faultRole(words []string) error {
	role := words[1]
	all := c.oracle.total.Scalar(resources.CPUs).Float() * float64(len(c.agents))
	amount := func(part float64) map[string]*mesos.Value_Scalar {
		cpus := math.Ceil(part * all)
		return map[string]*mesos.Value_Scalar{"cpus": {Value: &cpus}}
	}
	switch words[0] {
	case "guarantee":
		c.setQuota(&quota.QuotaConfig{Role: &role, Guarantees: amount(c.net.chance.Float64())})
	case "limit":
		c.setQuota(&quota.QuotaConfig{Role: &role, Limits: amount(c.net.chance.Float64() / 4)})
	case "none":
		c.setQuota(&quota.QuotaConfig{Role: &role})
	case "weight":
		c.request(&cluster.WeightsRequest{Weights: []*mesos.WeightInfo{{Role: &role, Weight: proto.Float64(c.net.chance.Float64() + 0.5)}}})
	case "reserve", "unreserve":
		c.standing(role, words[0] == "reserve")
	default:
		return fmt.Errorf("%q is none of guarantee, limit, none, weight, reserve and unreserve", words[0])
	}
	return nil
}

// standing sets or removes the standing reservation of a role: a part of all cpus
// and disks, for a time.
func (c *simulation) standing(role string, set bool) {
	r := &cluster.StandingReservation{Id: proto.String("for-" + strings.ReplaceAll(role, "*", "all")), Role: &role}
	m := &cluster.ReservationRequest{Action: cluster.ReservationRequest_REMOVE.Enum(), Reservation: r}
	if set {
		m.Action = cluster.ReservationRequest_SET.Enum()
		for _, name := range []string{resources.CPUs, resources.Disk} {
			r.Shares = append(r.Shares, &cluster.StandingReservation_Share{Name: &name, Percent: proto.Float64(float64(1 + c.net.chance.IntN(20)))})
		}
		r.Expires = &mesos.TimeInfo{Nanoseconds: proto.Int64(c.net.now.Add(c.net.between(20*time.Second, 4*time.Minute)).UnixNano())}
	}
	c.request(m)
}

func (c *simulation) setQuota(config *quota.QuotaConfig) {
	c.request(&cluster.QuotaRequest{
		Action: cluster.QuotaRequest_UPDATE.Enum(), Force: proto.Bool(true), Configs: []*quota.QuotaConfig{config},
	})
}

// relent takes back what operators planned for machines and set for roles.
func (c *simulation) relent() {
	p := c.oracle.plans
	var down []*mesos.MachineID
	for _, host := range slices.Sorted(maps.Keys(p.machines)) {
		if p.machines[host] == mesos.MachineInfo_DOWN {
			down = append(down, &mesos.MachineID{Hostname: &host})
		}
	}
	switch {
	case len(down) > 0:
		c.request(&cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_STOP.Enum(), Machines: down})
	case len(p.machines) > 0:
		c.schedule(nil)
	}
	for _, id := range slices.Sorted(maps.Keys(p.standing)) {
		if p.standing[id] {
			c.standing(strings.TrimPrefix(id, "for-"), false)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(p.quotas)) {
		c.setQuota(&quota.QuotaConfig{Role: &role})
	}
}

// askedToLeave answers inverse offers at some time, or does not. Of one agent
// there is one at a time.
func (s *schedulerNode) askedToLeave(offers []*mesos.InverseOffer) {
	for _, o := range offers {
		agent, id := o.GetAgentId().GetValue(), o.GetId().GetValue()
		if had := s.inverse[agent]; had != "" {
			s.cluster.fail("scheduler %d has the inverse offer %s of agent %s, and gets %s", s.number, had, agent, id)
		}
		s.inverse[agent] = id
		if s.net.oneIn(3) {
			continue
		}
		s.later(s.net.between(time.Millisecond, 10*time.Second), func() { s.answerInverse(agent, id) })
	}
}

func (s *schedulerNode) answerInverse(agent, id string) {
	if s.inverse[agent] != id {
		return // rescinded, or of another subscription
	}
	delete(s.inverse, agent)
	ids := []*mesos.OfferID{{Value: &id}}
	filters := &mesos.Filters{RefuseSeconds: proto.Float64(float64(s.net.chance.IntN(30)))}
	if s.net.oneIn(2) {
		s.submit(&scheduler.Call{
			Type:                scheduler.Call_ACCEPT_INVERSE_OFFERS.Enum(),
			AcceptInverseOffers: &scheduler.Call_AcceptInverseOffers{InverseOfferIds: ids, Filters: filters},
		})
		return
	}
	s.submit(&scheduler.Call{
		Type:                 scheduler.Call_DECLINE_INVERSE_OFFERS.Enum(),
		DeclineInverseOffers: &scheduler.Call_DeclineInverseOffers{InverseOfferIds: ids, Filters: filters},
	})
}

// inverseRescinded forgets an inverse offer.
func (s *schedulerNode) inverseRescinded(id string) {
	maps.DeleteFunc(s.inverse, func(_, known string) bool { return known == id })
}
