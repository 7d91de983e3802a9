package simulate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state"
)

// sandboxes is where they are; the rest of a path is the container's id.
const sandboxes = "/sandboxes/"

// agentNode is an agent's process, and the machine it runs on: its journal and
// its hosts outlive the process.
type agentNode struct {
	*process
	cluster *simulation
	number  int
	total   []*mesos.Resource
	journal journal
	machine *state.Machine
	// The address of the master that it was told of last; empty is none.
	detected string
	hosts    map[state.HostID]*hostNode
	ids      []state.HostID // of hosts, as they were started
	started  int
	exits    map[state.Program]int32 // that were recorded, and no host has told
	watched  map[state.HostID]bool
	// What becomes durable of records; for tests of oracles, not all.
	disk    func([]*cluster.JournalRecord) []*cluster.JournalRecord
	excused bool // what ends on its machine now ends for a reason
	// What ails the disk, and until when.
	ailment string
	until   time.Time
	// Checkpoints that wait for the disk.
	writing bool
	queue   []state.Checkpoint
}

func newAgentNode(c *simulation, number int) *agentNode {
	return &agentNode{
		process: c.net.process(fmt.Sprintf("agent%d:5051", number)), cluster: c, number: number,
		total: c.options.agentTotal(), hosts: make(map[state.HostID]*hostNode), exits: make(map[state.Program]int32),
		disk: func(records []*cluster.JournalRecord) []*cluster.JournalRecord { return records },
	}
}

// boot starts the agent's process with what its journal holds.
func (a *agentNode) boot(rebooted bool) {
	a.process.start()
	a.excused = false
	a.writing, a.queue = false, nil
	a.watched = make(map[state.HostID]bool)
	a.machine = state.New(state.Config{
		Info: &mesos.AgentInfo{
			Hostname: proto.String(fmt.Sprintf("agent%d", a.number)), Port: proto.Int32(5051), Resources: a.total,
		},
		Version: "1.12.0",
		Capabilities: []mesos.AgentInfo_Capability_Type{
			mesos.AgentInfo_Capability_MULTI_ROLE, mesos.AgentInfo_Capability_AGENT_DRAINING,
			mesos.AgentInfo_Capability_HIERARCHICAL_ROLE, mesos.AgentInfo_Capability_RESERVATION_REFINEMENT, mesos.AgentInfo_Capability_RESIZE_VOLUME, mesos.AgentInfo_Capability_AGENT_OPERATION_FEEDBACK,
		},
		Endpoint: a.address,
		Sandbox: func(agent string, f state.FrameworkID, e state.ExecutorID, c state.ContainerID) string {
			return sandboxes + string(c)
		},
		Seed: [2]uint64{a.net.chance.Uint64(), a.net.chance.Uint64()},
	})
	a.comes(a.net.between(0, 50*time.Millisecond), func() { a.begin(rebooted) })
}

// begin has the agent's actor there, after the process has begun to listen.
func (a *agentNode) begin(rebooted bool) {
	a.actors["agent"] = a
	a.step(state.Started{Records: a.readJournal(), Rebooted: rebooted})
	a.cluster.quorum.follow(a.process, func(leader string) {
		a.detected = leader
		a.step(state.MasterDetected{Master: state.Peer(masterActor(leader))})
	})
	a.lend()
}

func (a *agentNode) receive(from string, m proto.Message) {
	effects := a.machine.Step(a.now(), state.Received{From: state.Peer(a.ears(from)), Message: m})
	a.cluster.oracle.agentObeys(a, from, effects)
	a.performAll(effects)
}

func (a *agentNode) exited(peer string) { a.step(state.PeerExited{Peer: state.Peer(peer)}) }

// onDisk lets an answer come after the time that a disk takes.
func (a *agentNode) onDisk(in state.Input) {
	a.later(a.cluster.diskTime(), func() { a.step(in) })
}

func (a *agentNode) step(in state.Input) {
	a.performAll(a.machine.Step(a.now(), in))
}

func (a *agentNode) performAll(effects []state.Effect) {
	life := a.life
	for _, effect := range effects {
		if a.burns() {
			a.crash()
		}
		if !a.up || a.life != life {
			return
		}
		a.perform(effect)
	}
}

func (a *agentNode) perform(effect state.Effect) {
	switch e := effect.(type) {
	case state.Send:
		a.send("agent", string(e.To), e.Message)
	case state.SetTimer:
		a.setTimer(e.Key, e.After, func() { a.step(state.TimerFired{Key: e.Key}) })
	case state.CancelTimer:
		a.cancelTimer(e.Key)
	case state.Link:
		a.watch("agent", string(e.Peer))
	case state.Unlink:
		a.unwatch("agent", string(e.Peer))
	case state.Checkpoint:
		a.queue = append(a.queue, e)
		a.write()
	case state.MakeSandbox:
		a.onDisk(state.SandboxMade{Container: e.Container})
	case state.MakeVolumes:
		a.onDisk(state.VolumesChanged{Operation: e.Operation})
	case state.RemoveVolumes:
		a.onDisk(state.VolumesChanged{Operation: e.Operation})
	case state.LinkVolumes:
		a.onDisk(state.VolumesLinked{Container: e.Container, Launch: e.Launch})
	case state.Sweep:
		for _, r := range e.Containers {
			a.sweep(r.Sandbox)
		}
		a.onDisk(state.Swept{Host: e.Host, Exits: a.recordedOf(e.Containers)})
	case state.ForgetExit:
		delete(a.exits, state.Program(e))
	default:
		a.performHost(effect)
	}
}

