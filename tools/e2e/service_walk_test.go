package e2e

import (
	"syscall"
	"testing"

	"troupe/frameworks/service/client"
	"troupe/frameworks/service/client/walk"
	"troupe/master/election/zookeepertest"
	"troupe/tools/processtest"
)

// Who walks over the whole API of a framework with real instances finds nothing
// amiss, through a process that does not lead: streams, callbacks and doubled slashes
// included. The leader steps down at the end.
func TestServiceIsWalked(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	c := newWorld(t).separate()
	store, session := e.URL("/service"), "--zk_session_timeout="+zkSession.String()
	first := c.service(store, session)
	first.leads()
	second := c.service(store, session)
	for _, finding := range walk.Walk(t.Context(), walk.Options{
		Client: client.New("http://" + second.at), Group: "/walk", Command: "sleep 1000", Patience: processtest.Patience, Ours: true, Abdicate: true,
	}) {
		t.Error(finding)
	}
	first.wait().check(t, "who abdicated", 1, "", "abdicated")
	second.leads()
	second.Signal(syscall.SIGTERM)
	second.wait().check(t, "service after SIGTERM", 0, "", `"ended in order"`)
	c.end()
}
