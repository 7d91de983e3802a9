package core

import (
	"fmt"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func asks(framework, agent, amount string) *cluster.RequestResources {
	r := &mesos.Request{Resources: list(amount)}
	if agent != "" {
		r.AgentId = agentIDOf(agent)
	}
	return &cluster.RequestResources{FrameworkId: frameworkIDOf(framework), Requests: []*mesos.Request{r}}
}

// Of equals, f comes first by its name, unless g asked.
func TestRequestsSteerAmongEquals(t *testing.T) {
	const big = "cpus:8;mem:1024"
	tests := []struct {
		name    string
		request proto.Message
		to      string
	}{
		{"no request", nil, "f"},
		{"for the agent", asks("g", "s1", "cpus:1"), "g"},
		{"for another agent", asks("g", "s2", "cpus:1"), "f"},
		{"for as much as is there", asks("g", "", big), "g"},
		{"for more", asks("g", "", "cpus:9"), "f"},
		{"for anything", &cluster.RequestResources{FrameworkId: frameworkIDOf("g"), Requests: []*mesos.Request{{}}}, "g"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.send(addFramework("f", "*"), addFramework("g", "*"))
			if test.request != nil {
				r.send(test.request)
			}
			r.send(addAgent("s1", big))
			r.want("s1 to " + test.to + "/*: cpus:8; mem:1024")
		})
	}
}

func TestRequestsDoNotBeatALowerShare(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("g", "*"), addAgent("s1", whole))
	r.want("s1 to g/*: cpus:4; mem:1024")
	r.send(addFramework("f", "*"), asks("g", "", "cpus:1"), addAgent("s2", whole))
	r.want("s2 to f/*: cpus:4; mem:1024")
}

func TestARequestIsFulfilledOnce(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addFramework("g", "*"), asks("g", "", "cpus:1"), addAgent("s1", whole))
	r.want("s1 to g/*: cpus:4; mem:1024")
	r.send(recoverFrom("g", "*", "s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024") // which had fewer allocations
}

func TestRequestsExpire(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addFramework("g", "*"), asks("g", "", "cpus:1"))
	r.advance(requestLife)
	r.send(addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
}

func TestRequestsAreBounded(t *testing.T) {
	r := newRig(t, Options{})
	for i := range 2 * maxAskers {
		id := fmt.Sprint("f", i)
		m := asks(id, "", "cpus:1")
		for range 2 * maxRequests {
			m.Requests = append(m.Requests, m.Requests[0])
		}
		r.send(addFramework(id, "*"), m)
	}
	kept := 0
	for _, f := range r.a.frameworks {
		kept += len(f.requests)
	}
	if len(r.a.askers) > maxAskers || kept > maxAskers*maxRequests {
		t.Errorf("%d requests of %d frameworks are kept", kept, len(r.a.askers))
	}
	r.send(addAgent("s1", whole))
	r.advance(time.Second)
	if n := len(r.take()); n != 1 {
		t.Errorf("%d allocations of one agent", n)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	r := newRig(t, Options{})
	r.refuses(asks("f", "", "cpus:1"), "framework_id")
	r.send(addFramework("f", "*"))
	bad := asks("f", "", "cpus:1")
	bad.Requests[0].Resources[0].Scalar.Value = proto.Float64(math.Inf(1))
	r.refuses(bad, "requests[0]")
}
