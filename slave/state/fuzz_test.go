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
		&cluster.DrainAgent{}, &cluster.ResendUpdates{}, &cluster.ContainerCall{}, &cluster.ContainerRemoved{},
	}
}

// FuzzReceived: whatever bytes become a message of whomever, the agent takes
// it without harm, and launches what its master sends next.
func FuzzReceived(f *testing.F) {
	peers := []Peer{"master@m:5050#a", "host@h1:0#h", "executor/C1@h1:0#h", "x@x:1#9", "visitor@10.0.0.1:5051#a"}
	for i, text := range map[byte]string{
		0:  `framework_id {value: "F"} executor_id {value: "T1"} type: SUBSCRIBE subscribe {}`,
		1:  `framework { user: "u" name: "n" id {value: "F"} } task { name: "t" task_id {value: "T1"} agent_id {value: "S0"} command { value: "true" } }`,
		9:  `host_id: "H1" pid: 7 containers { container_id {value: "C1"} }`,
		11: `container_id {value: "C1"} status: 9`,
		16: `call { type: LAUNCH_CONTAINER launch_container { container_id {value: "G"} command { value: "true" } } }`,
		17: `container_id {value: "G"}`,
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

// FuzzRecords: whatever a journal says, an agent starts with it or says why it
// does not, and what it writes in its place says the same.
func FuzzRecords(f *testing.F) {
	s := &scenario{
		t: f, now: time.Unix(1000, 0), config: testConfig(0), names: map[string]string{}, ids: map[string]string{},
		acknowledges: map[string]*cluster.StatusUpdate{},
	}
	for _, line := range []string{
		"start", "master master@m:5050", "fire registration",
		`recv master@m:5050#a AgentRegistered agent_id id(S0) master_id: "M" total_ping_timeout: 75000000000 cluster_id: "C"`,
		`recv master@m:5050#a RunTask framework { user: "u" name: "n" id id(F) } task { name: "t" task_id id(T1) agent_id id(S0) res(cpus:1;mem:32) command { value: "true" } }`,
		`recv host@h1:0#h HostReady host_id: "H1" pid: 7`,
		`recv executor/C1@h1:0#h Call framework_id id(F) executor_id id(T1) type: SUBSCRIBE subscribe {}`,
		`recv executor/C1@h1:0#h Call framework_id id(F) executor_id id(T1) type: UPDATE update { status { task_id id(T1) state: TASK_FINISHED source: SOURCE_EXECUTOR uuid(1) } }`,
		`recv master@m:5050#a DrainAgent config { mark_gone: true }`,
		`ack T1`, `hostended H1`,
	} {
		s.command(line)
		b, err := proto.Marshal(&cluster.JournalBatch{Records: s.journal})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, rebooted bool) {
		batch := new(cluster.JournalBatch)
		if proto.Unmarshal(b, batch) != nil {
			return
		}
		m := New(testConfig(1))
		records := batch.GetRecords()
		for _, e := range m.Step(time.Unix(1000, 0), Started{Records: records, Rebooted: rebooted}) {
			if c, ok := e.(Checkpoint); ok {
				records = append(records, c.Records...)
			}
		}
		if m.exited {
			return
		}
		again, rewritten := New(testConfig(3)), New(testConfig(3))
		again.Step(time.Unix(2000, 0), Started{Records: records})
		rewritten.Step(time.Unix(2000, 0), Started{Records: m.Snapshot()})
		if a, b := again.reregistration(), rewritten.reregistration(); len(a.GetTasks()) != len(b.GetTasks()) || len(again.containers) != len(rewritten.containers) {
			t.Errorf("the journal has %d tasks in %d containers, and rewritten %d in %d",
				len(a.GetTasks()), len(again.containers), len(b.GetTasks()), len(rewritten.containers))
		}
	})
}
