package main

import (
	"fmt"
	"net/http"
)

// disk is some disk that is reserved for the role web, and a volume unless
// volume is empty.
func disk(amount int, volume string) string {
	text := fmt.Sprintf(`{"name": "disk", "type": "SCALAR", "scalar": {"value": %d}, "reservations": [{"type": "DYNAMIC", "role": "web"}]`, amount)
	if volume != "" {
		text += fmt.Sprintf(`, "disk": {"persistence": {"id": %q}, "volume": {"container_path": "data", "mode": "RW"}}`, volume)
	}
	return text + "}"
}

// conversions are what operators make of an agent's resources, and back.
func (s *script) conversions(in *chapter) error {
	taken := http.StatusAccepted
	id := fmt.Sprintf(`"agent_id": {"value": %q}`, s.agent)
	if err := s.calls(in, s.c.master, operatorPath, nil, []call{
		{
			taken, "RESERVE_RESOURCES", "Answered when the agent has done it, as the five that follow; the offers that it needs are rescinded. 409 when it is not there or used.",
			`"reserve_resources": {` + id + `, "resources": [` + disk(1024, "") + `]}`,
		},
		{taken, "CREATE_VOLUMES", "", `"create_volumes": {` + id + `, "volumes": [` + disk(512, "database") + `]}`},
		{taken, "GROW_VOLUME", "", `"grow_volume": {` + id + `, "volume": ` + disk(512, "database") + `, "addition": ` + disk(256, "") + `}`},
		{taken, "SHRINK_VOLUME", "", `"shrink_volume": {` + id + `, "volume": ` + disk(768, "database") + `, "subtract": {"value": 256}}`},
		{taken, "DESTROY_VOLUMES", "With all data in them; 400 when a task uses one.", `"destroy_volumes": {` + id + `, "volumes": [` + disk(512, "database") + `]}`},
		{taken, "UNRESERVE_RESOURCES", "", `"unreserve_resources": {` + id + `, "resources": [` + disk(1024, "") + `]}`},
	}); err != nil {
		return err
	}
	for _, f := range []struct{ path, key, list string }{
		{"/reserve", "resources", disk(1024, "")},
		{"/create-volumes", "volumes", disk(512, "database")},
		{"/destroy-volumes", "volumes", disk(512, "database")},
		{"/unreserve", "resources", disk(1024, "")},
	} {
		if _, err := s.example(in, taken, "`POST "+f.path+"`", "", request{
			to: s.c.master, method: http.MethodPost, path: f.path,
			headers: []string{"Content-Type: application/x-www-form-urlencoded"}, body: "slaveId=" + s.agent + "&" + f.key + "=[" + f.list + "]",
		}); err != nil {
			return err
		}
	}
	return nil
}
