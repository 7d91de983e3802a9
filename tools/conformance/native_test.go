package conformance

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// native is a scheduler that is an actor. It does nothing but subscribe.
type native struct {
	master     actors.PID
	info       *mesos.FrameworkInfo
	subscribed chan string // the framework's id
}

func (n *native) Init(c *actors.Context) {
	actors.Handle(c, func(_ *actors.Context, e *scheduler.Event) {
		if e.GetType() == scheduler.Event_SUBSCRIBED {
			n.subscribed <- e.GetSubscribed().GetFrameworkId().GetValue()
		}
	})
	c.Send(n.master, subscription(n.info))
}

// Calls over HTTP are not taken for a framework whose scheduler is an actor,
// whatever stream they name.
func TestHTTPCallsOfANativeFramework(t *testing.T) {
	c := newMaster(t)
	sys := actortest.NewSystem(t, actors.Options{Listen: "127.0.0.1:0"})
	n := &native{actors.PID{Name: "master", Address: c.master}, describe("native"), make(chan string, 1)}
	if _, err := sys.Spawn("scheduler", n); err != nil {
		t.Fatal(err)
	}
	call := revive()
	select {
	case id := <-n.subscribed:
		call.FrameworkId = &mesos.FrameworkID{Value: proto.String(id)}
	case <-time.After(3 * time.Minute):
		t.Fatal("it was not subscribed")
	}
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("over HTTP"))
		var all []request
		for _, stream := range []string{"", "of-nobody", f.ID} {
			all = append(all, request{
				name: "stream " + stream, body: encoded(t, enc, call), headers: map[string]string{mesosclient.StreamID: stream},
				status: 403, says: "Framework is not connected via HTTP",
			})
		}
		refuse(t, c.master, mesosclient.SchedulerPath, enc, all)
		f.teardown()
	})
}
