package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/quota"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// Calls by which operators change a cluster, each seen in what the master tells
// afterwards.
func TestOperatorsChangeACluster(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		o := &operator{t, c.at(c.master, mesosclient.OperatorPath, enc)}
		o.drains()
		o.maintains()
		o.guarantees()
		o.weighs()
		f := subscribe(t, c.master, enc, describe("torn down by an operator"))
		o.does(&master.Call{Type: master.Call_TEARDOWN.Enum(), Teardown: &master.Call_Teardown{FrameworkId: f.Subscribed.GetFrameworkId()}})
		f.end()
		if all := o.asks(master.Call_GET_FRAMEWORKS).GetGetFrameworks().GetFrameworks(); len(all) > 0 {
			t.Errorf("left after TEARDOWN: %v", all)
		}
	})
}

// operator is the operators' API of a master, in one encoding.
type operator struct {
	t *testing.T
	*mesosclient.Endpoint
}

// does makes a call that is answered by nothing but 200.
func (o *operator) does(call *master.Call) {
	o.t.Helper()
	a, err := o.Call(o.t.Context(), call, nil)
	if err != nil || a.Status != http.StatusOK || len(a.Body) > 0 {
		o.t.Fatalf("%s: %v, %v", call.GetType(), err, a)
	}
}

// asks is the answer to a call that has nothing but its type.
func (o *operator) asks(kind master.Call_Type) *master.Response {
	o.t.Helper()
	r := &master.Response{}
	if err := o.Ask(o.t.Context(), &master.Call{Type: kind.Enum()}, r); err != nil {
		o.t.Fatal(err)
	}
	return r
}

func (o *operator) agent() *master.Response_GetAgents_Agent {
	o.t.Helper()
	all := o.asks(master.Call_GET_AGENTS).GetGetAgents().GetAgents()
	if len(all) != 1 {
		o.t.Fatalf("the agents: %v", all)
	}
	return all[0]
}

// drains has an agent on which nothing runs drained at once, and used again.
func (o *operator) drains() {
	o.t.Helper()
	id := o.agent().GetAgentInfo().GetId()
	o.does(&master.Call{Type: master.Call_DRAIN_AGENT.Enum(), DrainAgent: &master.Call_DrainAgent{
		AgentId: id, MaxGracePeriod: durationpb.New(5e9),
	}})
	processtest.Eventually(o.t, "the agent is drained", func() bool {
		a := o.agent()
		return a.GetDeactivated() && !a.GetActive() && a.GetDrainInfo().GetState() == mesos.DrainState_DRAINED
	})
	if grace := o.agent().GetDrainInfo().GetConfig().GetMaxGracePeriod().GetNanoseconds(); grace != 5e9 {
		o.t.Errorf("drained with %d ns of grace", grace)
	}
	o.does(&master.Call{Type: master.Call_REACTIVATE_AGENT.Enum(), ReactivateAgent: &master.Call_ReactivateAgent{AgentId: id}})
	if a := o.agent(); a.GetDeactivated() || !a.GetActive() || a.DrainInfo != nil {
		o.t.Errorf("reactivated: %v", a)
	}
}

