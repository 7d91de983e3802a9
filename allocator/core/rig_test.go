package core

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
	"troupe/messages/resources"
)

const master Peer = "master@m:5050"

// rig runs an allocator under a virtual clock and keeps what it sent.
type rig struct {
	t interface {
		Helper()
		Fatalf(format string, args ...any)
	}
	a      *Allocator
	now    time.Time
	timers map[string]time.Time
	given  []*cluster.Allocations_Allocation
	sent   []*cluster.Allocations
	notes  []Note

	preempted []*cluster.Preempt
}

// newRig starts an epoch for an allocator with the options.
func newRig(t testing.TB, o Options) *rig {
	r := &rig{t: t, a: New(o), now: time.Unix(1e9, 0), timers: make(map[string]time.Time)}
	r.send(&cluster.StartAllocator{Epoch: proto.Uint64(1)})
	return r
}

func (r *rig) step(in Input) {
	for _, e := range r.a.Step(r.now, in) {
		switch e := e.(type) {
		case Send:
			if m, ok := e.Message.(*cluster.Preempt); ok {
				r.preempted = append(r.preempted, m)
				break
			}
			m := e.Message.(*cluster.Allocations)
			r.sent = append(r.sent, m)
			r.given = append(r.given, m.Allocations...)
		case SetTimer:
			r.timers[e.Key] = r.now.Add(e.After)
		case CancelTimer:
			delete(r.timers, e.Key)
		case Note:
			r.notes = append(r.notes, e)
		}
	}
}

func (r *rig) send(messages ...proto.Message) {
	for _, m := range messages {
		r.step(Received{From: master, Message: m})
	}
}

// refuses sends a message that must be answered with a note that names part.
func (r *rig) refuses(m proto.Message, part string) {
	r.t.Helper()
	r.notes = nil
	r.send(m)
	for _, n := range r.notes {
		if text := fmt.Sprint(n); n.Level == Warn && strings.Contains(text, part) {
			return
		}
	}
	r.t.Fatalf("notes are %v, none names %q", r.notes, part)
}

// advance lets time pass and timers fire.
func (r *rig) advance(d time.Duration) {
	end := r.now.Add(d)
	for {
		key, at := "", end
		for k, t := range r.timers {
			if t.Before(at) || t.Equal(at) && (key == "" || k < key) {
				key, at = k, t
			}
		}
		if key == "" {
			break
		}
		delete(r.timers, key)
		r.now = at
		r.step(TimerFired{key})
	}
	r.now = end
}

// take returns what was handed out since the last take, as sorted text.
func (r *rig) take() []string {
	var list []string
	for _, g := range r.given {
		total, err := resources.New(g.Resources...)
		if err != nil {
			r.t.Fatalf("allocation of invalid resources: %v", err)
		}
		list = append(list, g.AgentId.GetValue()+" to "+g.FrameworkId.GetValue()+"/"+g.GetRole()+": "+total.String())
	}
	r.given = nil
	slices.SortFunc(list, cmp.Compare[string])
	return list
}

// want lets a moment pass and compares what was handed out since the last look.
func (r *rig) want(list ...string) {
	r.t.Helper()
	r.advance(2 * settling)
	if got := r.take(); !slices.Equal(got, list) {
		r.t.Fatalf("handed out\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(list, "\n "))
	}
	if err := r.a.Check(); err != nil {
		r.t.Fatalf("check: %v", err)
	}
}

func list(text string) []*mesos.Resource { return resources.MustParse(text).Proto() }

func frameworkIDOf(id string) *mesos.FrameworkID { return &mesos.FrameworkID{Value: &id} }
func agentIDOf(id string) *mesos.AgentID         { return &mesos.AgentID{Value: &id} }

func addAgent(id, total string) *cluster.AddAgent {
	return &cluster.AddAgent{Agent: agentInfo(id, total)}
}

func agentInfo(id, total string) *mesos.AgentInfo {
	return &mesos.AgentInfo{Hostname: proto.String(id), Id: agentIDOf(id), Resources: list(total)}
}

func addFramework(id string, roles ...string) *cluster.AddFramework {
	return &cluster.AddFramework{Framework: &mesos.FrameworkInfo{
		Id: frameworkIDOf(id), User: proto.String("u"), Name: proto.String(id), Roles: roles,
		Capabilities: capabilities(mesos.FrameworkInfo_Capability_MULTI_ROLE),
	}}
}

func capabilities(types ...mesos.FrameworkInfo_Capability_Type) (list []*mesos.FrameworkInfo_Capability) {
	for _, t := range types {
		list = append(list, &mesos.FrameworkInfo_Capability{Type: t.Enum()})
	}
	return list
}

func recoverFrom(id, role, agent, amount string) *cluster.RecoverResources {
	return &cluster.RecoverResources{
		FrameworkId: frameworkIDOf(id), AgentId: agentIDOf(agent), Role: &role, Resources: list(amount),
	}
}

func decline(id, role, agent, amount string, seconds float64) *cluster.RecoverResources {
	m := recoverFrom(id, role, agent, amount)
	m.Filters = &mesos.Filters{RefuseSeconds: &seconds}
	return m
}

// quotaOf sets one role's quota; an empty text is none.
func quotaOf(role, guarantees, limits string) *cluster.UpdateQuota {
	return &cluster.UpdateQuota{Configs: []*quota.QuotaConfig{
		{Role: &role, Guarantees: scalars(guarantees), Limits: scalars(limits)},
	}}
}

// scalars reads "cpus:1;mem:0".
func scalars(text string) map[string]*mesos.Value_Scalar {
	amounts := make(map[string]*mesos.Value_Scalar)
	for part := range strings.SplitSeq(text, ";") {
		name, amount, ok := strings.Cut(part, ":")
		if value, err := strconv.ParseFloat(amount, 64); ok && err == nil {
			amounts[name] = &mesos.Value_Scalar{Value: &value}
		}
	}
	return amounts
}
