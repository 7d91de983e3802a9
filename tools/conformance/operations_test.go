package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// reserved is disk that is reserved for the role web, and a volume if it has an
// id.
func reserved(amount float64, volume string) *mesos.Resource {
	r := scalar("disk", amount)
	r.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("web")}}
	if volume != "" {
		r.Disk = &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &volume},
			Volume:      &mesos.Volume{ContainerPath: proto.String("data"), Mode: mesos.Volume_RW.Enum()},
		}
	}
	return r
}

// as is a resource as a framework speaks of it: allocated to its role.
func as(role string, r *mesos.Resource) *mesos.Resource {
	r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
	return r
}

func named(id string, op *mesos.Offer_Operation) *mesos.Offer_Operation {
	op.Id = &mesos.OperationID{Value: &id}
	return op
}

func reserveOp(r ...*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: r}}
}

func unreserveOp(r ...*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{Resources: r}}
}

func createOp(r ...*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: r}}
}

func destroyOp(r ...*mesos.Resource) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY.Enum(), Destroy: &mesos.Offer_Operation_Destroy{Volumes: r}}
}

// webFramework is a framework in the role web.
func webFramework(name string) *mesos.FrameworkInfo {
	info := describe(name)
	info.Roles = []string{"web"}
	return info
}

// has tells whether an offer has what is like r: as much at least, but volumes of
// just that size, since an offer from before it changed may still wait.
func has(offer *mesos.Offer, want *mesos.Resource) bool {
	for _, r := range offer.GetResources() {
		if r.GetName() == want.GetName() && len(r.GetReservations()) == len(want.GetReservations()) &&
			r.GetDisk().GetPersistence().GetId() == want.GetDisk().GetPersistence().GetId() && r.GetScalar().GetValue() >= want.GetScalar().GetValue() {
			return r.Disk == nil || r.GetScalar().GetValue() == want.GetScalar().GetValue()
		}
	}
	return false
}

// offerOf takes the next offer that has all that is wanted, and cpus and mem;
// others are given back.
func (f *framework) offerOf(want ...*mesos.Resource) *mesos.Offer {
	f.t.Helper()
	want = append(want, scalar("cpus", 0.1), scalar("mem", 32))
	return f.offerThat(func(offer *mesos.Offer) bool {
		return !slices.ContainsFunc(want, func(w *mesos.Resource) bool { return !has(offer, w) })
	})
}

// operated takes the status that ends an operation, and acknowledges it.
func (f *framework) operated(id string, want mesos.OperationState) *mesos.OperationStatus {
	f.t.Helper()
	status := f.await("the end of operation "+id, func(e *scheduler.Event) bool {
		return e.GetType() == scheduler.Event_UPDATE_OPERATION_STATUS && e.GetUpdateOperationStatus().GetStatus().GetOperationId().GetValue() == id
	}).GetUpdateOperationStatus().GetStatus()
	if status.GetState() != want {
		f.t.Fatalf("operation %s: %v, want %s", id, status, want)
	}
	if status.Uuid != nil {
		f.say(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS.Enum(), AcknowledgeOperationStatus: &scheduler.Call_AcknowledgeOperationStatus{
			AgentId: status.GetAgentId(), OperationId: status.GetOperationId(), Uuid: status.GetUuid().GetValue(),
		}})
	}
	return status
}

// onVolume is a task of one command line that uses a volume.
func onVolume(offer *mesos.Offer, id, line string, volume *mesos.Resource) *mesos.TaskInfo {
	task := shell(offer, id, line)
	for _, r := range task.Resources {
		as("web", r)
	}
	task.Resources = append(task.Resources, volume)
	return task
}

