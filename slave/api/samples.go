package api

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

// sample is a container with what it may use, and used at a moment.
type sample struct {
	// executor that the container is of, or is below; nil for one that has
	// nothing to do with any.
	executor *view.ExecutorTree
	// framework of the executor; nil if there is none.
	framework *view.Framework
	// task that has the container for itself; nil if several may share it.
	task   *view.Task
	status *mesos.ContainerStatus
	// Nobody changes it.
	statistics *mesos.ResourceStatistics
	measured   Measured
}

// meter measures what a view shows.
type meter struct {
	measure Measure
}

// newMeter knows nothing but the time if measure is nil.
func newMeter(measure Measure) meter {
	if measure == nil {
		measure = func(_ []int, list []Measured) []*mesos.ResourceStatistics {
			now := float64(time.Now().UnixMicro()) / 1e6
			all := make([]*mesos.ResourceStatistics, len(list))
			for i := range all {
				all[i] = &mesos.ResourceStatistics{Timestamp: &now}
			}
			return all
		}
	}
	return meter{measure}
}

// of measures the executors' containers and, if asked, those of tasks in them.
func (m meter) of(snapshot *view.Snapshot, nested bool) []sample {
	return m.fill(snapshot, containersOf(snapshot, nested))
}

// containersOf lists them, an executor's before those of its tasks.
func containersOf(snapshot *view.Snapshot, nested bool) []sample {
	pids := map[view.HostID]int32{}
	for _, h := range snapshot.Hosts {
		pids[h.ID] = h.Pid
	}
	var all []sample
	for _, f := range snapshot.Frameworks {
		for _, x := range f.Executors {
			all = append(all, sampleOf(f.Framework, x, pids[x.Host]))
			for _, t := range x.Live {
				if status := ownContainer(t); status != nil && nested {
					all = append(all, sampleIn(f.Framework, x, t, status))
				}
			}
		}
	}
	return all
}

// sampleOf is an executor's. Where that has no process of its own it is that of the
// task which has the container for itself, else its host's.
func sampleOf(f *view.Framework, x *view.ExecutorTree, host int32) sample {
	id := string(x.Container)
	c := sample{
		executor: x, framework: f,
		status:   &mesos.ContainerStatus{ContainerId: &mesos.ContainerID{Value: &id}, CgroupInfo: x.Groups},
		measured: Measured{ID: []string{id}, Sandbox: x.Sandbox, Amounts: amountsOf(x)},
	}
	if x.Generated && len(x.Live) == 1 {
		c.task = x.Live[0]
		if pid := lastStatus(c.task).GetExecutorPid(); pid != 0 {
			host = int32(pid)
		}
	}
	if x.Pid != 0 {
		host = x.Pid
	}
	if host != 0 {
		c.status.ExecutorPid = proto.Uint32(uint32(host))
	}
	return c
}

// sampleIn is the container that a task has within its executor's.
func sampleIn(f *view.Framework, x *view.ExecutorTree, t *view.Task, status *mesos.ContainerStatus) sample {
	id := status.GetContainerId().GetValue()
	return sample{
		executor: x, framework: f, task: t, status: status,
		measured: Measured{
			ID: []string{string(x.Container), id}, Sandbox: sandboxIn(x.Sandbox, id),
			Amounts: &cluster.ContainerAmounts{
				Cpus: scalar(t.Info, resources.CPUs), CpusLimit: limit(t.Info, resources.CPUs),
				Mem: scalar(t.Info, resources.Mem), MemLimit: limit(t.Info, resources.Mem),
			},
		},
	}
}

// sandboxIn is where a container within another has its sandbox: in the other's.
func sandboxIn(parent, id string) string {
	if parent == "" {
		return ""
	}
	return path.Join(parent, "containers", id)
}

func scalar(t *mesos.TaskInfo, name string) *float64 {
	return proto.Float64(sum(t.GetResources()).Scalar(name).Float())
}

func limit(t *mesos.TaskInfo, name string) *float64 {
	if l, ok := t.GetLimits()[name]; ok {
		return proto.Float64(l.GetValue())
	}
	return nil
}

