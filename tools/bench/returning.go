package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/frameworks"
	"troupe/master"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state"
)

// returningAgent is an agent that was there before the master was: the machine
// of a real one, with the journal of one whose tasks run, and no processes.
type returningAgent struct {
	machine *state.Machine
	records []*cluster.JournalRecord
	timers  map[string]*actors.Timer
	hasty   bool // does not wait before the next timer
}

// neverReturn keeps an agent from missing the hosts that it does not have.
const neverReturn = 24 * time.Hour

func newReturningAgent(number int) *returningAgent {
	return &returningAgent{
		machine: state.New(state.Config{
			Info: agentInfo(number), Version: "1.12.0",
			Capabilities: []mesos.AgentInfo_Capability_Type{mesos.AgentInfo_Capability_MULTI_ROLE},
			HostPatience: neverReturn, ExecutorReregistration: neverReturn,
			Sandbox: func(string, state.FrameworkID, state.ExecutorID, state.ContainerID) string { return "/sandbox" },
			Seed:    [2]uint64{rand.Uint64(), rand.Uint64()},
		}),
		records: journalOf(number),
		timers:  make(map[string]*actors.Timer),
	}
}

// Init begins with the journal.
func (a *returningAgent) Init(c *actors.Context) {
	c.HandleAny(func(c *actors.Context, m proto.Message) {
		a.step(c, state.Received{From: state.Peer(c.Sender().String()), Message: m})
	})
	c.HandleExited(func(c *actors.Context, e actors.Exited) {
		a.step(c, state.PeerExited{Peer: state.Peer(e.PID.String())})
	})
	a.step(c, state.Started{Records: a.records})
	a.records = nil
}

// step performs what the machine decides; a checkpoint is durable at once.
func (a *returningAgent) step(c *actors.Context, in state.Input) {
	queue := []state.Input{in}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		for _, effect := range a.machine.Step(time.Now(), next) {
			if e, ok := effect.(state.Checkpoint); ok {
				queue = append(queue, state.Checkpointed{Key: e.Key})
			} else {
				a.perform(c, effect)
			}
		}
	}
}

func (a *returningAgent) perform(c *actors.Context, effect state.Effect) {
	switch e := effect.(type) {
	case state.Send:
		c.Send(peerPID(e.To), e.Message)
	case state.Link:
		c.Link(peerPID(e.Peer))
	case state.Unlink:
		c.Unlink(peerPID(e.Peer))
	case state.SetTimer:
		a.timers[e.Key].Stop()
		if a.hasty {
			a.hasty, e.After = false, 0
		}
		a.timers[e.Key] = c.After(e.After, func() { a.step(c, state.TimerFired{Key: e.Key}) })
	case state.CancelTimer:
		a.timers[e.Key].Stop()
	}
}

// peerPID is the zero address for what is none.
func peerPID(p state.Peer) actors.PID {
	pid, err := address.Parse(string(p))
	if err != nil {
		return actors.PID{}
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
func follow(ctx context.Context, info *mesos.FrameworkInfo, to actors.PID) error {
	return frameworks.Run(ctx, frameworks.Options{
		Master: to.Address, Name: info.GetName(), Store: savedID(info.GetId().GetValue()),
		Edit: func(f *mesos.FrameworkInfo) { proto.Reset(f); proto.Merge(f, info) },
	}, wantsNothing{})
}

// returning is all the agents and frameworks of one process.
type returning struct {
	systems []*actors.System
	told    []func(master actors.PID)
}

// returningRole is the process of agents and frameworks that wait for a
// master: arguments are how many agents, how many of them share a link, and
// whether they come at once. Its input says who leads.
func returningRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("returning takes agents, agents per link and their haste, not %q", args)
	}
	agents, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	perLink, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	hasty, err := strconv.ParseBool(args[2])
	if err != nil {
		return err
	}
	r := &returning{}
	if err := r.spawnAgents(agents, perLink, hasty); err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	return r.follow(in)
}

// follow tells all of the masters that the input names.
func (r *returning) follow(in io.Reader) error {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		master := actors.PID{Name: master.Name, Address: lines.Text()}
		for i := range failoverFrameworks {
			go func() {
				if err := follow(ctx, frameworkInfo(i), master); err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, "bench: framework:", err)
				}
			}()
		}
		for _, tell := range r.told {
			tell(master)
		}
	}
	return lines.Err() // the process ends with its links as they are
}

func (r *returning) system() (*actors.System, error) {
	s, err := actors.New(actors.Options{})
	r.systems = append(r.systems, s)
	return s, err
}

func (r *returning) spawnAgents(n, perLink int, hasty bool) error {
	var s *actors.System
	for i := range n {
		if i%perLink == 0 {
			var err error
			if s, err = r.system(); err != nil {
				return err
			}
		}
		a, in := newReturningAgent(i), s
		pid, err := s.Spawn(fmt.Sprintf("agent%d", i%perLink), a)
		if err != nil {
			return err
		}
		r.told = append(r.told, func(master actors.PID) {
			in.Do(pid, func(c *actors.Context) {
				a.hasty = hasty
				a.step(c, state.MasterDetected{Master: state.Peer(master.String())})
			})
		})
	}
	return nil
}
