package view

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/allocator"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/names"
)

// SettingsChanged tells of quotas, weights, machines in maintenance and standing
// reservations that
// differ, by their records; what the registry holds beside is passed over.
type SettingsChanged struct{ Changes []registry.Change }

func (SettingsChanged) event()     {}
func (InverseOffersMade) event()   {}
func (InverseOfferRemoved) event() {}

// table is a map that snapshots share: it is copied before it changes when one
// was made of it since.
type table[V any] struct {
	rows   map[string]V
	shared bool
}

func (t *table[V]) set(key string, v V, present bool) {
	if t.shared {
		t.rows, t.shared = maps.Clone(t.rows), false
	}
	if t.rows == nil {
		t.rows = make(map[string]V)
	}
	if present {
		t.rows[key] = v
	} else {
		delete(t.rows, key)
	}
}

func (t *table[V]) share() map[string]V {
	t.shared = true
	return t.rows
}

// settings is what operators set for the whole cluster.
type settings struct {
	quotas   table[*cluster.QuotaRecord]
	weights  table[float64]
	machines table[*cluster.MachineRecord]
	standing table[*cluster.StandingReservation]
}

func (s *settings) apply(e SettingsChanged) {
	for _, c := range e.Changes {
		kind, id, _ := strings.Cut(c.Key, "/")
		switch kind {
		case "quota":
			s.quotas.set(id, c.Record.GetQuota(), c.Record != nil)
		case "weight":
			s.weights.set(id, c.Record.GetWeight().GetWeight(), c.Record != nil)
		case "machine":
			s.machines.set(id, c.Record.GetMachine(), c.Record != nil)
		case "reservation":
			s.standing.set(id, c.Record.GetReservation(), c.Record != nil)
		}
	}
}

// Settings is what operators set for the whole cluster. Its maps are shared and
// must not be modified.
type Settings struct {
	// By role; those that have none are absent.
	Quotas map[string]*cluster.QuotaRecord
	// By role; 1 for those that are absent.
	Weights map[string]float64
	// Those in the schedule of maintenance, by names.Machine.
	Machines map[string]*cluster.MachineRecord
	// By id.
	Reservations map[string]*cluster.StandingReservation
}

func (s *settings) share() Settings {
	return Settings{Quotas: s.quotas.share(), Weights: s.weights.share(), Machines: s.machines.share(), Reservations: s.standing.share()}
}

// Weight is that of a role.
func (s *Settings) Weight(role string) float64 {
	if w, set := s.Weights[role]; set {
		return w
	}
	return 1
}

// scheduled lists the machines in the order of the schedule.
func (s *Settings) scheduled() []*cluster.MachineRecord {
	list := slices.Collect(maps.Values(s.Machines))
	slices.SortFunc(list, func(a, b *cluster.MachineRecord) int {
		return cmp.Or(cmp.Compare(a.GetWindow(), b.GetWindow()), cmp.Compare(a.GetPlace(), b.GetPlace()))
	})
	return list
}

// Schedule is the schedule of maintenance.
func (s *Settings) Schedule() *maintenance.Schedule {
	schedule := new(maintenance.Schedule)
	var window *maintenance.Window
	var number uint32
	for _, r := range s.scheduled() {
		if window == nil || r.GetWindow() != number {
			number = r.GetWindow()
			window = &maintenance.Window{Unavailability: r.GetMachine().GetUnavailability()}
			schedule.Windows = append(schedule.Windows, window)
		}
		window.MachineIds = append(window.MachineIds, r.GetMachine().GetId())
	}
	return schedule
}

// ScheduleVersion names the schedule of maintenance as it is.
func (s *Settings) ScheduleVersion() string { return registry.ScheduleVersion(maps.Values(s.Machines)) }

// Maintenance says which machines are in maintenance or about to be, and what
// frameworks say to that, in the order of the schedule.
func (s *Snapshot) Maintenance() *maintenance.ClusterStatus {
	status := new(maintenance.ClusterStatus)
	if len(s.Machines) == 0 {
		return status
	}
	replies := make(map[string][]*allocator.InverseOfferStatus)
	for _, a := range s.SortedAgents() {
		if a.Maintenance != nil {
			replies[a.Maintenance.Machine] = append(replies[a.Maintenance.Machine], a.Maintenance.Replies...)
		}
	}
	for _, r := range s.scheduled() {
		id := r.GetMachine().GetId()
		switch r.GetMachine().GetMode() {
		case mesos.MachineInfo_DRAINING:
			status.DrainingMachines = append(status.DrainingMachines, &maintenance.ClusterStatus_DrainingMachine{
				Id: id, Statuses: replies[names.Machine(id.GetHostname(), id.GetIp())],
			})
		case mesos.MachineInfo_DOWN:
			status.DownMachines = append(status.DownMachines, id)
		}
	}
	return status
}

// Maintenance is what is planned for the machine of an agent.
type Maintenance struct {
	// The machine of the schedule, by names.Machine.
	Machine        string
	Unavailability *mesos.Unavailability
	// What frameworks answered to the last inverse offer of this, by framework id.
	Replies []*allocator.InverseOfferStatus
}

// Reply returns a copy in which a framework's answer is replaced.
func (m *Maintenance) Reply(to *allocator.InverseOfferStatus) *Maintenance {
	next := *m
	id := func(s *allocator.InverseOfferStatus) string { return s.GetFrameworkId().GetValue() }
	at, known := slices.BinarySearchFunc(m.Replies, id(to), func(s *allocator.InverseOfferStatus, want string) int {
		return strings.Compare(id(s), want)
	})
	next.Replies = slices.Clone(m.Replies)
	if known {
		next.Replies[at] = to
	} else {
		next.Replies = slices.Insert(next.Replies, at, to)
	}
	return &next
}