// A volume from its reservation to its end, by a framework: what a task wrote
// there the next one reads, also when the processes were killed in between.
func TestOperationsOfFrameworks(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, webFramework("volumes"))
		volume := func(amount float64) *mesos.Resource { return as("web", reserved(amount, "v")) }
		offer := f.offerOf(scalar("disk", 100))
		f.accept(offer,
			named("reserve", reserveOp(as("web", reserved(100, "")))),
			named("create", createOp(volume(60))),
			launch(onVolume(offer, "writer", "echo kept > data/file", volume(60))),
			named("wrong", createOp(volume(40))))
		f.operated("reserve", mesos.OperationState_OPERATION_FINISHED)
		if status := f.operated("create", mesos.OperationState_OPERATION_FINISHED); len(status.GetConvertedResources()) != 1 {
			t.Errorf("converted are %v", status.GetConvertedResources())
		}
		if status := f.operated("wrong", mesos.OperationState_OPERATION_ERROR); status.Uuid != nil || status.GetMessage() == "" {
			t.Errorf("an operation that cannot be: %v", status)
		}
		f.update("writer", mesos.TaskState_TASK_FINISHED)

		f.offerOf(reserved(60, "v"), reserved(40, ""))
		c.killBoth()
		f = subscribe(t, c.master, enc, again(f))
		offer = f.offerOf(reserved(60, "v"), reserved(40, ""))
		f.accept(offer, launch(onVolume(offer, "reader", "grep kept data/file", volume(60))))
		f.update("reader", mesos.TaskState_TASK_FINISHED)

		offer = f.offerOf(reserved(60, "v"), reserved(40, ""))
		f.accept(offer, named("grow", &mesos.Offer_Operation{Type: mesos.Offer_Operation_GROW_VOLUME.Enum(), GrowVolume: &mesos.Offer_Operation_GrowVolume{
			Volume: volume(60), Addition: as("web", reserved(10, "")),
		}}))
		f.operated("grow", mesos.OperationState_OPERATION_FINISHED)
		offer = f.offerOf(reserved(70, "v"), reserved(30, ""))
		f.accept(offer, named("shrink", &mesos.Offer_Operation{Type: mesos.Offer_Operation_SHRINK_VOLUME.Enum(), ShrinkVolume: &mesos.Offer_Operation_ShrinkVolume{
			Volume: volume(70), Subtract: &mesos.Value_Scalar{Value: proto.Float64(20)},
		}}))
		f.operated("shrink", mesos.OperationState_OPERATION_FINISHED)

		offer = f.offerOf(reserved(50, "v"), reserved(50, ""))
		f.accept(offer, named("destroy", destroyOp(volume(50))), named("unreserve", unreserveOp(as("web", reserved(100, "")))))
		f.operated("destroy", mesos.OperationState_OPERATION_FINISHED)
		f.operated("unreserve", mesos.OperationState_OPERATION_FINISHED)
		f.offerOf(scalar("disk", 1024))
		f.reconcilesOperations()
		f.teardown()
		c.noOperations(enc)
	})
}

// again is how a framework that was subscribed subscribes once more.
func again(f *framework) *mesos.FrameworkInfo {
	info := webFramework("volumes")
	info.Id = &mesos.FrameworkID{Value: proto.String(f.FrameworkID)}
	return info
}

// killBoth kills master and agent at once, and starts them where they were.
func (c *cluster) killBoth() {
	c.t.Helper()
	c.masterProcess.Signal(syscall.SIGKILL)
	c.agentProcess.Signal(syscall.SIGKILL)
	c.masterProcess.Wait()
	c.agentProcess.Wait()
	c.masterProcess, c.master = c.startMaster(c.port(c.master))
	c.startAgent(c.port(c.agent))
}

// reconcilesOperations asks for operations that are no more, or never were.
func (f *framework) reconcilesOperations() {
	f.t.Helper()
	ask := func(id, on string) *scheduler.Call_ReconcileOperations_Operation {
		q := &scheduler.Call_ReconcileOperations_Operation{OperationId: &mesos.OperationID{Value: &id}}
		if on != "" {
			q.AgentId = &mesos.AgentID{Value: &on}
		}
		return q
	}
	f.say(&scheduler.Call{Type: scheduler.Call_RECONCILE_OPERATIONS.Enum(), ReconcileOperations: &scheduler.Call_ReconcileOperations{
		Operations: []*scheduler.Call_ReconcileOperations_Operation{ask("grow", ""), ask("never", "S99")},
	}})
	for _, id := range []string{"grow", "never"} {
		if status := f.operated(id, mesos.OperationState_OPERATION_UNKNOWN); status.Uuid != nil {
			f.t.Errorf("reconciliation asks for an acknowledgement: %v", status)
		}
	}
}