// amountsOf is what an executor's container may use: what its host was told or,
// before that, what is asked for. What a generated executor has for itself is not
// in the container.
func amountsOf(x *view.ExecutorTree) *cluster.ContainerAmounts {
	if x.Amounts != nil {
		return x.Amounts
	}
	var lists [][]*mesos.Resource
	if !x.Generated {
		lists = append(lists, x.Info.GetResources())
	}
	for _, t := range slices.Concat(x.Queued, x.Live) {
		lists = append(lists, t.Info.GetResources())
	}
	has := sum(lists...)
	return &cluster.ContainerAmounts{
		Cpus: proto.Float64(has.Scalar(resources.CPUs).Float()), Mem: proto.Float64(has.Scalar(resources.Mem).Float()),
	}
}

// lastStatus is what was heard last of a task's container; nil if nothing was.
func lastStatus(t *view.Task) *mesos.ContainerStatus {
	for _, s := range slices.Backward(t.Statuses) {
		if c := s.GetContainerStatus(); c != nil {
			return c
		}
	}
	return nil
}

// ownContainer tells of the container that a task has within its executor's; nil
// if it has none.
func ownContainer(t *view.Task) *mesos.ContainerStatus {
	if c := lastStatus(t); c.GetContainerId().GetParent().GetValue() == string(t.Container) {
		return c
	}
	return nil
}

// Others lists the containers that are below executors', and those that stand
// alone, with what is below them.
type Others func(context.Context) ([]*agent.Response_GetContainers_Container, error)

// others adds the containers that are no executor's own, as far as they are asked
// for: those below one that stands alone must be asked for as both.
func (s *server) others(ctx context.Context, all []sample, nested, standalone bool) ([]sample, error) {
	if s.info.Others == nil || !nested && !standalone {
		return all, nil
	}
	others, err := s.info.Others(ctx)
	if err != nil {
		return nil, err
	}
	return withOthers(all, others, nested, standalone), nil
}

// withOthers adds those of a list that are not among all yet. Of a task's it is the
// host who knows the process.
func withOthers(all []sample, others []*agent.Response_GetContainers_Container, nested, standalone bool) []sample {
	executors, known := map[string]sample{}, map[string]int{}
	for i, c := range all {
		executors[c.measured.ID[0]] = c
		known[strings.Join(c.measured.ID, "/")] = i
	}
	for _, c := range others {
		id := idsOf(c.GetContainerId())
		if i, is := known[strings.Join(id, "/")]; is {
			all[i].status = statusWith(all[i].status, c.GetContainerStatus())
			continue
		}
		executor, framework := executors[id[0]].executor, executors[id[0]].framework
		if executor == nil && !standalone || len(id) > 1 && !nested {
			continue
		}
		m := Measured{ID: id}
		if executor != nil {
			m.Sandbox = executor.Sandbox
			for _, below := range id[1:] {
				m.Sandbox = sandboxIn(m.Sandbox, below)
			}
		}
		status := c.GetContainerStatus()
		if status == nil {
			status = &mesos.ContainerStatus{ContainerId: c.GetContainerId()}
		}
		all = append(all, sample{executor: executor, framework: framework, status: status, measured: m})
	}
	return all
}

// statusWith adds to what is known of a container what its host says. What is known
// is shared, and stays as it is.
func statusWith(known, host *mesos.ContainerStatus) *mesos.ContainerStatus {
	all := proto.CloneOf(known)
	if host.ExecutorPid != nil {
		all.ExecutorPid = host.ExecutorPid
	}
	return all
}

// role that a container was allocated to.
func (c *sample) role() string {
	switch {
	case c.executor == nil:
		return "*"
	case c.task != nil:
		return allocationRole(c.task.Info.GetResources())
	case len(c.executor.Live) > 0:
		return allocationRole(c.executor.Live[0].Info.GetResources())
	}
	return allocationRole(c.executor.Info.GetResources())
}

// idsOf is a container's id with those that it is in, the outermost first.
func idsOf(id *mesos.ContainerID) []string {
	var ids []string
	for ; id != nil; id = id.Parent {
		ids = append(ids, id.GetValue())
	}
	slices.Reverse(ids)
	return ids
}

// fill measures a list.
func (m meter) fill(snapshot *view.Snapshot, all []sample) []sample {
	list := make([]Measured, len(all))
	for i := range all {
		list[i] = all[i].measured
	}
	var hosts []int
	for _, h := range snapshot.Hosts {
		if h.Pid != 0 {
			hosts = append(hosts, int(h.Pid))
		}
	}
	for i, statistics := range m.measure(hosts, list) {
		all[i].statistics = statistics
	}
	return all
}
