// Package detect finds what resources an agent has to give: what its operator
// says, and for what is not said, what the machine has. Only the wiring
// imports it.
package detect

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

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
// cpus, mem, disk and ports that text does not name: of memory all but 1 GB,
// of the disk all but 5 GB, of a small machine the half, as in Mesos. Role is
// for what names none.
func Resources(text, role string, m Machine) (resources.Resources, error) {
	given, err := resources.Parse(text, role)
	if err != nil {
		return resources.Resources{}, fmt.Errorf("resources: %w", err)
	}
	named := map[string]bool{}
	for entry := range given.All() {
		named[entry.Name()] = true
	}
	for _, amount := range m.amounts() {
		if named[amount.name] {
			continue
		}
		found, err := resources.Parse(amount.name+":"+amount.value, role)
		if err != nil {
			return resources.Resources{}, fmt.Errorf("resources: detected %s: %w", amount.name, err)
		}
		given = given.Add(found)
	}
	return given, nil
}

// amount is a resource as --resources writes it.
type amount struct{ name, value string }

func (m Machine) amounts() []amount {
	return []amount{
		{"cpus", fmt.Sprint(m.CPUs)},
		{"mem", fmt.Sprint(keep(m.Memory, gigabyte, 2*gigabyte) / megabyte)},
		{"disk", fmt.Sprint(keep(m.Disk, 5*gigabyte, 10*gigabyte) / megabyte)},
		{"ports", "[31000-32000]"},
	}
}

// keep leaves reserve to the system where there is more than enough, else the
// half.
func keep(total, reserve, enough uint64) uint64 {
	if total > enough {
		return total - reserve
	}
	return total / 2
}