// noOperations waits until master and agent know of no operation.
func (c *cluster) noOperations(enc mesosclient.Encoding) {
	c.t.Helper()
	processtest.Eventually(c.t, "no operation is left", func() bool {
		r := &master.Response{}
		e := &mesosclient.Endpoint{Address: c.master, Path: mesosclient.OperatorPath, Encoding: enc}
		err := e.Ask(c.t.Context(), &master.Call{Type: master.Call_GET_OPERATIONS.Enum()}, r)
		return err == nil && r.GetType() == master.Response_GET_OPERATIONS && len(r.GetGetOperations().GetOperations()) == 0
	})
}

// change asks an operator's change of the only agent, and expects a status.
func (c *cluster) change(enc mesosclient.Encoding, call *master.Call, want int) {
	c.t.Helper()
	e := &mesosclient.Endpoint{Address: c.master, Path: mesosclient.OperatorPath, Encoding: enc}
	body, err := enc.Marshal(call)
	if err != nil {
		c.t.Fatal(err)
	}
	a, err := e.Post(c.t.Context(), body, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if a.Status != want || (want == http.StatusAccepted) != (len(a.Body) == 0) {
		c.t.Errorf("%s: %s, want %d", call.GetType(), a, want)
	}
}

// An operator's reservations and volumes: the offers they need are rescinded, and
// what cannot be changes nothing.
func TestOperationsOfOperators(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, webFramework("onlooker"))
		offer := f.offerOf(scalar("disk", 1024))
		on := offer.GetAgentId()
		reserve := func(r ...*mesos.Resource) *master.Call {
			return &master.Call{Type: master.Call_RESERVE_RESOURCES.Enum(), ReserveResources: &master.Call_ReserveResources{AgentId: on, Resources: r}}
		}
		unreserve := func(r ...*mesos.Resource) *master.Call {
			return &master.Call{Type: master.Call_UNRESERVE_RESOURCES.Enum(), UnreserveResources: &master.Call_UnreserveResources{AgentId: on, Resources: r}}
		}
		create := func(r ...*mesos.Resource) *master.Call {
			return &master.Call{Type: master.Call_CREATE_VOLUMES.Enum(), CreateVolumes: &master.Call_CreateVolumes{AgentId: on, Volumes: r}}
		}
		destroy := func(r ...*mesos.Resource) *master.Call {
			return &master.Call{Type: master.Call_DESTROY_VOLUMES.Enum(), DestroyVolumes: &master.Call_DestroyVolumes{AgentId: on, Volumes: r}}
		}
		c.change(enc, reserve(reserved(2000, "")), http.StatusConflict)
		c.change(enc, reserve(scalar("disk", 10)), http.StatusBadRequest)
		c.change(enc, reserve(reserved(100, "")), http.StatusAccepted)
		f.await("the rescission", func(e *scheduler.Event) bool {
			return e.GetRescind().GetOfferId().GetValue() == offer.GetId().GetValue()
		})
		c.change(enc, create(reserved(200, "ops")), http.StatusConflict)
		c.change(enc, create(reserved(60, "ops")), http.StatusAccepted)
		c.change(enc, create(reserved(40, "ops")), http.StatusBadRequest)
		c.change(enc, unreserve(reserved(100, "")), http.StatusConflict)
		c.change(enc, &master.Call{Type: master.Call_GROW_VOLUME.Enum(), GrowVolume: &master.Call_GrowVolume{
			AgentId: on, Volume: reserved(60, "ops"), Addition: reserved(40, ""),
		}}, http.StatusAccepted)
		c.change(enc, &master.Call{Type: master.Call_SHRINK_VOLUME.Enum(), ShrinkVolume: &master.Call_ShrinkVolume{
			AgentId: on, Volume: reserved(100, "ops"), Subtract: &mesos.Value_Scalar{Value: proto.Float64(50)},
		}}, http.StatusAccepted)

		offer = f.offerOf(reserved(50, "ops"), reserved(50, ""))
		f.accept(offer, launch(onVolume(offer, "user", "exec sleep 1000", as("web", reserved(50, "ops")))))
		f.update("user", mesos.TaskState_TASK_RUNNING)
		c.change(enc, destroy(reserved(50, "ops")), http.StatusBadRequest) // in use, as Mesos answers it
		f.say(kill("user"))
		f.update("user", mesos.TaskState_TASK_KILLED)
		c.change(enc, destroy(reserved(50, "ops")), http.StatusAccepted)
		c.change(enc, unreserve(reserved(100, "")), http.StatusAccepted)
		f.offerOf(scalar("disk", 1024))
		c.noOperations(enc)
		f.teardown()
	})
}