// performHost performs what concerns processes.
func (a *agentNode) performHost(effect state.Effect) {
	switch e := effect.(type) {
	case state.StartHost:
		a.started++
		h := newHostNode(a, e.Host, a.started)
		a.hosts[e.Host] = h
		a.ids = append(a.ids, e.Host)
		a.watched[e.Host] = true
		a.net.after(a.net.between(time.Millisecond, 50*time.Millisecond), h.boot)
		a.hostStarted(h)
	case state.WatchHost:
		a.watched[e.Host] = true
		if h := a.hosts[e.Host]; h != nil && !h.over && h.pid == e.Pid && uint64(h.pid) == e.Started {
			a.hostStarted(h)
		} else {
			a.later(time.Millisecond, func() { a.step(state.HostEnded{Host: e.Host}) })
		}
	case state.KillHost:
		if h := a.hosts[e.Host]; h != nil && !h.over {
			h.end("killed by its agent")
			return
		}
		a.later(time.Millisecond, func() { a.step(state.HostEnded{Host: e.Host}) })
	case state.Exit:
		a.exit(e)
	}
}

// hostStarted tells the agent of a host's process, which started at a tick that
// only it has.
func (a *agentNode) hostStarted(h *hostNode) {
	a.later(a.net.between(time.Millisecond, 20*time.Millisecond), func() {
		a.step(state.HostStarted{Host: h.id, Pid: h.pid, Started: uint64(h.pid)})
	})
}

// sweep ends whatever runs in a sandbox.
func (a *agentNode) sweep(sandbox string) {
	for _, id := range a.ids {
		if c := a.hosts[id].find(strings.TrimPrefix(sandbox, sandboxes)); c != nil {
			c.end(9, "swept away by its agent")
		}
	}
}

// exit ends the process; whoever looks after it starts it again, on a machine
// that was cleaned when the agent left in order.
func (a *agentNode) exit(e state.Exit) {
	a.net.note("%s exits: %s %v", a.address, e.Reason, e.Err)
	if e.Err == nil {
		a.journal = journal{}
		delete(a.cluster.oracle.operations.converted, a)
		for _, id := range a.ids {
			if h := a.hosts[id]; !h.over {
				h.end("its agent left")
			}
		}
	}
	a.process.kill()
	a.net.after(a.net.between(time.Second, 10*time.Second), func() { a.boot(false) })
}

// write makes all checkpoints that wait durable in one go. A crash, or a
// failure of the disk, may come after any byte of it, with nobody told.
func (a *agentNode) write() {
	if a.writing || len(a.queue) == 0 {
		return
	}
	a.writing = true
	life := a.life
	if a.stalls(life) {
		return
	}
	batch := a.queue
	a.queue = nil
	a.net.after(a.cluster.diskTime(), func() {
		if a.life != life {
			return
		}
		failed := a.ailing("fails")
		a.append(batch, failed || !a.up)
		switch {
		case !a.up:
		case failed:
			a.wake(life, func() { a.step(state.Checkpointed{Key: batch[0].Key, Err: errDisk}) })
		default:
			a.wake(life, func() { a.written(life, batch) })
		}
	})
}

// written answers checkpoints that are durable, as long as the process lives.
func (a *agentNode) written(life int, batch []state.Checkpoint) {
	a.writing = false
	for _, c := range batch {
		if a.up && a.life == life {
			a.step(state.Checkpointed{Key: c.Key})
		}
	}
	if a.up && a.life == life {
		a.compact()
		a.write()
	}
}

var errDisk = errors.New("the disk: input/output error")

// ails lets an agent's disk be full, or fail, for a time.
func (a *agentNode) ails(how string, d time.Duration) { a.ailment, a.until = how, a.net.now.Add(d) }

func (a *agentNode) ailing(how string) bool { return a.ailment == how && a.net.now.Before(a.until) }

// stalls tells whether a write waits for room on the disk; the agent hears of
// it, and when there is room again.
func (a *agentNode) stalls(life int) bool {
	if !a.ailing("full") {
		return false
	}
	a.later(0, func() { a.step(state.JournalStalled{Err: errors.New("the disk is full")}) })
	a.net.at(a.until, func() {
		a.wake(life, func() {
			a.writing = false
			a.step(state.JournalStalled{})
			if a.up && a.life == life {
				a.write()
			}
		})
	})
	return true
}

// hostEnded is what the agent's process sees of a host's end.
func (a *agentNode) hostEnded(id state.HostID, why string) {
	if a.up && a.watched[id] {
		a.later(time.Millisecond, func() { a.step(state.HostEnded{Host: id, Message: why}) })
	}
}

// crash kills the agent's process alone; its hosts run on.
func (a *agentNode) crash() {
	a.process.kill()
	a.net.after(a.net.between(100*time.Millisecond, 30*time.Second), func() { a.boot(false) })
}

// powerFailure ends everything on the machine.
func (a *agentNode) powerFailure() {
	a.excused = true
	for _, id := range a.ids {
		if h := a.hosts[id]; !h.over {
			h.end("power failure")
		}
	}
	a.process.kill()
	a.net.after(a.net.between(10*time.Second, 2*time.Minute), func() { a.boot(true) })
}
