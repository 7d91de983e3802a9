package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Apps run in the role that they or their group name, which the framework comes to
// have, also in its next life; what they have reserved is freed when they are gone.
func TestServiceRoles(t *testing.T) {
	c := newWorld(t).separate()
	store := filepath.Join(c.dir, "state")
	s := c.service(store)
	s.leads()
	s.does(http.MethodPost, "/v2/apps", c.webApp("/plain", "one", 1, ""))
	s.does(http.MethodPost, "/v2/apps", c.webApp("/blue", "one", 1, `, "role": "blue"`))
	s.does(http.MethodPut, "/v2/groups/green", `{"enforceRole": true, "apps": [{"id": "keeps", "cmd": "echo x >data/x; sleep 1000", "cpus": 0.1, "mem": 32,
		"container": {"type": "MESOS", "volumes": [{"containerPath": "data", "mode": "RW", "persistent": {"size": 10}}]}}]}`)
	s.settled("/plain", 1)
	s.settled("/blue", 1)
	eventually(t, "/green/keeps runs", func() bool {
		a, _ := s.app("/green/keeps")
		return a.TasksRunning == 1
	})
	s.kill()
	s = c.serviceAt(s.at, store)
	s.leads()
	if got := c.rolesOf("service"); !slices.Equal(got, []string{"*", "blue", "green"}) {
		t.Errorf("the framework's roles are %q", got)
	}
	s.does(http.MethodPut, "/v2/apps//blue", `{"instances": 2}`)
	s.settled("/blue", 2)
	s.does(http.MethodDelete, "/v2/groups?force=true", "")
	eventually(t, "nothing is reserved any more", func() bool {
		return !strings.Contains(get(t, c.masterPort, "/slaves"), `"persistence"`) && !strings.Contains(get(t, c.masterPort, "/slaves"), `"green"`)
	})
	eventually(t, "no server is left", func() bool { return len(c.servers()) == 0 })
	s.kill()
	c.end()
}

// rolesOf are the roles of the framework of a name.
func (c *cluster) rolesOf(name string) (roles []string) {
	c.t.Helper()
	var state struct {
		Frameworks []struct {
			Name  string
			Roles []string
		}
	}
	eventually(c.t, "the framework has its roles", func() bool {
		if err := json.Unmarshal([]byte(get(c.t, c.masterPort, "/state")), &state); err != nil {
			c.t.Fatal(err)
		}
		for _, f := range state.Frameworks {
			if f.Name == name {
				roles = f.Roles
			}
		}
		return len(roles) > 1
	})
	slices.Sort(roles)
	return roles
}