// The same by the forms from before there were calls for that.
func TestOperationsByForm(t *testing.T) {
	c := newCluster(t)
	agent := c.onlyAgent()
	disk := func(amount int, persistence string) string {
		return fmt.Sprintf(`[{"name":"disk","type":"SCALAR","scalar":{"value":%d},"reservations":[{"type":"DYNAMIC","role":"web"}]%s}]`, amount, persistence)
	}
	const volume = `,"disk":{"persistence":{"id":"v"},"volume":{"container_path":"data","mode":"RW"}}`
	for _, step := range []struct {
		path, key, list, agent string
		want                   int
	}{
		{"/reserve", "resources", disk(100, ""), agent, http.StatusAccepted},
		{"/master/reserve", "resources", `[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"ads","reservation":{}}]`, agent, http.StatusAccepted},
		{"/reserve", "resources", disk(2000, ""), agent, http.StatusConflict},
		{"/reserve", "resources", disk(10, ""), "S99", http.StatusBadRequest},
		{"/reserve", "resources", `[{"name":"disk"}]`, agent, http.StatusBadRequest},
		{"/reserve", "resources", `nonsense`, agent, http.StatusBadRequest},
		{"/create-volumes", "volumes", disk(60, volume), agent, http.StatusAccepted},
		{"/create-volumes", "volumes", disk(60, ""), agent, http.StatusBadRequest},
		{"/destroy-volumes", "volumes", disk(60, volume), agent, http.StatusAccepted},
		{"/destroy-volumes", "volumes", disk(60, volume), agent, http.StatusBadRequest},
		{"/unreserve", "resources", disk(100, ""), agent, http.StatusAccepted},
		{"/unreserve", "resources", disk(100, ""), agent, http.StatusConflict},
	} {
		if a := c.form(step.path, url.Values{"slaveId": {step.agent}, step.key: {step.list}}); a.Status != step.want {
			t.Errorf("%s %s: %s, want %d", step.path, step.list, a, step.want)
		}
	}
	shown := c.get("/slaves")
	for _, want := range []string{`"reserved_resources":{"ads":{"disk":0.0,"mem":0.0,"gpus":0.0,"cpus":1.0}}`, `"reserved_resources_full":{"ads":[{`} {
		if !strings.Contains(shown, want) {
			t.Errorf("/slaves does not say %s: %s", want, shown)
		}
	}
}

// onlyAgent is the id of the cluster's agent.
func (c *cluster) onlyAgent() string {
	c.t.Helper()
	r := &master.Response{}
	if err := c.operate().Ask(c.t.Context(), &master.Call{Type: master.Call_GET_AGENTS.Enum()}, r); err != nil {
		c.t.Fatal(err)
	}
	return r.GetGetAgents().GetAgents()[0].GetAgentInfo().GetId().GetValue()
}

// form posts a form to the master.
func (c *cluster) form(path string, values url.Values) *mesosclient.Answer {
	c.t.Helper()
	e := &mesosclient.Endpoint{Address: c.master, Path: path, Encoding: mesosclient.JSON{}}
	a, err := e.Post(c.t.Context(), []byte(values.Encode()), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// get reads a page of the master.
func (c *cluster) get(path string) string {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://"+c.master+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(body)
}
