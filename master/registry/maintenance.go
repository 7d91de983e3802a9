package registry

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/names"
)

// UpdateMaintenanceSchedule replaces the schedule. Machines that are new in it
// are DRAINING, those that were in it keep their mode, and those that are no
// longer in it are forgotten. A schedule that names a machine twice, or not one
// that is DOWN, is refused.
type UpdateMaintenanceSchedule struct {
	Schedule *maintenance.Schedule
	// The ScheduleVersion of what it replaces; empty: whatever is there.
	Version string
}

// ErrOutdated is an ErrConflict: what a change was made from has changed itself.
var ErrOutdated = fmt.Errorf("%w: read again what is to be changed", ErrConflict)

// ScheduleVersion names a schedule by what it says of which machines: two that
// differ have different ones.
func ScheduleVersion(machines iter.Seq[*cluster.MachineRecord]) string {
	lines := make(map[string]string)
	for r := range machines {
		u := r.GetMachine().GetUnavailability()
		lines[machineName(r.GetMachine().GetId())] = fmt.Sprint(
			r.GetWindow(), r.GetPlace(), u.GetStart().GetNanoseconds(), u.Duration != nil, u.GetDuration().GetNanoseconds())
	}
	h := fnv.New128a()
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(h, "%q %s\n", name, lines[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (o UpdateMaintenanceSchedule) changes(r Registry) ([]Change, error) {
	if now := ScheduleVersion(r.Machines()); o.Version != "" && o.Version != now {
		return nil, fmt.Errorf("update maintenance schedule: it is %s by now, not %s: %w", now, o.Version, ErrOutdated)
	}
	next, err := scheduled(o.Schedule)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for have := range r.Machines() {
		key := machineKeyOf(have.GetMachine().GetId())
		want := next[key]
		switch {
		case want != nil:
			want.Machine.Mode = have.GetMachine().Mode
		case have.GetMachine().GetMode() == mesos.MachineInfo_DOWN:
			return nil, fmt.Errorf("update maintenance schedule: machine %q is down and must stay in it: %w", shown(have.GetMachine().GetId()), ErrConflict)
		default:
			changes = append(changes, Change{Key: key})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(next)) {
		if want := next[key]; !proto.Equal(r.Get(key).GetMachine(), want) {
			changes = append(changes, Change{Key: key, Record: MachineRecord(want)})
		}
	}
	return changes, nil
}

// scheduled makes records of the machines of a schedule, by key, all DRAINING.
func scheduled(s *maintenance.Schedule) (map[string]*cluster.MachineRecord, error) {
	records := make(map[string]*cluster.MachineRecord)
	for i, w := range s.GetWindows() {
		for j, id := range w.GetMachineIds() {
			key := machineKeyOf(id)
			if machineName(id) == names.NoMachine {
				return nil, fmt.Errorf("update maintenance schedule: a machine has neither hostname nor ip: %w", ErrConflict)
			}
			if records[key] != nil {
				return nil, fmt.Errorf("update maintenance schedule: machine %q is there twice: %w", shown(id), ErrConflict)
			}
			records[key] = &cluster.MachineRecord{
				Machine: &mesos.MachineInfo{
					Id: id, Mode: mesos.MachineInfo_DRAINING.Enum(), Unavailability: w.GetUnavailability(),
				},
				Window: proto.Uint32(uint32(i)), Place: proto.Uint32(uint32(j)),
			}
		}
	}
	return records, nil
}

// StartMaintenance makes machines DOWN that are DRAINING: all that are named,
// or none.
type StartMaintenance struct {
	Machines []*mesos.MachineID
}

func (o StartMaintenance) changes(r Registry) ([]Change, error) {
	var changes []Change
	for _, id := range unique(o.Machines) {
		have := r.Machine(id)
		switch {
		case have == nil:
			return nil, fmt.Errorf("start maintenance: machine %q is not in the schedule: %w", shown(id), ErrConflict)
		case have.GetMachine().GetMode() == mesos.MachineInfo_DOWN:
			continue
		}
		info := have.GetMachine()
		changes = append(changes, Change{Key: machineKeyOf(id), Record: MachineRecord(&cluster.MachineRecord{
			Machine: &mesos.MachineInfo{Id: info.GetId(), Mode: mesos.MachineInfo_DOWN.Enum(), Unavailability: info.GetUnavailability()},
			Window:  have.Window, Place: have.Place,
		})})
	}
	return changes, nil
}

// StopMaintenance takes machines up again that are DOWN, and out of the
// schedule: all that are named, or none.
type StopMaintenance struct {
	Machines []*mesos.MachineID
}

func (o StopMaintenance) changes(r Registry) ([]Change, error) {
	var changes []Change
	for _, id := range unique(o.Machines) {
		have := r.Machine(id)
		switch {
		case have == nil:
			continue
		case have.GetMachine().GetMode() != mesos.MachineInfo_DOWN:
			return nil, fmt.Errorf("stop maintenance: machine %q is not down: %w", shown(id), ErrConflict)
		}
		changes = append(changes, Change{Key: machineKeyOf(id)})
	}
	return changes, nil
}

// unique is the machines without repetitions, by key.
func unique(ids []*mesos.MachineID) []*mesos.MachineID {
	byKey := make(map[string]*mesos.MachineID, len(ids))
	for _, id := range ids {
		byKey[machineKeyOf(id)] = id
	}
	list := make([]*mesos.MachineID, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		list = append(list, byKey[key])
	}
	return list
}
