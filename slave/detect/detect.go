// Package detect finds what resources an agent has to give: what its operator
// says, and for what is not said, what the machine has. Only the wiring
// imports it.
package detect

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const (
	megabyte = 1 << 20
	gigabyte = 1 << 30
)

// Machine is what a machine has.
type Machine struct {
	// CPUs that this process may run on.
	CPUs int
	// Memory in all, and the disk of the work directory, in bytes.
	Memory, Disk uint64
	// GPUs that are given to containers; nil where nobody does.
	GPUs *int
}

// Measure looks at this machine, and at the disk that holds workDir, which
// must exist.
func Measure(workDir string) (Machine, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return Machine{}, fmt.Errorf("detect memory: %w", err)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(workDir, &disk); err != nil {
		return Machine{}, fmt.Errorf("detect the disk of work_dir: %w", &os.PathError{Op: "statfs", Path: workDir, Err: err})
	}
	return Machine{
		CPUs:   runtime.NumCPU(),
		Memory: uint64(info.Totalram) * uint64(info.Unit),
		Disk:   disk.Blocks * uint64(disk.Bsize),
	}, nil
}

// Resources is what text, the value of --resources, says, and m for those of
// cpus, mem, disk, ports and gpus that text does not name: of memory all but 1
// GB, of the disk all but 5 GB, of a small machine the half, as in Mesos. Role is
// for what names none. What text says of disks is prepared; of GPUs it may not say
// more than are given.
func Resources(text, role string, m Machine, disks Disks) (resources.Resources, error) {
	list, err := resources.ParseList(text, role)
	if err != nil {
		return resources.Resources{}, err
	}
	named := map[string]mesos.Value_Type{}
	for i, r := range list {
		if err := settle(r, named, disks); err != nil {
			return resources.Resources{}, field.At("", i, field.In("("+r.GetName()+")", err))
		}
	}
	given, err := resources.New(list...)
	if err != nil {
		return resources.Resources{}, err
	}
	if err := m.checkGPUs(list); err != nil {
		return resources.Resources{}, err
	}
	for _, amount := range m.amounts() {
		if _, ok := named[amount.name]; ok {
			continue
		}
		found, err := resources.Parse(amount.name+":"+amount.value, role)
		if err != nil {
			return resources.Resources{}, fmt.Errorf("detected %s: %w", amount.name, err)
		}
		given = given.Add(found)
	}
	return given, nil
}

// settle checks what an operator may not say of a resource, prepares its disk,
// and notes its kind; one name has one kind.
func settle(r *mesos.Resource, named map[string]mesos.Value_Type, disks Disks) error {
	if err := sayable(r); err != nil {
		return err
	}
	if kind, ok := named[r.GetName()]; ok && kind != r.GetType() {
		return field.Invalid("type", r.GetType(), "must be %s, as before", kind)
	}
	named[r.GetName()] = r.GetType()
	return prepare(r, disks)
}

// sayable checks that r comes about by an agent's flags: everything else is
// the result of operations and estimates.
func sayable(r *mesos.Resource) error {
	switch {
	case r.GetDisk().GetPersistence() != nil:
		return field.Invalid("disk.persistence", r.GetDisk().GetPersistence().GetId(), "must not be set: volumes are made by operations")
	case r.GetDisk().GetVolume() != nil:
		return field.Invalid("disk.volume", nil, "must not be set")
	case r.Revocable != nil:
		return field.Invalid("revocable", nil, "must not be set: estimates say what is revocable")
	case r.Shared != nil:
		return field.Invalid("shared", nil, "must not be set")
	case r.AllocationInfo != nil:
		return field.Invalid("allocation_info", nil, "must not be set")
	case r.ProviderId != nil:
		return field.Invalid("provider_id", r.GetProviderId().GetValue(), "must not be set")
	case r.Reservation != nil:
		return field.Invalid("reservation", nil, "must not be set: dynamic reservations are made by operations")
	}
	for i, reservation := range r.GetReservations() {
		if reservation.GetType() == mesos.Resource_ReservationInfo_DYNAMIC {
			return field.At("reservations", i, field.Invalid("type", reservation.GetType(), "must be STATIC: dynamic reservations are made by operations"))
		}
	}
	return nil
}

// amount is a resource as --resources writes it.
type amount struct{ name, value string }

func (m Machine) amounts() []amount {
	all := []amount{
		{"cpus", fmt.Sprint(m.CPUs)},
		{"mem", fmt.Sprint(keep(m.Memory, gigabyte, 2*gigabyte) / megabyte)},
		{"disk", fmt.Sprint(keep(m.Disk, 5*gigabyte, 10*gigabyte) / megabyte)},
		{"ports", "[31000-32000]"},
	}
	if m.GPUs != nil && *m.GPUs > 0 {
		all = append(all, amount{"gpus", fmt.Sprint(*m.GPUs)})
	}
	return all
}

// checkGPUs refuses more GPUs than can be given.
func (m Machine) checkGPUs(list []*mesos.Resource) error {
	sum := 0.0
	for i, r := range list {
		if r.GetName() != "gpus" || m.GPUs == nil {
			continue
		}
		if sum += r.GetScalar().GetValue(); sum > float64(*m.GPUs) {
			return field.At("", i, field.Invalid("(gpus)", sum, "are more than the %d that this agent can give", *m.GPUs))
		}
	}
	return nil
}

// keep leaves reserve to the system where there is more than enough, else the
// half.
func keep(total, reserve, enough uint64) uint64 {
	if total > enough {
		return total - reserve
	}
	return total / 2
}
