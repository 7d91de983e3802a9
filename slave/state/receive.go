package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	executorapi "troupe/messages/mesos/executor"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// receive takes each message only from who may send it.
func (m *Machine) receive(in Received) {
	switch msg := in.Message.(type) {
	case *executorapi.Call:
		m.call(in.From, msg)
	case *cluster.HostReady:
		m.hostReady(in.From, msg)
	case *cluster.ContainerLaunched:
		m.containerLaunched(in.From, msg)
	case *cluster.ContainerProgress:
		m.containerProgress(in.From, msg)
	case *cluster.ContainerEnded:
		m.containerEnded(in.From, msg)
	case *cluster.ContainerCall:
		m.containerCall(in.From, msg)
	case *cluster.ContainerRemoved:
		m.containerRemoved(in.From, ContainerID(msg.GetContainerId().GetValue()))
	case *cluster.SandboxRetired:
		m.sandboxRetired(in.From, msg)
	case *cluster.Ping:
		// Of the observer, which is in the master's process.
		if in.From.address() == m.master.detected.address() {
			m.ping(in.From, msg)
		} else {
			m.stranger(in)
		}
	case *cluster.AgentRegistered, *cluster.AgentReregistered, *cluster.RegistrationRefused, *cluster.ShutdownAgent:
		if in.From.name() == m.master.detected {
			m.receiveDetected(in.From, msg)
		} else {
			m.stranger(in)
		}
	default:
		if in.From == m.master.peer && in.From != "" {
			m.receiveMaster(in)
		} else {
			m.stranger(in)
		}
	}
}

// receiveDetected is what the detected master may say, registered or not.
func (m *Machine) receiveDetected(from Peer, msg proto.Message) {
	switch msg := msg.(type) {
	case *cluster.AgentRegistered:
		m.agentRegistered(from, msg)
	case *cluster.AgentReregistered:
		m.agentReregistered(from, msg)
	case *cluster.RegistrationRefused:
		m.registrationRefused(msg)
	case *cluster.ShutdownAgent:
		m.leave("the master ordered a shutdown: "+msg.GetMessage(), false)
	}
}

// receiveMaster is what the master may say that this agent is registered
// with.
func (m *Machine) receiveMaster(in Received) {
	switch msg := in.Message.(type) {
	case *cluster.RunTask:
		m.runTask(msg)
	case *cluster.RunTaskGroup:
		m.runTaskGroup(msg)
	case *cluster.ApplyOperation:
		m.applyOperation(msg)
	case *cluster.OperationUpdateAck:
		m.operationUpdateAck(msg)
	case *cluster.KillTask:
		m.killTask(msg)
	case *cluster.StatusUpdateAck:
		m.statusUpdateAck(msg)
	case *cluster.ShutdownExecutor:
		m.shutdownExecutorOf(msg)
	case *cluster.ShutdownFramework:
		m.shutdownFramework(FrameworkID(msg.GetFrameworkId().GetValue()))
	case *cluster.UpdateFramework:
		m.updateFramework(msg.GetFramework())
	case *cluster.DrainAgent:
		m.drainAgent(msg.GetConfig())
	case *cluster.ResendUpdates:
		m.stream(updates.Repeat{Framework: msg.GetFrameworkId().GetValue()})
	case *cluster.FrameworkMessage:
		m.frameworkMessage(msg)
	default:
		m.note(Warn, "No agent understands such a message", typeOf(in), Field{"from", string(in.From)})
	}
}

// stranger drops what its sender may not say: a master that this agent is not
// registered with, or an earlier incarnation of its own.
func (m *Machine) stranger(in Received) {
	m.count(view.StrangerMessages)
	m.note(Warn, "Message dropped: its sender is not this agent's master", typeOf(in),
		Field{"from", string(in.From)}, Field{"master", string(m.master.peer)})
}

func typeOf(in Received) Field {
	return Field{"type", string(in.Message.ProtoReflect().Descriptor().FullName())}
}

func (m *Machine) peerExited(p Peer) {
	switch {
	case p == "":
	case p.name() == m.master.detected:
		if m.master.peer != "" {
			m.note(Warn, "The link to the master broke", Field{"master", string(p)})
			m.masterLost()
		} else {
			m.retry()
		}
	default:
		m.hostLost(p)
		m.executorLost(p)
	}
}
