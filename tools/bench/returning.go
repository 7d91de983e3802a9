package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors/address"
	"troupe/actors/remote"
	"troupe/frameworks"
	"troupe/master"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state"
)

// hub is a process of one or more agents: a transport, without what a system
// of actors costs, since thousands of them are in this one.
type hub struct {
	transport *remote.Transport
	agents    map[string]*returningAgent // by the names of their actors
}

func newHub(number int) (*hub, error) {
	h := &hub{agents: make(map[string]*returningAgent)}
	var err error
	h.transport, err = remote.New(remote.Config{
		Address: hubAddress, Incarnation: strconv.Itoa(number), Receiver: h, Dial: hostOf(number).dial,
	})
	if err != nil {
		return nil, err
	}
	h.transport.Start()
	return h, nil
}

// host dials as a machine with an address of its own does. From one address the
// kernel would search half the ports, for each of the later connections: a
// millisecond of its time, which no agent of a real cluster costs.
type host net.Dialer

func hostOf(number int) *host {
	at := &net.TCPAddr{IP: net.IPv4(127, byte(1+number>>16), byte(number>>8), byte(number))}
	return &host{KeepAlive: -1, LocalAddr: at}
}

func (h *host) dial(ctx context.Context, address string) (net.Conn, error) {
	return (*net.Dialer)(h).DialContext(ctx, "tcp", address)
}

// hubAddress is that of a system that does not listen.
const hubAddress = "agents:0"

// Deliver gives a message to its agent.
func (h *hub) Deliver(d *remote.Delivery) remote.Work {
	if a := h.agents[d.To.Name]; a != nil {
		a.post(state.Received{From: state.Peer(d.From.String()), Message: d.Message})
	}
	return nil
}

// Exited tells an agent.
func (h *hub) Exited(watcher, watched address.PID, _ string) {
	if a := h.agents[watcher.Name]; a != nil {
		a.post(state.PeerExited{Peer: state.Peer(watched.String())})
	}
}

// Watch is of no interest: no agent ends.
func (h *hub) Watch(_, _ address.PID) {}

// Unwatch takes Watch back.
func (h *hub) Unwatch(_, _ address.PID) {}

// DeadLetter is of no interest: whoever sends repeats.
func (h *hub) DeadLetter(_, _ address.PID, _ protoreflect.FullName, _ error) {}

// Rejected is of no interest either.
func (h *hub) Rejected(_, _ address.PID, _ string, _ protoreflect.FullName, _ error) {}

// returningAgent is an agent that was there before the master was: the machine
// of a real one, with the journal of one whose tasks run, and no processes.
type returningAgent struct {
	hub     *hub
	self    address.PID
	machine *state.Machine
	timers  map[string]*time.Timer
	hasty   bool         // does not wait before the next timer
	asked   atomic.Int64 // how often it told a master what it runs

	mu      sync.Mutex
	inputs  []state.Input
	running bool // somebody steps
}

// neverReturn keeps an agent from missing the hosts that it does not have.
const neverReturn = 24 * time.Hour

// add makes an agent with the journal of one whose tasks run.
func (h *hub) add(number int, hasty bool) *returningAgent {
	a := &returningAgent{
		hub:  h,
		self: address.PID{Name: "agent" + strconv.Itoa(number), Address: hubAddress},
		machine: state.New(state.Config{
			Info: agentInfo(number), Version: "1.12.0",
			Capabilities: []mesos.AgentInfo_Capability_Type{mesos.AgentInfo_Capability_MULTI_ROLE},
			HostPatience: neverReturn, ExecutorReregistration: neverReturn,
			Sandbox: func(string, state.FrameworkID, state.ExecutorID, state.ContainerID) string { return "/sandbox" },
			Seed:    [2]uint64{rand.Uint64(), rand.Uint64()},
		}),
		timers: make(map[string]*time.Timer),
	}
	h.agents[a.self.Name] = a
	a.post(state.Started{Records: journalOf(number)})
	a.hasty = hasty
	return a
}

