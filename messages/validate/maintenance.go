package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/names"
)

// Schedule checks a schedule of maintenance: windows that have machines, each
// named well and once.
func Schedule(s *maintenance.Schedule) error {
	seen := make(map[string]bool)
	for i, w := range s.GetWindows() {
		if err := window(w, seen); err != nil {
			return field.At("windows", i, err)
		}
	}
	return nil
}

func window(w *maintenance.Window, seen map[string]bool) error {
	u := w.GetUnavailability()
	switch {
	case len(w.GetMachineIds()) == 0:
		return &field.Error{Path: "machine_ids", Reason: "is empty"}
	case u.GetStart() == nil:
		return field.Missing("unavailability.start")
	case u.GetDuration().GetNanoseconds() < 0:
		return field.Invalid("unavailability.duration.nanoseconds", u.GetDuration().GetNanoseconds(), "is negative")
	}
	return machineIDs("machine_ids", w.GetMachineIds(), seen)
}

// Machines checks a list of machines: not empty, each named well and once. The
// path of an error begins with path.
func Machines(path string, ids []*mesos.MachineID) error {
	if len(ids) == 0 {
		return &field.Error{Path: path, Reason: "is empty"}
	}
	return machineIDs(path, ids, make(map[string]bool))
}

func machineIDs(path string, ids []*mesos.MachineID, seen map[string]bool) error {
	for i, id := range ids {
		if err := names.CheckMachine("", id.GetHostname(), id.GetIp()); err != nil {
			return field.At(path, i, err)
		}
		name := names.Machine(id.GetHostname(), id.GetIp())
		if seen[name] {
			return field.At(path, i, field.Invalid("", names.ShowMachine(id.GetHostname(), id.GetIp()), "is there twice"))
		}
		seen[name] = true
	}
	return nil
}
