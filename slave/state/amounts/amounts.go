// Package amounts says what a container may use, by what its executor and its
// tasks were given. It is a part of the machine in slave/state, which alone
// imports it.
package amounts

import (
	"math"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Of adds up what own, the resources of an executor that are its container's
// too, and tasks request, and what they may use at most. A resource has a limit
// once some task declares one: then those without count with what they request.
//
// CPUs are the exception. Where a request is no limit (quota is false), an
// executor without a limit is held to its request, but a task without one is
// held to nothing, and so is what it shares a container with.
func Of(own []*mesos.Resource, tasks []*mesos.TaskInfo, quota bool) *cluster.ContainerAmounts {
	total := valid(own)
	for _, t := range tasks {
		total = total.Add(valid(t.GetResources()))
	}
	a := &cluster.ContainerAmounts{
		Cpus:      proto.Float64(total.Scalar(resources.CPUs).Float()),
		Mem:       proto.Float64(total.Scalar(resources.Mem).Float()),
		Disk:      proto.Float64(total.Filter(ofSandbox).Scalar(resources.Disk).Float()),
		CpusLimit: limit(resources.CPUs, own, tasks, quota),
		MemLimit:  limit(resources.Mem, own, tasks, true),
	}
	if !total.Filter(revocableCPUs).IsEmpty() {
		a.Revocable = proto.Bool(true)
	}
	if n := total.Scalar(gpus); n > 0 {
		a.Gpus = proto.Int32(int32(min(n/whole, math.MaxInt32)))
	}
	return a
}

const (
	gpus  = "gpus"
	whole = 1000 // of resources.Milli
)

// valid is empty for resources that cannot be; a launch was checked.
func valid(list []*mesos.Resource) resources.Resources {
	r, err := resources.New(list...)
	if err != nil {
		return resources.Resources{}
	}
	return r
}

// ofSandbox tells the disk that sandboxes are on from volumes and other disks.
func ofSandbox(e resources.Entry) bool {
	return e.Disk().GetPersistence() == nil && e.Disk().GetSource() == nil && e.Disk().GetVolume() == nil
}

func revocableCPUs(e resources.Entry) bool { return e.Name() == resources.CPUs && e.Revocable() }

// limit is nil for none of its own. Requests tells that those without a limit
// have their request for one.
func limit(name string, own []*mesos.Resource, tasks []*mesos.TaskInfo, requests bool) *float64 {
	sum, declared, open := valid(own).Scalar(name).Float(), false, false
	for _, t := range tasks {
		if l, ok := t.GetLimits()[name]; ok {
			sum, declared = sum+l.GetValue(), true
			continue
		}
		sum, open = sum+valid(t.GetResources()).Scalar(name).Float(), true
	}
	switch {
	case !declared:
		return nil
	case open && !requests && !math.IsInf(sum, 1):
		return nil
	}
	sum = math.Round(sum*whole) / whole // as all amounts
	return &sum
}
