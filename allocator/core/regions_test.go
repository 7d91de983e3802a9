package core

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func domain(region string) *mesos.DomainInfo {
	if region == "" {
		return nil
	}
	return &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
		Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: &region},
		Zone:   &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: proto.String("z")},
	}}
}

func TestAgentsOfOtherRegions(t *testing.T) {
	tests := []struct {
		name, master, agent string
		aware, offered      bool
	}{
		{"the same region", "r1", "r1", false, true},
		{"another", "r1", "r2", false, false},
		{"another, to the aware", "r1", "r2", true, true},
		{"an agent of none", "r1", "", false, true},
		{"a master of none", "", "r2", false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, Options{})
			f, g := addFramework("f", "*"), addAgent("s1", whole)
			g.Agent.Domain = domain(test.agent)
			if test.aware {
				f.Framework.Capabilities = capabilities(mesos.FrameworkInfo_Capability_MULTI_ROLE, mesos.FrameworkInfo_Capability_REGION_AWARE)
			}
			r.send(&cluster.StartAllocator{Epoch: proto.Uint64(2), Domain: domain(test.master)}, f, g)
			if test.offered {
				r.want("s1 to f/*: cpus:4; mem:1024")
			} else {
				r.want()
			}
		})
	}
}

// What nobody may have is not shown to each client, but to those who come.
func TestWhatNobodyMayHaveWaits(t *testing.T) {
	m := addAgent("s1", "")
	m.Agent.Resources = reservedFor("b", "cpus:4")
	r := newRig(t, Options{})
	r.send(addFramework("f", "a"), m)
	looks := r.a.Stats().Looks
	r.want()
	if got := r.a.Stats().Looks; got != looks {
		t.Errorf("%d looks for what is reserved for others", got-looks)
	}
	r.send(addFramework("g", "b"))
	r.want("s1 to g/b: cpus(b):4")
}