// maintains has a machine without agents go down, and come up again.
func (o *operator) maintains() {
	o.t.Helper()
	machine := []*mesos.MachineID{{Hostname: proto.String("idle.example"), Ip: proto.String("192.0.2.7")}}
	o.does(&master.Call{
		Type: master.Call_UPDATE_MAINTENANCE_SCHEDULE.Enum(),
		UpdateMaintenanceSchedule: &master.Call_UpdateMaintenanceSchedule{Schedule: &maintenance.Schedule{Windows: []*maintenance.Window{{
			MachineIds: machine, Unavailability: &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: proto.Int64(1e18)}},
		}}}},
	})
	status := func() *maintenance.ClusterStatus {
		return o.asks(master.Call_GET_MAINTENANCE_STATUS).GetGetMaintenanceStatus().GetStatus()
	}
	if s := status(); len(s.GetDrainingMachines()) != 1 || len(s.GetDownMachines()) > 0 {
		o.t.Errorf("planned: %v", s)
	}
	o.does(&master.Call{Type: master.Call_START_MAINTENANCE.Enum(), StartMaintenance: &master.Call_StartMaintenance{Machines: machine}})
	if s := status(); len(s.GetDrainingMachines()) > 0 || len(s.GetDownMachines()) != 1 || !proto.Equal(s.GetDownMachines()[0], machine[0]) {
		o.t.Errorf("down: %v", s)
	}
	o.does(&master.Call{Type: master.Call_STOP_MAINTENANCE.Enum(), StopMaintenance: &master.Call_StopMaintenance{Machines: machine}})
	if s := status(); len(s.GetDrainingMachines())+len(s.GetDownMachines()) > 0 {
		o.t.Errorf("up again: %v", s)
	}
	if r := o.asks(master.Call_GET_MAINTENANCE_SCHEDULE); len(r.GetGetMaintenanceSchedule().GetSchedule().GetWindows()) > 0 {
		o.t.Errorf("still planned: %v", r)
	}
}

// guarantees sets a quota in the older form, in which the guarantee is the limit.
func (o *operator) guarantees() {
	o.t.Helper()
	o.does(&master.Call{Type: master.Call_SET_QUOTA.Enum(), SetQuota: &master.Call_SetQuota{QuotaRequest: &quota.QuotaRequest{
		Role: proto.String("older"), Guarantee: []*mesos.Resource{scalar("cpus", 1)},
	}}})
	configs := o.asks(master.Call_GET_QUOTA).GetGetQuota().GetStatus().GetConfigs()
	if len(configs) != 1 || configs[0].GetRole() != "older" || configs[0].GetGuarantees()["cpus"].GetValue() != 1 || configs[0].GetLimits()["cpus"].GetValue() != 1 {
		o.t.Errorf("the quotas: %v", configs)
	}
	o.does(&master.Call{Type: master.Call_REMOVE_QUOTA.Enum(), RemoveQuota: &master.Call_RemoveQuota{Role: proto.String("older")}})
}

// weighs sets a weight, and what it is without one.
func (o *operator) weighs() {
	o.t.Helper()
	for _, weight := range []float64{2.5, 1} {
		o.does(&master.Call{Type: master.Call_UPDATE_WEIGHTS.Enum(), UpdateWeights: &master.Call_UpdateWeights{
			WeightInfos: []*mesos.WeightInfo{{Role: proto.String("heavy"), Weight: &weight}},
		}})
		infos := o.asks(master.Call_GET_WEIGHTS).GetGetWeights().GetWeightInfos()
		if len(infos) != 1 || infos[0].GetRole() != "heavy" || infos[0].GetWeight() != weight {
			o.t.Errorf("the weights: %v, want %v", infos, weight)
		}
	}
}

// The logs of both daemons can be read, and tell more for a while. An agent
// lists and reads what a task wrote.
func TestOperatorsReadLogs(t *testing.T) {
	c := newWorld(t)
	c.masterFlags, c.agentFlags = []string{"--log_dir=" + t.TempDir()}, []string{"--log_dir=" + t.TempDir()}
	c.start()
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		o := &operator{t, c.at(c.master, mesosclient.OperatorPath, enc)}
		o.readsTheLog()
		on := &agentOperator{t, c.at(c.agent, mesosclient.OperatorPath, enc)}
		on.readsTheLog()
		f := subscribe(t, c.master, enc, describe("writes"))
		offer := f.offer()
		f.accept(offer, launch(shell(offer, "writes", "echo written; exec sleep 1000")))
		f.update("writes", mesos.TaskState_TASK_RUNNING)
		on.readsASandbox("/frameworks/" + f.FrameworkID + "/executors/writes/runs/latest")
		f.teardown()
	})
}

// minute is how long a log tells more.
func minute() *mesos.DurationInfo { return &mesos.DurationInfo{Nanoseconds: proto.Int64(60e9)} }

