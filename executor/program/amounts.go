package program

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// AmountsOfTask is what a task of a group may use by itself; nil when it shares
// what its executor's container may use.
func AmountsOfTask(t *mesos.TaskInfo) *cluster.ContainerAmounts {
	return AmountsOf(t.GetContainer(), t.GetResources(), t.GetLimits())
}

// AmountsOf is what a container that is in another may use by itself; nil when it
// shares what that may use, which it does unless it says otherwise.
func AmountsOf(c *mesos.ContainerInfo, given []*mesos.Resource, limits map[string]*mesos.Value_Scalar) *cluster.ContainerAmounts {
	if info := c.GetLinuxInfo(); info == nil || info.GetShareCgroups() {
		return nil
	}
	return Amounts(given, limits)
}

// Amounts is what somebody who was given resources, and limits beside them, may
// use.
func Amounts(given []*mesos.Resource, limits map[string]*mesos.Value_Scalar) *cluster.ContainerAmounts {
	var cpus, mem, disk, gpus float64
	a := &cluster.ContainerAmounts{}
	for _, r := range given {
		amount := r.GetScalar().GetValue()
		switch r.GetName() {
		case "cpus":
			cpus += amount
			if r.GetRevocable() != nil {
				a.Revocable = proto.Bool(true)
			}
		case "mem":
			mem += amount
		case "disk":
			if r.GetDisk().GetPersistence() == nil {
				disk += amount
			}
		case "gpus":
			gpus += amount
		}
	}
	whole := int32(gpus)
	a.Cpus, a.Mem, a.Disk, a.Gpus = &cpus, &mem, &disk, &whole
	if l := limits["cpus"]; l != nil {
		a.CpusLimit = l.Value
	}
	if l := limits["mem"]; l != nil {
		a.MemLimit = l.Value
	}
	return a
}
