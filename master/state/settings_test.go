package state

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/quota"
)

// setting draws a request about roles or machines.
func (w *world) setting() proto.Message {
	switch rapid.IntRange(0, 5).Draw(w.t, "setting") {
	case 0:
		return &cluster.QuotaRequest{
			Action: cluster.QuotaRequest_Action(rapid.IntRange(0, 2).Draw(w.t, "action")).Enum(), Force: proto.Bool(rapid.Bool().Draw(w.t, "force")),
			Configs: []*quota.QuotaConfig{w.quota("role"), w.quota("another role")},
		}
	case 1:
		return &cluster.WeightsRequest{Weights: []*mesos.WeightInfo{{
			Role: proto.String(w.role("role")), Weight: proto.Float64(float64(rapid.IntRange(0, 2).Draw(w.t, "weight"))),
		}}}
	case 2:
		return &cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_SCHEDULE.Enum(), Schedule: w.schedule()}
	case 3:
		return &cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_START.Enum(), Machines: w.machines(1)}
	case 4:
		return w.reservation()
	default:
		return &cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_STOP.Enum(), Machines: w.machines(1)}
	}
}

// reservation draws a request about a standing reservation.
func (w *world) reservation() *cluster.ReservationRequest {
	share := &cluster.StandingReservation_Share{Name: proto.String(rapid.SampledFrom([]string{"cpus", "mem", "ports"}).Draw(w.t, "name"))}
	if rapid.Bool().Draw(w.t, "percent") {
		share.Percent = proto.Float64(float64(rapid.IntRange(0, 101).Draw(w.t, "of all")))
	} else {
		share.Amount = &mesos.Value_Scalar{Value: proto.Float64(float64(rapid.IntRange(0, 5).Draw(w.t, "amount")))}
	}
	r := &cluster.StandingReservation{
		Id: proto.String(rapid.SampledFrom([]string{"a", "b"}).Draw(w.t, "id")), Role: proto.String(w.role("for")), Shares: []*cluster.StandingReservation_Share{share},
	}
	if rapid.Bool().Draw(w.t, "expires") {
		r.Expires = &mesos.TimeInfo{Nanoseconds: proto.Int64(w.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(w.t, "in")) * time.Second).UnixNano())}
	}
	return &cluster.ReservationRequest{
		Action: cluster.ReservationRequest_Action(rapid.IntRange(0, 1).Draw(w.t, "what")).Enum(), Reservation: r,
	}
}

func (w *world) role(label string) string {
	return rapid.SampledFrom([]string{"*", "r", "r/s", "q"}).Draw(w.t, label)
}

func (w *world) quota(label string) *quota.QuotaConfig {
	amount := func(label string) map[string]*mesos.Value_Scalar {
		if rapid.Bool().Draw(w.t, "no "+label) {
			return nil
		}
		return map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(float64(rapid.IntRange(0, 5).Draw(w.t, label)))}}
	}
	return &quota.QuotaConfig{Role: proto.String(w.role(label)), Guarantees: amount("guarantee"), Limits: amount("limit")}
}

func (w *world) machines(least int) []*mesos.MachineID {
	hosts := []*mesos.MachineID{{Hostname: proto.String("h0")}, {Hostname: proto.String("H1"), Ip: proto.String("10.0.0.1")}, {Hostname: proto.String("h2")}, {Hostname: proto.String("H1")}}
	from := rapid.IntRange(0, len(hosts)-1).Draw(w.t, "first machine")
	return hosts[from : from+rapid.IntRange(min(least, len(hosts)-from), len(hosts)-from).Draw(w.t, "machines")]
}

func (w *world) schedule() *maintenance.Schedule {
	s := new(maintenance.Schedule)
	if ids := w.machines(0); len(ids) > 0 {
		s.Windows = append(s.Windows, &maintenance.Window{MachineIds: ids, Unavailability: &mesos.Unavailability{
			Start: &mesos.TimeInfo{Nanoseconds: proto.Int64(int64(rapid.IntRange(0, 2).Draw(w.t, "start")))},
		}})
	}
	return s
}

// inverseOffers draws ids, most of them of offers that are outstanding.
func (w *world) inverseOffers() []*mesos.OfferID {
	ids := []*mesos.OfferID{{Value: proto.String("unknown")}}
	for _, id := range slices.Sorted(maps.Keys(w.m.inverse.byID)) {
		ids = append(ids, &mesos.OfferID{Value: proto.String(string(id))})
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(w.t, "inverse offer"):]
}

func (w *world) refusal() *mesos.Filters {
	return &mesos.Filters{RefuseSeconds: proto.Float64(rapid.SampledFrom([]float64{-1, 0, 0.5, 20, 1e12}).Draw(w.t, "refuse"))}
}

// compareSettings holds what is shown of quotas, weights, machines and
// reservations against
// the registry, and every agent's plans against its machine.
func (w *world) compareSettings(in Input, s *view.Snapshot) {
	for role, q := range s.Quotas {
		if w.m.registry.Quota(role) != q {
			w.t.Fatalf("after %s another quota of %q is shown", label(in), role)
		}
	}
	for role, weight := range s.Weights {
		if w.m.registry.Weight(role).GetWeight() != weight {
			w.t.Fatalf("after %s another weight of %q is shown", label(in), role)
		}
	}
	for name, r := range s.Machines {
		if w.m.registry.Get(registry.MachineKey(name)).GetMachine() != r {
			w.t.Fatalf("after %s another machine %q is shown", label(in), name)
		}
	}
	for id, r := range s.Reservations {
		if w.m.registry.Reservation(id) != r {
			w.t.Fatalf("after %s another reservation %q is shown", label(in), id)
		}
	}
	counted := [4]int{
		len(slices.Collect(w.m.registry.Quotas())), len(slices.Collect(w.m.registry.Weights())), len(slices.Collect(w.m.registry.Machines())),
		len(slices.Collect(w.m.registry.Reservations())),
	}
	if shown := [4]int{len(s.Quotas), len(s.Weights), len(s.Machines), len(s.Reservations)}; shown != counted {
		w.t.Fatalf("after %s %v quotas, weights, machines and reservations are shown, there are %v", label(in), shown, counted)
	}
	for _, a := range w.m.agents.byID {
		if want := w.m.maintenanceOf(a.peer(), a.view.Info, a.view.Maintenance); !a.leaving && want != a.view.Maintenance {
			w.t.Fatalf("after %s agent %s has other plans than its machine", label(in), a.id())
		}
		if !a.leaving && w.m.isDown(a.peer(), a.view.Info) {
			w.t.Fatalf("after %s agent %s is here, and its machine is down", label(in), a.id())
		}
	}
}
