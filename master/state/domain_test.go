package state

import (
	"testing"

	"troupe/messages/mesos"
)

func domain(region, zone string) *mesos.DomainInfo {
	return &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
		Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: &region}, Zone: &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: &zone},
	}}
}

func TestDomainsOfAgents(t *testing.T) {
	here, far := domain("r1", "z1"), domain("r2", "z1")
	for _, c := range []struct {
		name          string
		master, agent *mesos.DomainInfo
		require       bool
		want          string
	}{
		{name: "nobody says where", want: ""},
		{name: "only the master", master: here, want: ""},
		{name: "only the agent", agent: here, want: `agent.domain: "r1": must not be set: this master has no domain itself`},
		{name: "one region", master: here, agent: here, want: ""},
		{name: "two regions", master: here, agent: far, require: true, want: ""},
		{name: "required", master: here, require: true, want: `agent.domain: must be set: this master takes no agent without`},
	} {
		m := &Machine{cfg: Config{Info: &mesos.MasterInfo{Domain: c.master}, Admission: Admission{RequireAgentDomain: c.require}}}
		got := ""
		if _, err := m.checkAgent(&mesos.AgentInfo{Hostname: new("h"), Domain: c.agent}, nil); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
