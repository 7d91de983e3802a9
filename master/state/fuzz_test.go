package state

import (
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos/scheduler"
)

// fuzzed are the messages that masters take, of anybody.
func fuzzed() []proto.Message {
	return []proto.Message{
		&scheduler.Call{}, &cluster.RegisterAgent{}, &cluster.ReregisterAgent{}, &cluster.UnregisterAgent{}, &cluster.StatusUpdate{},
		&cluster.ExecutorExited{}, &cluster.ExecutorMessage{}, &cluster.Allocations{}, &cluster.KillTaskRequest{}, &cluster.TeardownRequest{},
		&cluster.AgentHindered{},
		&cluster.AgentRequest{}, &cluster.OperationUpdate{}, &cluster.OperationRequest{}, &cluster.UpdateAgentResources{}, &cluster.Preempt{},
	}
}

// FuzzReceived: whatever bytes become a message of whomever, the master's
// books are in order afterwards, and it serves the next.
func FuzzReceived(f *testing.F) {
	peers := []Peer{"s@s:0#1", "agent@h1:5051#a", "allocator@m:5050", "x@x:1#9"}
	for i, text := range map[byte]string{
		0: `type: ACCEPT framework_id {value: "M-0000"} accept { offer_ids {value: "M-O0"} operations { type: LAUNCH launch { task_infos { name: "t" task_id {value: "t"} agent_id {value: "M-S0"} command { value: "true" } } } } }`,
		1: `agent { hostname: "h" resources { name: "cpus" type: SCALAR scalar { value: 1e300 } } }`,
		4: `framework_id {value: "M-0000"} agent_id {value: "M-S0"} status { task_id {value: "t"} state: TASK_RUNNING uuid: "0123456789abcdef" }`,
		7: `epoch: 1 allocations { framework_id {value: "M-0000"} role: "*" agent_id {value: "M-S0"} resources { name: "cpus" type: SCALAR scalar { value: 1 } } }`,
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
	f.Add(byte(4), byte(1), []byte("\x0a\x08\x0a\x06M-0000\x12\x06\x0a\x04M-S0")) // an update without a status
	f.Fuzz(func(t *testing.T, typ, from byte, b []byte) {
		m := fuzzed()[int(typ)%len(fuzzed())]
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(b, m) != nil {
			return
		}
		s := &scenario{
			t: t, now: time.Unix(1000, 0), principals: make(map[Peer]string),
			cfg: Config{MasterID: "M", Allocator: "allocator@m:5050"},
		}
		for _, line := range []string{
			"start",
			`recv agent@h1:5051#a RegisterAgent agent { hostname: "h1" res(cpus:4;mem:1024) }`,
			`recv s@s:0#1 Call type: SUBSCRIBE subscribe { framework_info { user: "u" name: "n" } }`,
			`recv allocator@m:5050 Allocations epoch: 1 allocations { framework_id id(M-0000) role: "*" agent_id id(M-S0) res(cpus:1;mem:32) }`,
		} {
			s.command(line)
		}
		for range 2 {
			s.step(Received{From: peers[int(from)%len(peers)], Message: m})
		}
		s.out.Reset()
		s.command(`recv o@o:0#1 Call type: SUBSCRIBE subscribe { framework_info { user: "u" name: "other" } }`)
		if s.out.Len() == 0 {
			t.Error("the next scheduler is not served")
		}
	})
}