func (o *operator) readsTheLog() {
	o.t.Helper()
	o.does(&master.Call{Type: master.Call_SET_LOGGING_LEVEL.Enum(), SetLoggingLevel: &master.Call_SetLoggingLevel{
		Level: proto.Uint32(1), Duration: minute(),
	}})
	if level := o.asks(master.Call_GET_LOGGING_LEVEL).GetGetLoggingLevel().GetLevel(); level != 1 {
		o.t.Errorf("the master's level: %d", level)
	}
	r := &master.Response{}
	log := proto.String("/master/log") // a file, which has nothing in it to list
	err := o.Ask(o.t.Context(), &master.Call{Type: master.Call_LIST_FILES.Enum(), ListFiles: &master.Call_ListFiles{Path: log}}, r)
	if err != nil || r.GetType() != master.Response_LIST_FILES || r.ListFiles == nil || len(r.GetListFiles().GetFileInfos()) > 0 {
		o.t.Errorf("LIST_FILES: %v, %v", err, r)
	}
	r = &master.Response{}
	err = o.Ask(o.t.Context(), &master.Call{Type: master.Call_READ_FILE.Enum(), ReadFile: &master.Call_ReadFile{
		Path: log, Offset: proto.Uint64(1), Length: proto.Uint64(7),
	}}, r)
	if part := r.GetReadFile(); err != nil || r.GetType() != master.Response_READ_FILE || part.GetSize() < 8 || string(part.GetData()) != `"level"` {
		o.t.Errorf("READ_FILE: %v, %v", err, r)
	}
}

// agentOperator is the operators' API of an agent, in one encoding.
type agentOperator struct {
	t *testing.T
	*mesosclient.Endpoint
}

func (o *agentOperator) asks(call *agent.Call) *agent.Response {
	o.t.Helper()
	r := &agent.Response{}
	if err := o.Ask(o.t.Context(), call, r); err != nil || r.GetType().String() != call.GetType().String() {
		o.t.Fatalf("%s: %v, %v", call.GetType(), err, r)
	}
	return r
}

func (o *agentOperator) reads(path string, offset, length uint64) *agent.Response_ReadFile {
	o.t.Helper()
	return o.asks(&agent.Call{Type: agent.Call_READ_FILE.Enum(), ReadFile: &agent.Call_ReadFile{
		Path: &path, Offset: &offset, Length: &length,
	}}).GetReadFile()
}

func (o *agentOperator) readsTheLog() {
	o.t.Helper()
	a, err := o.Call(o.t.Context(), &agent.Call{Type: agent.Call_SET_LOGGING_LEVEL.Enum(), SetLoggingLevel: &agent.Call_SetLoggingLevel{
		Level: proto.Uint32(1), Duration: minute(),
	}}, nil)
	if err != nil || a.Status != http.StatusOK || len(a.Body) > 0 {
		o.t.Errorf("SET_LOGGING_LEVEL: %v, %v", err, a)
	}
	if level := o.asks(&agent.Call{Type: agent.Call_GET_LOGGING_LEVEL.Enum()}).GetGetLoggingLevel().GetLevel(); level != 1 {
		o.t.Errorf("the agent's level: %d", level)
	}
	if part := o.reads("/slave/log", 1, 7); part.GetSize() < 8 || string(part.GetData()) != `"level"` {
		o.t.Errorf("READ_FILE: %v", part)
	}
}

// readsASandbox finds what a task has written, as soon as it has.
func (o *agentOperator) readsASandbox(folder string) {
	o.t.Helper()
	processtest.Eventually(o.t, "the task's line is listed and read", func() bool {
		infos := o.asks(&agent.Call{Type: agent.Call_LIST_FILES.Enum(), ListFiles: &agent.Call_ListFiles{Path: &folder}}).GetListFiles().GetFileInfos()
		return slices.ContainsFunc(infos, func(i *mesos.FileInfo) bool {
			return i.GetPath() == folder+"/stdout" && i.GetSize() >= 8 && i.GetMtime().GetNanoseconds() > 0
		}) && strings.Contains(string(o.reads(folder+"/stdout", 0, 4096).GetData()), "written\n")
	})
}