// post steps, or leaves that to whoever steps already: the transport may call
// from within its Send.
func (a *returningAgent) post(in state.Input) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inputs = append(a.inputs, in)
	if a.running {
		return
	}
	a.running = true
	for len(a.inputs) > 0 {
		next := a.inputs[0]
		a.inputs = a.inputs[1:]
		a.mu.Unlock()
		for _, effect := range a.machine.Step(time.Now(), next) {
			a.perform(effect)
		}
		a.mu.Lock()
	}
	a.inputs, a.running = nil, false
}

// perform does what the machine decides; a checkpoint is durable at once.
func (a *returningAgent) perform(effect state.Effect) {
	switch e := effect.(type) {
	case state.Send:
		if _, ok := e.Message.(*cluster.ReregisterAgent); ok {
			a.asked.Add(1)
		}
		if err := a.hub.transport.Send(a.self, peerPID(e.To), e.Message); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err) // the work will miss this agent
		}
	case state.Link:
		a.hub.transport.Link(a.self, peerPID(e.Peer))
	case state.Unlink:
		a.hub.transport.Unlink(a.self, peerPID(e.Peer))
	case state.Checkpoint:
		a.post(state.Checkpointed{Key: e.Key})
	case state.SetTimer:
		a.stopTimer(e.Key)
		if a.hasty {
			a.hasty, e.After = false, 0
		}
		a.timers[e.Key] = time.AfterFunc(e.After, func() { a.post(state.TimerFired{Key: e.Key}) })
	case state.CancelTimer:
		a.stopTimer(e.Key)
	}
}

func (a *returningAgent) stopTimer(key string) {
	if t := a.timers[key]; t != nil {
		t.Stop()
		delete(a.timers, key)
	}
}

// peerPID is the zero address for what is none.
func peerPID(p state.Peer) address.PID {
	pid, err := address.Parse(string(p))
	if err != nil {
		return address.PID{}
	}
	return pid
}

// What the agents of a failover run.
const (
	failoverFrameworks = 5
	tasksPerFramework  = 2 // on each agent
	tasksPerAgent      = failoverFrameworks * tasksPerFramework
)

func agentID(number int) *mesos.AgentID {
	return &mesos.AgentID{Value: proto.String(fmt.Sprintf("68efc341-25d3-4305-8cde-0d13ba972218-S%d", number))}
}

var agentHas = resources.MustParse("cpus:20;mem:10240;disk:100000;ports:[31000-32000]").Proto()

func agentInfo(number int) *mesos.AgentInfo {
	return &mesos.AgentInfo{
		Hostname: proto.String(fmt.Sprintf("host%d.example", number)), Port: proto.Int32(5051), Resources: agentHas,
		Attributes: []*mesos.Attribute{{
			Name: proto.String("rack"), Type: mesos.Value_TEXT.Enum(),
			Text: &mesos.Value_Text{Value: proto.String(fmt.Sprintf("r%d", number%500))},
		}},
	}
}

// frameworkInfo is one of those whose tasks run.
func frameworkInfo(number int) *mesos.FrameworkInfo {
	return &mesos.FrameworkInfo{
		Id:   &mesos.FrameworkID{Value: proto.String(fmt.Sprintf("68efc341-25d3-4305-8cde-0d13ba972218-%04d", number))},
		User: proto.String("nobody"), Name: proto.String(fmt.Sprintf("framework%d", number)), Roles: []string{"*"},
		Checkpoint: proto.Bool(true), FailoverTimeout: proto.Float64(86400),
		Capabilities: []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
	}
}

var runningTaskHas = allocatedTo("*", resources.MustParse("cpus:0.1;mem:5").Proto())

func allocatedTo(role string, list []*mesos.Resource) []*mesos.Resource {
	for _, r := range list {
		r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
	}
	return list
}

// journalOf is what an agent kept whose tasks all run, and were acknowledged.
func journalOf(agent int) []*cluster.JournalRecord {
	info := agentInfo(agent)
	info.Id = agentID(agent)
	records := []*cluster.JournalRecord{
		{Record: &cluster.JournalRecord_Identity{Identity: &cluster.AgentIdentity{Agent: info}}},
	}
	for f := range failoverFrameworks {
		framework := frameworkInfo(f)
		records = append(records, &cluster.JournalRecord{Record: &cluster.JournalRecord_Framework{
			Framework: &cluster.FrameworkDescribed{Framework: framework},
		}})
		for i := range tasksPerFramework {
			records = append(records, taskRecords(framework.Id, info.Id, fmt.Sprintf("t%d-%d-%d", agent, f, i))...)
		}
	}
	return records
}

