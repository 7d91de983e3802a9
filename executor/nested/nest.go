package nested

import (
	"cmp"
	"syscall"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/validate"
)

const (
	// maxBelow bounds the containers below one outermost container, those that
	// have ended and were not removed included.
	maxBelow = 256
	// maxReaders bounds who reads one container's output at once.
	maxReaders = 16
)

// Root is the container of an executor, as far as containers below it and those
// who wait for it are concerned.
type Root interface {
	// Spec has the sandbox, the environment and the user.
	Spec() program.Spec
	// Over tells that it has ended, or is about to.
	Over() bool
	// Await has then called in the host's queue when it has ended.
	Await(then func(End))
	// Signal sends a signal; SIGKILL ends all of it.
	Signal(s syscall.Signal)
}

// End is how a container ended.
type End struct {
	// Status is as wait(2) gave it; nil when nothing ran.
	Status *int32
	// Message is for people; may be empty.
	Message string
	// Limit is what it had run into; nil if nothing.
	Limit *cluster.ContainerLimit
}

// Options say what a nest works with.
type Options struct {
	System     *actors.System
	Containers program.Containers
	// Root finds the container of an executor; nil when there is none.
	Root func(id string) Root
	// Removed is told of each container without a parent that is forgotten.
	Removed func(id *mesos.ContainerID)
	// Retired is told when the sandbox of a container is of no more use, and when it was
	// removed.
	Retired func(*cluster.SandboxRetired)
	// StallLimit is how long a reader who came later may hold a container up by
	// taking nothing; 30 s. The one whose session it is may do so forever.
	StallLimit time.Duration
	// DrainLimit is how long output is waited for that processes may write which have
	// left a container that has ended; 5 s.
	DrainLimit time.Duration
}

// Nest holds containers.
type Nest struct {
	options Options
	context *actors.Context
	log     *zap.Logger
	cells   map[string]*cell // by validate.ContainerKey
	visits  map[actors.PID]*visit
	born    uint64
	// What follows the end of all that is below an executor's container.
	endings map[string]func()
	// Those without a parent that are to be forgotten when they have ended.
	dismissed map[string]bool
	// What is told of sandboxes whose containers are over, by validate.ContainerKey.
	retired map[string]*cluster.SandboxRetired
	// What runs as the whole of an executor's container, by that's id.
	mains map[string]*outlet
}

// visit is somebody who waits for something, or carries input or output.
type visit struct {
	// leave is called when the visitor is gone, or has all that it came for.
	leave []func()
	// taken, input and yield are what a visitor's messages mean; nil: nothing.
	taken func()
	input func(*agent.ProcessIO)
	yield func()
}

// New makes a nest that lives in the actor of c.
func New(c *actors.Context, o Options) *Nest {
	o.StallLimit, o.DrainLimit = cmp.Or(o.StallLimit, stallLimit), cmp.Or(o.DrainLimit, drainLimit)
	return &Nest{
		options: o, context: c, log: c.Log(), cells: map[string]*cell{}, visits: map[actors.PID]*visit{},
		endings: map[string]func(){}, dismissed: map[string]bool{}, mains: map[string]*outlet{},
		retired: map[string]*cluster.SandboxRetired{},
	}
}

// Standalone lists the containers without a parent that are not removed.
func (n *Nest) Standalone() []*mesos.ContainerID {
	var list []*mesos.ContainerID
	for _, c := range n.inOrder() {
		if c.id.Parent == nil {
			list = append(list, c.id)
		}
	}
	return list
}

// Empty tells that no container stands alone in the nest.
func (n *Nest) Empty() bool {
	for _, c := range n.cells {
		if c.id.Parent == nil {
			return false
		}
	}
	return true
}

// Call does what a visitor asks for, and answers it.
func (n *Nest) Call(visitor actors.PID, m *cluster.ContainerCall) {
	if m.GetCall().GetType() == agent.Call_GET_CONTAINERS {
		n.list(visitor)
		return
	}
	id, err := validate.ContainerCall(m.GetCall())
	if err != nil {
		n.answer(visitor, cluster.ContainerAnswer_INVALID, err.Error())
		return
	}
	key := validate.ContainerKey(id)
	switch m.GetCall().GetType() {
	case agent.Call_LAUNCH_CONTAINER, agent.Call_LAUNCH_NESTED_CONTAINER, agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		n.launch(visitor, id, m)
	case agent.Call_WAIT_CONTAINER, agent.Call_WAIT_NESTED_CONTAINER:
		n.wait(visitor, key, m.GetCall().GetType())
	case agent.Call_KILL_CONTAINER, agent.Call_KILL_NESTED_CONTAINER:
		n.kill(visitor, key, syscall.Signal(validate.SignalOf(m.GetCall())))
	case agent.Call_REMOVE_CONTAINER, agent.Call_REMOVE_NESTED_CONTAINER:
		n.remove(visitor, key)
	case agent.Call_ATTACH_CONTAINER_OUTPUT:
		n.attachOutput(visitor, key)
	case agent.Call_ATTACH_CONTAINER_INPUT:
		n.attachInput(visitor, key)
	}
}

