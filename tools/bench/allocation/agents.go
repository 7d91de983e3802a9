package allocation

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// AddAndUpdateAgent adds agents of which one framework each holds a part, and
// then gives every agent revocable CPUs. It is AddAndUpdateSlave of Mesos.
func AddAndUpdateAgent(s Size) []Figure {
	r := newRig()
	r.tell(everybody(s.Frameworks, "*")...)
	r.allocate()
	const total = "cpus:2;mem:1024;disk:4096;ports:[31000-32000]"
	add := messagesOf(s.Agents, func(i int) *cluster.AddAgent {
		m := agent(i, total)
		m.Used = used(i%s.Frameworks, "*", listed("cpus:1;mem:128;disk:1024;ports:[31126-31510,31512-31623,31810-31852,31854-31964]"))
		return m
	})
	update := messagesOf(s.Agents, func(i int) *cluster.UpdateAgent {
		m := agent(i, total)
		revocable := listed("cpus:10")
		revocable[0].Revocable = &mesos.Resource_RevocableInfo{}
		m.Agent.Resources = append(m.Agent.Resources, revocable...)
		return &cluster.UpdateAgent{Agent: m.Agent}
	})
	return []Figure{
		{What: "add agents", Took: settled(func() { r.tell(add...); r.allocate() })},
		{What: "update agents", Took: settled(func() { r.tell(update...); r.allocate() })},
	}
}

// AllocatorBacklog adds agents, and then lets every framework revive.
func AllocatorBacklog(s Size) []Figure {
	r := newRig()
	r.tell(everybody(s.Frameworks, "*")...)
	add := messagesOf(s.Agents, func(i int) *cluster.AddAgent { return agent(i, "cpus:16;mem:2014;disk:1024") })
	revive := messagesOf(s.Frameworks, func(i int) *cluster.ReviveOffers {
		return &cluster.ReviveOffers{FrameworkId: frameworkID(i)}
	})
	return []Figure{
		{What: "add agents", Took: settled(func() { r.tell(add...); r.allocate() })},
		{What: "revive frameworks", Took: timed(func() { r.tell(revive...); r.allocate() })},
	}
}

// Sharedness says which agents of PersistentVolumes have a shared volume.
type Sharedness int

// None of them, all, or every second one.
const (
	Regular Sharedness = iota
	Shared
	Mixed
)

// PersistentVolumes offers agents that have a volume each, all of it reserved,
// six times.
func PersistentVolumes(s Size, of Sharedness) []Figure {
	r := newRig()
	r.tell(everybody(s.Frameworks, "test")...)
	held := reserve("test", listed("cpus:16;mem:1024;disk:1024;"+fragmented(16)), nil)
	add := messagesOf(s.Agents, func(i int) *cluster.AddAgent {
		m := agent(i, "cpus:24;mem:4096;disk:3072;ports:[31000-32000]")
		m.Agent.Resources = append(reserve("test", m.Agent.Resources, nil), volume(i, of == Shared || of == Mixed && i%2 == 0))
		m.Used = used(i%s.Frameworks, "test", clones(held))
		return m
	})
	figures := []Figure{{What: "add agents", Took: settled(func() { r.tell(add...); r.allocate() })}}
	const rounds = 6
	last := Figure{What: "allocate"}
	for range rounds {
		r.giveBack(r.take(), 0)
		last.Took += r.allocate() / rounds
	}
	return append(figures, last)
}

func volume(i int, shared bool) *mesos.Resource {
	disk := reserve("test", listed("disk:1024"), nil)[0]
	path, mode := fmt.Sprint("path", i), mesos.Volume_RW
	disk.Disk = &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String(fmt.Sprint("id", i))},
		Volume:      &mesos.Volume{ContainerPath: &path, Mode: &mode},
	}
	if shared {
		disk.Shared = &mesos.Resource_SharedInfo{}
	}
	return disk
}

// Metrics tells figures of as many roles with quota as there are frameworks.
func Metrics(s Size) []Figure {
	r := newRig()
	for i := range s.Frameworks {
		r.tell(quotaOf(fmt.Sprint("role", i), "cpus:1;mem:512;disk:256"))
	}
	for i := range s.Frameworks {
		r.tell(framework(i, fmt.Sprint("role", i)))
	}
	add := messagesOf(s.Agents, func(i int) *cluster.AddAgent { return agent(i, "cpus:16;mem:2048;disk:1024") })
	return []Figure{
		{What: "add agents", Took: settled(func() { r.tell(add...); r.allocate() })},
		{What: "look at all roles", Took: timed(func() { r.core.Roles(r.now) })},
	}
}