// taskRecords is the journal of one task with a command.
func taskRecords(framework *mesos.FrameworkID, agent *mesos.AgentID, id string) []*cluster.JournalRecord {
	task, container := &mesos.TaskID{Value: &id}, &mesos.ContainerID{Value: &id}
	command := &mesos.CommandInfo{Value: proto.String("sleep 1000")}
	uuid := sha256.Sum256([]byte(id))
	running := &mesos.TaskStatus{
		TaskId: task, AgentId: agent, State: mesos.TaskState_TASK_RUNNING.Enum(), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		Timestamp: proto.Float64(1.7e9), Uuid: uuid[:16],
	}
	return []*cluster.JournalRecord{
		{Record: &cluster.JournalRecord_Executor{Executor: &cluster.ExecutorAccepted{
			FrameworkId: framework, ContainerId: container, Kind: cluster.LaunchContainer_COMMAND.Enum(),
			Executor: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: &id}, FrameworkId: framework, Command: command},
		}}},
		{Record: &cluster.JournalRecord_Launch{Launch: &cluster.LaunchAccepted{
			FrameworkId: framework, ContainerId: container,
			Tasks: []*mesos.TaskInfo{{Name: proto.String("sleep"), TaskId: task, AgentId: agent, Resources: runningTaskHas, Command: command}},
		}}},
		{Record: &cluster.JournalRecord_Update{Update: &cluster.UpdateAccepted{FrameworkId: framework, Status: running}}},
		{Record: &cluster.JournalRecord_Acknowledged{Acknowledged: &cluster.UpdateAcknowledged{
			FrameworkId: framework, TaskId: task, Uuid: uuid[:16],
		}}},
	}
}

// savedID is the store of a framework that had been subscribed before.
type savedID string

// Load gives the id.
func (s savedID) Load() (string, error) { return string(s), nil }

// Save is called with the id that was loaded.
func (s savedID) Save(string) error { return nil }

// wantsNothing is a framework whose tasks all run.
type wantsNothing struct{ frameworks.Base }

// Offers declines for long.
func (wantsNothing) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	d.Decline(offers, 24*time.Hour)
}

// follow subscribes a framework with a master until ctx ends.
func follow(ctx context.Context, info *mesos.FrameworkInfo, to address.PID) error {
	return frameworks.Run(ctx, frameworks.Options{
		Master: to.Address, Name: info.GetName(), Store: savedID(info.GetId().GetValue()),
		Edit: func(f *mesos.FrameworkInfo) { proto.Reset(f); proto.Merge(f, info) },
	}, wantsNothing{})
}

// returningRole is the process of agents and frameworks that wait for a
// master: arguments are how many agents, how many of them share a link, and
// whether they come at once. Its input says who leads; after an empty line it
// prints how often the agents told what they run.
func returningRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("returning takes agents, agents per link and their haste, not %q", args)
	}
	var agents, perLink int
	if err := numbers(args, &agents, &perLink); err != nil {
		return err
	}
	hasty, err := strconv.ParseBool(args[2])
	if err != nil {
		return err
	}
	all, err := makeAgents(agents, perLink, hasty)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if lines.Text() == "" {
			fmt.Fprintln(out, timesAsked(all))
			continue
		}
		master := address.PID{Name: master.Name, Address: lines.Text()}
		for i := range failoverFrameworks {
			go func() {
				if err := follow(ctx, frameworkInfo(i), master); err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, "bench: framework:", err)
				}
			}()
		}
		for _, a := range all {
			a.post(state.MasterDetected{Master: state.Peer(master.String())})
		}
	}
	return lines.Err() // the process ends with its links as they are
}

func timesAsked(all []*returningAgent) int64 {
	var sum int64
	for _, a := range all {
		sum += a.asked.Load()
	}
	return sum
}

func makeAgents(n, perLink int, hasty bool) ([]*returningAgent, error) {
	var h *hub
	all := make([]*returningAgent, n)
	for i := range all {
		if i%perLink == 0 {
			var err error
			if h, err = newHub(i); err != nil {
				return nil, err
			}
		}
		all[i] = h.add(i, hasty)
	}
	return all, nil
}