// list answers with the containers that run.
func (n *Nest) list(visitor actors.PID) {
	list := &agent.Response_GetContainers{}
	for _, c := range n.inOrder() {
		if c.process == nil || c.over {
			continue
		}
		status := &mesos.ContainerStatus{ContainerId: c.id, ExecutorPid: proto.Uint32(uint32(c.process.Pid()))}
		if in := c.spec.Container; in != nil {
			status.CgroupInfo = in.Groups()
		}
		list.Containers = append(list.Containers, &agent.Response_GetContainers_Container{ContainerId: c.id, ContainerStatus: status})
	}
	n.context.Send(visitor, &cluster.ContainerAnswer{
		Outcome:  cluster.ContainerAnswer_DONE.Enum(),
		Response: &agent.Response{Type: agent.Response_GET_CONTAINERS.Enum(), GetContainers: list},
	})
}

func (n *Nest) answer(to actors.PID, outcome cluster.ContainerAnswer_Outcome, message string) {
	a := &cluster.ContainerAnswer{Outcome: outcome.Enum()}
	if message != "" {
		a.Message = &message
	}
	n.context.Send(to, a)
}

// visitedBy has leave called when the visitor is gone.
func (n *Nest) visitedBy(visitor actors.PID, leave func()) *visit {
	v := n.visits[visitor]
	if v == nil {
		v = &visit{}
		n.visits[visitor] = v
		n.context.Link(visitor)
	}
	v.leave = append(v.leave, leave)
	return v
}

// Taken is told that a reader has a piece.
func (n *Nest) Taken(visitor actors.PID) {
	if v := n.visits[visitor]; v != nil && v.taken != nil {
		v.taken()
	}
}

// Input takes a piece from who has the input of a container.
func (n *Nest) Input(visitor actors.PID, io *agent.ProcessIO) {
	if v := n.visits[visitor]; v != nil && v.input != nil {
		v.input(io)
	}
}

// Leave lets go of the input that a visitor has, and tells it when another may
// have it: at once, if it has none.
func (n *Nest) Leave(visitor actors.PID) {
	if v := n.visits[visitor]; v != nil && v.yield != nil {
		v.yield()
		return
	}
	n.left(visitor)
}

// Gone is told of every exit in the host's queue.
func (n *Nest) Gone(visitor actors.PID) {
	v := n.visits[visitor]
	delete(n.visits, visitor)
	if v != nil {
		for _, leave := range v.leave {
			leave()
		}
	}
}

// kill signals a container, or an executor's.
func (n *Nest) kill(visitor actors.PID, key string, s syscall.Signal) {
	c, root := n.cells[key], n.options.Root(key)
	switch {
	case c != nil && !c.over:
		c.signal(s)
	case root != nil && !root.Over():
		root.Signal(s)
	default:
		n.answer(visitor, cluster.ContainerAnswer_UNKNOWN, "container "+key+" does not run")
		return
	}
	n.answer(visitor, cluster.ContainerAnswer_DONE, "")
}

// wait answers when a container has ended.
func (n *Nest) wait(visitor actors.PID, key string, t agent.Call_Type) {
	waiting := true
	tell := func(end End) {
		if waiting {
			n.context.Send(visitor, ended(t, end))
		}
	}
	c, root := n.cells[key], n.options.Root(key)
	switch {
	case c != nil && c.over:
		tell(c.end)
		return
	case c != nil:
		c.waiters = append(c.waiters, tell)
	case root != nil:
		root.Await(tell)
	default:
		n.answer(visitor, cluster.ContainerAnswer_UNKNOWN, "container "+key+" cannot be found")
		return
	}
	n.visitedBy(visitor, func() { waiting = false })
}

// ended is the answer to a call that waits.
func ended(t agent.Call_Type, e End) *cluster.ContainerAnswer {
	var text *string
	if e.Message != "" {
		text = &e.Message
	}
	var state *mesos.TaskState
	var reason *mesos.TaskStatus_Reason
	var limitation *mesos.TaskResourceLimitation
	if e.Limit != nil {
		state, reason, text = mesos.TaskState_TASK_FAILED.Enum(), e.Limit.Reason, e.Limit.Message
		limitation = &mesos.TaskResourceLimitation{Resources: e.Limit.GetResources()}
	}
	r := &agent.Response{}
	if t == agent.Call_WAIT_NESTED_CONTAINER {
		r.Type = agent.Response_WAIT_NESTED_CONTAINER.Enum()
		r.WaitNestedContainer = &agent.Response_WaitNestedContainer{
			ExitStatus: e.Status, State: state, Reason: reason, Limitation: limitation, Message: text,
		}
	} else {
		r.Type = agent.Response_WAIT_CONTAINER.Enum()
		r.WaitContainer = &agent.Response_WaitContainer{
			ExitStatus: e.Status, State: state, Reason: reason, Limitation: limitation, Message: text,
		}
	}
	return &cluster.ContainerAnswer{Outcome: cluster.ContainerAnswer_DONE.Enum(), Response: r}
}
