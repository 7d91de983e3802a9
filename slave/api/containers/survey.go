package containers

import (
	"context"
	"time"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
)

// surveyLimit is how long hosts may take to say what they have.
const surveyLimit = 5 * time.Second

// Container is one of the containers that a List finds.
type Container = agent.Response_GetContainers_Container

// List asks the hosts of an agent for the containers that are below executors'
// and that stand alone; see api.Info.Others. One that does not answer in time is
// left out.
func List(s System, boss actors.PID) func(context.Context) ([]*Container, error) {
	return func(ctx context.Context) ([]*Container, error) {
		v := &survey{agent: boss, silent: map[actors.PID]bool{}, found: make(chan []*Container, 1)}
		pid, err := s.Spawn("", v)
		if err != nil {
			return nil, err
		}
		defer s.Do(pid, func(c *actors.Context) { c.Stop() })
		select {
		case list := <-v.found:
			return list, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// survey visits every host at once.
type survey struct {
	agent  actors.PID
	asked  int32 // hosts, as far as the agent has named them
	silent map[actors.PID]bool
	list   []*Container
	found  chan []*Container // gets the whole, once
	over   bool
}

// Init sends the call to the agent.
func (v *survey) Init(c *actors.Context) {
	actors.Handle(c, v.sent)
	actors.Handle(c, v.answered)
	c.HandleExited(func(_ *actors.Context, e actors.Exited) { v.heard(e.PID, nil) })
	c.After(surveyLimit, v.finish)
	c.Send(v.agent, &cluster.ContainerCall{Call: &agent.Call{
		Type: agent.Call_GET_CONTAINERS.Enum(), GetContainers: &agent.Call_GetContainers{},
	}})
}

func (v *survey) sent(c *actors.Context, m *cluster.ContainerCallSent) {
	host, err := address.Parse(m.GetHost())
	if c.Sender() != v.agent || err != nil {
		return
	}
	v.asked++
	v.silent[host] = true
	c.Link(host)
	if v.asked == m.GetHosts() {
		v.asked = 0 // all are named
	}
}

func (v *survey) answered(c *actors.Context, m *cluster.ContainerAnswer) {
	switch {
	case c.Sender() == v.agent:
		v.finish() // there is no host
	case v.silent[c.Sender()]:
		v.heard(c.Sender(), m.GetResponse().GetGetContainers().GetContainers())
	}
}

// heard finishes with the last host.
func (v *survey) heard(host actors.PID, list []*Container) {
	delete(v.silent, host)
	v.list = append(v.list, list...)
	if len(v.silent) == 0 && v.asked == 0 {
		v.finish()
	}
}

func (v *survey) finish() {
	if !v.over {
		v.over = true
		v.found <- v.list
	}
}
