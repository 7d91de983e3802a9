package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
	"troupe/messages/tasks"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// keeper is a framework that keeps data in a volume.
type keeper struct {
	*mesosclient.Scheduler
	t   *testing.T
	ctx context.Context
	// What it is offered and has not answered, also while it waited for else.
	offers []*mesos.Offer
	// The last news of each task, by its id.
	told map[string]*mesos.TaskStatus
}

// keep subscribes a framework in role r.
func (c *cluster) keep() *keeper { return c.keepFor(processtest.Patience) }

// keepFor is for tests that take longer than one wait may.
func (c *cluster) keepFor(limit time.Duration) *keeper {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	c.t.Cleanup(cancel)
	s, err := mesosclient.Subscribe(ctx, fmt.Sprintf("127.0.0.1:%d", c.masterPort), mesosclient.Protobuf{}, &scheduler.Call_Subscribe{
		FrameworkInfo: &mesos.FrameworkInfo{
			User: proto.String("root"), Name: proto.String("keeper"), Roles: []string{"r"},
			Capabilities: []*mesos.FrameworkInfo_Capability{
				{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()},
				{Type: mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT.Enum()},
				{Type: mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES.Enum()},
			},
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			c.t.Log(err)
		}
	})
	return &keeper{Scheduler: s, t: c.t, ctx: ctx, told: map[string]*mesos.TaskStatus{}}
}

func (k *keeper) say(call *scheduler.Call) {
	k.t.Helper()
	if answer, err := k.Say(k.ctx, call); err != nil || answer.Status != 202 {
		k.t.Fatalf("%s: %v, %v", call.GetType(), answer, err)
	}
}

// next is the next event; updates are acknowledged, and offers kept.
func (k *keeper) next() *scheduler.Event {
	k.t.Helper()
	e, err := k.Event()
	if err != nil {
		k.t.Fatal(err)
	}
	k.offers = append(k.offers, e.GetOffers().GetOffers()...)
	k.offers = slices.DeleteFunc(k.offers, func(o *mesos.Offer) bool { return proto.Equal(o.Id, e.GetRescind().GetOfferId()) })
	if u := e.GetUpdate().GetStatus(); u != nil {
		k.told[u.GetTaskId().GetValue()] = u
	}
	if u := e.GetUpdate().GetStatus(); u.GetUuid() != nil {
		k.say(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
			AgentId: u.AgentId, TaskId: u.TaskId, Uuid: u.Uuid,
		}})
	}
	return e
}

// offer waits for one that has what is wanted, and declines the others.
func (k *keeper) offer(want resources.Resources) *mesos.Offer {
	k.t.Helper()
	for {
		for len(k.offers) > 0 {
			o := k.offers[0]
			k.offers = k.offers[1:]
			has, err := resources.New(o.GetResources()...)
			if err != nil {
				k.t.Fatal(err)
			}
			if has.Unallocate().Contains(want) {
				return o
			}
			k.say(&scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{
				OfferIds: []*mesos.OfferID{o.Id}, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(0)},
			}})
		}
		k.next()
	}
}

func (k *keeper) accept(o *mesos.Offer, list ...*mesos.Offer_Operation) {
	k.t.Helper()
	k.say(&scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{o.Id}, Operations: list, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(0)},
	}})
}

// end waits for the end of a task.
func (k *keeper) end(task string) *mesos.TaskStatus {
	k.t.Helper()
	for {
		u := k.next().GetUpdate().GetStatus()
		if u.GetTaskId().GetValue() == task && tasks.Terminal(u.GetState()) {
			return u
		}
	}
}

// run runs a command on what is wanted, after other operations, to a good end.
// An offer may have been taken back, of an agent that was killed.
func (k *keeper) run(want resources.Resources, command string, before ...*mesos.Offer_Operation) {
	k.t.Helper()
	for n := range 5 {
		o, task := k.offer(want), fmt.Sprint(command, n)
		task = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return '-'
		}, task)
		k.accept(o, append(before, launch(o, task, command))...)
		switch u := k.end(task); {
		case u.GetState() == mesos.TaskState_TASK_FINISHED:
			return
		case u.GetReason() != mesos.TaskStatus_REASON_INVALID_OFFERS:
			k.t.Fatalf("%s: %v", command, u)
		}
	}
	k.t.Fatalf("%s: no offer lasts", command)
}

// reserved is a disk of role r.
func reserved() *mesos.Resource {
	return &mesos.Resource{
		Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(64)},
		Reservations:   []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("r")}},
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("r")},
	}
}

func volume() *mesos.Resource {
	v := reserved()
	v.Disk = &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v1")},
		Volume:      &mesos.Volume{ContainerPath: proto.String("data"), Mode: mesos.Volume_RW.Enum()},
	}
	return v
}

func sumOf(t *testing.T, list ...*mesos.Resource) resources.Resources {
	t.Helper()
	r, err := resources.New(list...)
	if err != nil {
		t.Fatal(err)
	}
	return r.Unallocate()
}

// launch runs a command with the volume.
func launch(o *mesos.Offer, task, command string) *mesos.Offer_Operation {
	return &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{
		TaskInfos: []*mesos.TaskInfo{{
			Name: &task, TaskId: &mesos.TaskID{Value: &task}, AgentId: o.AgentId,
			Resources: append(resources.MustParse("cpus:1;mem:32").Allocate("r").Proto(), volume()),
			Command:   &mesos.CommandInfo{Value: &command},
		}},
	}}
}

// TestVolumeOutlivesItsAgentsProcess: what a task wrote into a volume is there
// for the next, after the agent was killed, and gone once the volume is destroyed.
func TestVolumeOutlivesItsAgentsProcess(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	k := c.keep()
	plain := resources.MustParse("cpus:1;mem:32;disk:64")
	folder := filepath.Join(w.dir, "agent", "volumes", "roles", "r", "v1")

	k.run(plain, "echo kept > data/file",
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE.Enum(), Reserve: &mesos.Offer_Operation_Reserve{Resources: []*mesos.Resource{reserved()}}},
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum(), Create: &mesos.Offer_Operation_Create{Volumes: []*mesos.Resource{volume()}}})
	c.agent.kill()
	if got, err := os.ReadFile(filepath.Join(folder, "file")); err != nil || string(got) != "kept\n" {
		t.Fatalf("the volume has %q, %v", got, err)
	}

	c.startAgent()
	made := resources.MustParse("cpus:1;mem:32").Add(sumOf(t, volume()))
	k.run(made, `test "$(cat data/file)" = kept`)
	k.accept(k.offer(made),
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY.Enum(), Destroy: &mesos.Offer_Operation_Destroy{Volumes: []*mesos.Resource{volume()}}},
		&mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{Resources: []*mesos.Resource{reserved()}}})
	eventually(t, "the volume is gone", func() bool { return !processtest.Exists(folder) })
	eventually(t, "its disk is nobody's", func() bool {
		return unreservedDisk(t, c.agentPort) == 1024 && unreservedDisk(t, c.masterPort) == 1024
	})
	c.end()
}

// unreservedDisk is what a daemon says of the only agent's.
func unreservedDisk(t *testing.T, port int) float64 {
	t.Helper()
	type agent struct {
		Unreserved struct{ Disk float64 } `json:"unreserved_resources"`
	}
	var state struct {
		agent
		Agents []agent `json:"slaves"`
	}
	if err := json.Unmarshal([]byte(get(t, port, "/state")), &state); err != nil {
		t.Fatal(err)
	}
	for _, a := range state.Agents {
		return a.Unreserved.Disk
	}
	return state.Unreserved.Disk
}
