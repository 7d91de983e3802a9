package state

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/validate"
)

// maintenanceRequest plans, begins or ends the maintenance of machines.
func (m *Machine) maintenanceRequest(in Received, msg *cluster.MaintenanceRequest) {
	if msg.Action == nil {
		m.refuseRequest(in, badRequest, field.Missing("action").Error())
		return
	}
	var op registry.Operation
	var err error
	switch msg.GetAction() {
	case cluster.MaintenanceRequest_SCHEDULE:
		op = registry.UpdateMaintenanceSchedule{Schedule: msg.GetSchedule(), Version: msg.GetVersion()}
		err = field.In("schedule", m.checkSchedule(msg))
	case cluster.MaintenanceRequest_START:
		op = registry.StartMaintenance{Machines: msg.GetMachines()}
		err = m.checkMachines(msg.GetMachines(), mesos.MachineInfo_DRAINING)
	case cluster.MaintenanceRequest_STOP:
		op = registry.StopMaintenance{Machines: msg.GetMachines()}
		err = m.checkMachines(msg.GetMachines(), mesos.MachineInfo_DOWN)
	}
	if err != nil {
		m.refuseRequest(in, badRequest, err.Error())
		return
	}
	m.persistChanges(op, func(changes []registry.Change, conflicts error) {
		m.settingsChanged(changes)
		if conflicts != nil { // it was different when it was asked for
			status := uint32(conflict)
			if errors.Is(conflicts, registry.ErrOutdated) {
				status = outdated
			}
			m.refuseRequest(in, status, conflicts.Error())
			return
		}
		if len(changes) > 0 {
			m.onMachinesChanged()
		}
		m.acceptRequest(in)
	})
}

// checkSchedule checks a schedule in itself and against the machines that are
// down, which have to stay in it.
func (m *Machine) checkSchedule(msg *cluster.MaintenanceRequest) error {
	if msg.Schedule == nil {
		return field.Missing("")
	}
	if err := validate.Schedule(msg.GetSchedule()); err != nil {
		return err
	}
	if version := registry.ScheduleVersion(m.registry.Machines()); msg.Version != nil && msg.GetVersion() != version {
		return nil // which is said when it is to be made durable
	}
	if err := m.refusal(registry.UpdateMaintenanceSchedule{Schedule: msg.GetSchedule()}); err != nil {
		return field.Invalid("windows", nil, "%v", err)
	}
	return nil
}

// checkMachines checks that all machines are in the schedule, and in a mode.
func (m *Machine) checkMachines(ids []*mesos.MachineID, mode mesos.MachineInfo_Mode) error {
	if err := validate.Machines("machines", ids); err != nil {
		return err
	}
	for i, id := range ids {
		record := m.registry.Machine(id)
		switch {
		case record == nil:
			return field.At("machines", i, field.Invalid("", shownMachine(id), "is not part of a maintenance schedule"))
		case record.GetMachine().GetMode() != mode:
			return field.At("machines", i, field.Invalid("", shownMachine(id), "is %s and not %s", record.GetMachine().GetMode(), mode))
		}
	}
	return nil
}

// onMachinesChanged makes true on every agent what the registry holds of its
// machine.
func (m *Machine) onMachinesChanged() {
	m.note(Info, "An operator changed the maintenance of machines")
	for _, a := range m.agents.ordered() {
		if !m.takeDown(a) {
			m.plan(a)
		}
	}
}

// takeDown shuts an agent down whose machine is, and tells whether it is.
func (m *Machine) takeDown(a *agent) bool {
	if !m.isDown(a.peer(), a.view.Info) {
		return false
	}
	if a.leaving {
		return true
	}
	if a.connected() {
		m.send(a.peer(), &cluster.ShutdownAgent{Message: new(downText)})
	}
	m.removeAgent(a, view.TakenDown)
	return true
}

const downText = "the agent's machine is down for maintenance"

// refuseDown sends away an agent whose machine is down.
func (m *Machine) refuseDown(from Peer, info *mesos.AgentInfo) bool {
	if !m.isDown(from, info) {
		return false
	}
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused an agent: its machine is down", Field{"agent", info.GetId().GetValue()}, Field{"peer", string(from)})
	m.send(from, &cluster.ShutdownAgent{Message: new(downText)})
	return true
}

// plan gives an agent the plans for its machine, if they are others. Offers are
// taken back, since they do not tell of them; what frameworks said to the plans
// before does not count for these.
func (m *Machine) plan(a *agent) {
	next := m.maintenanceOf(a.peer(), a.view.Info, a.view.Maintenance)
	if next == a.view.Maintenance {
		return
	}
	m.forgetPleas(a)
	m.rescindAgentOffers(a)
	m.changeAgent(a, func(v *view.Agent) { v.Maintenance = next })
	m.stir(a)
}

// maintenanceOf is what the schedule has for an agent: for the machine with its
// host name and address, with its host name, or with its address. It is known
// itself if it is the same.
func (m *Machine) maintenanceOf(p Peer, info *mesos.AgentInfo, known *view.Maintenance) *view.Maintenance {
	record := m.machineOf(p, info)
	if record == nil {
		return nil
	}
	name := machineName(record.GetMachine().GetId())
	if known != nil && known.Machine == name && proto.Equal(known.Unavailability, record.GetMachine().GetUnavailability()) {
		return known
	}
	return &view.Maintenance{Machine: name, Unavailability: record.GetMachine().GetUnavailability()}
}

func (m *Machine) machineOf(p Peer, info *mesos.AgentInfo) *cluster.MachineRecord {
	for _, id := range machinesOf(p, info) {
		if record := m.registry.Machine(id); record != nil {
			return record
		}
	}
	return nil
}

// isDown tells whether any name of an agent's machine is that of one that is
// down.
func (m *Machine) isDown(p Peer, info *mesos.AgentInfo) bool {
	for _, id := range machinesOf(p, info) {
		if m.registry.Machine(id).GetMachine().GetMode() == mesos.MachineInfo_DOWN {
			return true
		}
	}
	return false
}

// machinesOf are the names that a schedule may have for the machine of an
// agent, the most exact first.
func machinesOf(p Peer, info *mesos.AgentInfo) []*mesos.MachineID {
	ip := hostPart(p)
	host := info.GetHostname()
	return []*mesos.MachineID{{Hostname: &host, Ip: &ip}, {Hostname: &host}, {Ip: &ip}}
}

func machineName(id *mesos.MachineID) string { return names.Machine(id.GetHostname(), id.GetIp()) }

func shownMachine(id *mesos.MachineID) string { return names.ShowMachine(id.GetHostname(), id.GetIp()) }

// hostPart is the host of a peer's address, without port.
func hostPart(p Peer) string {
	address := string(p)
	if _, after, ok := strings.Cut(address, "@"); ok {
		address = after
	}
	host, _, _ := strings.Cut(address, "#")
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}
