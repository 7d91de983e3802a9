package state

import (
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	executorapi "troupe/messages/mesos/executor"
)

// fuzzed are the messages that agents take, of anybody.
func fuzzed() []proto.Message {
	return []proto.Message{
		&executorapi.Call{}, &cluster.RunTask{}, &cluster.RunTaskGroup{}, &cluster.KillTask{}, &cluster.StatusUpdateAck{},
		&cluster.ShutdownExecutor{}, &cluster.ShutdownFramework{}, &cluster.UpdateFramework{}, &cluster.FrameworkMessage{},
		&cluster.HostReady{}, &cluster.ContainerLaunched{}, &cluster.ContainerEnded{}, &cluster.AgentReregistered{}, &cluster.Ping{},
		&cluster.DrainAgent{}, &cluster.ResendUpdates{},
	}
}

// FuzzReceived: whatever bytes become a message of whomever, the agent takes
// it without harm, and launches what its master sends next.
func FuzzReceived(f *testing.F) {
	peers := []Peer{"master@m:5050#a", "host@h1:0#h", "executor/C1@h1:0#h", "x@x:1#9"}
	for i, text := range map[byte]string{
		0:  `framework_id {value: "F"} executor_id {value: "T1"} type: SUBSCRIBE subscribe {}`,
		1:  `framework { user: "u" name: "n" id {value: "F"} } task { name: "t" task_id {value: "T1"} agent_id {value: "S0"} command { value: "true" } }`,
		9:  `host_id: "H1" pid: 7 containers { container_id {value: "C1"} }`,
		11: `container_id {value: "C1"} status: 9`,
	} {
		m := fuzzed()[i]
		if err := prototext.Unmarshal([]byte(text), m); err != nil {
			f.Fatal(err)
		}
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		for from := range peers {
			f.Add(i, byte(from), b)
		}
	}
	f.Fuzz(func(t *testing.T, typ, from byte, b []byte) {
		m := fuzzed()[int(typ)%len(fuzzed())]
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(b, m) != nil {
			return
		}
		s := &scenario{
			t: t, now: time.Unix(1000, 0), config: testConfig(0), names: map[string]string{}, ids: map[string]string{},
			acknowledges: map[string]*cluster.StatusUpdate{},
		}
		for _, line := range []string{
			"start", "master master@m:5050", "fire registration",
			`recv master@m:5050#a AgentRegistered agent_id id(S0) master_id: "M" total_ping_timeout: 75000000000`,
			`recv master@m:5050#a RunTask framework { user: "u" name: "n" id id(F) } task { name: "t" task_id id(T1) agent_id id(S0) res(cpus:1;mem:32) command { value: "true" } }`,
		} {
			s.command(line)
		}
		for range 2 {
			s.step(Received{From: peers[int(from)%len(peers)], Message: m})
		}
		s.out.Reset()
		s.command(`recv master@m:5050#a RunTask framework { user: "u" name: "n" id id(F2) } task { name: "t" task_id id(T2) agent_id id(S0) res(cpus:1;mem:32) command { value: "true" } }`)
		if s.out.Len() == 0 && !s.m.exited {
			t.Error("the next task is not launched")
		}
	})
}
