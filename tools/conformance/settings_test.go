package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"troupe/messages/mesos/master"
	"troupe/tools/mesosclient"
)

// badSetting is what must not be set: as a call of /api/v1, by the route from
// before the calls, and by the command; what is empty is not said that way.
type badSetting struct {
	name, call         string
	method, path, body string // of POST, unless it is said; a form for operations
	command            []string
	says               string // a pattern, of the field, the value and the reason
	// Of the older route where Mesos answers it otherwise than 400, which all
	// others are.
	older int
}

// badSettings are the rows; AGENT stands for the agent's id.
var badSettings = []badSetting{
	{
		name:    "a guarantee beyond the cluster",
		call:    `UPDATE_QUOTA {"quota_configs":[{"role":"web","guarantees":{"mem":{"value":1}}},{"role":"huge","guarantees":{"cpus":{"value":1000}}}]}`,
		path:    "/quota",
		body:    `{"role":"huge","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1000}}]}`,
		command: []string{"quota", "set", "huge", "--guarantee=cpus:1000"},
		says:    `guarantees\[cpus\]: "1000": .* 1000, .*has 8; force`, older: http.StatusConflict,
	},
	{
		name:    "a guarantee of what nobody has",
		call:    `UPDATE_QUOTA {"quota_configs":[{"role":"web","guarantees":{"magic":{"value":1}}}]}`,
		command: []string{"quota", "set", "web", "--guarantee=magic:1"},
		says:    `guarantees\[magic\]: "1": .*has 0`,
	},
	{
		name:    "a limit below the guarantee",
		call:    `UPDATE_QUOTA {"quota_configs":[{"role":"web","guarantees":{"cpus":{"value":2}},"limits":{"cpus":{"value":1.999}}}]}`,
		command: []string{"quota", "set", "web", "--guarantee=cpus:2", "--limit=cpus:1.999"},
		says:    `guarantees\[cpus\]: "2": is above the limit, 1\.999`,
	},
	{
		name: "a limit below what is consumed",
		call: `UPDATE_QUOTA {"quota_configs":[{"role":"web","limits":{"cpus":{"value":1}}},{"role":"static","limits":{"disk":{"value":1}}}]}`,
		says: `quota_configs\[1\]\.limits\[disk\]: "1": is below the 24`,
	},
	{
		name: "an amount below 0",
		call: `UPDATE_QUOTA {"quota_configs":[{"role":"web","guarantees":{"cpus":{"value":-1}}}]}`,
		path: "/quota", body: `{"role":"web","guarantee":[{"name":"mem","type":"SCALAR","scalar":{"value":1}},{"name":"cpus","type":"SCALAR","scalar":{"value":-1}}]}`,
		command: []string{"quota", "set", "web", "--guarantee=cpus:-1"},
		says:    `(guarantees\[cpus\]|guarantee\[1\]\.\(cpus\)\.scalar\.value|--guarantee.*position 1\.\(cpus\)).*-1.*negative`,
	},
	{
		name: "an amount that no scalar can hold",
		call: `UPDATE_QUOTA {"quota_configs":[{"role":"web","limits":{"cpus":{"value":1e300}}}]}`,
		path: "/quota", body: `{"role":"web","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1e300}}]}`,
		says: `(limits\[cpus\]|guarantee\[0\]\.\(cpus\)\.scalar\.value): 1e\+300: is above`,
	},
	{
		name: "a quota of a role that cannot be",
		call: `UPDATE_QUOTA {"quota_configs":[{"role":"web","limits":{"cpus":{"value":1}}},{"role":"a b","limits":{"cpus":{"value":1}}}]}`,
		path: "/quota", body: `{"role":"a b","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}`,
		command: []string{"quota", "set", "a b", "--limit=cpus:1"},
		says:    `quota_configs\[.\]\.role: "a b": must not contain " "`,
	},
	{
		name: "a quota below another role",
		call: `UPDATE_QUOTA {"quota_configs":[{"role":"web/a","limits":{"cpus":{"value":1}}}]}`,
		path: "/quota", body: `{"role":"web/a","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}`,
		command: []string{"quota", "set", "web/a", "--limit=cpus:1"},
		says:    `quota_configs\[0\]\.role: "web/a": is below another role`,
	},
	{
		name: "a quota of a role twice",
		call: `UPDATE_QUOTA {"quota_configs":[{"role":"web","limits":{"cpus":{"value":1}}},{"role":"web","limits":{"cpus":{"value":2}}}]}`,
		says: `quota_configs\[1\]\.role: "web": is there twice`,
	},
	{
		name: "a quota for a role that the master does not allow",
		call: `UPDATE_QUOTA {"quota_configs":[{"role":"web","limits":{"cpus":{"value":1}}},{"role":"other","limits":{"cpus":{"value":1}}}]}`,
		path: "/quota", body: `{"role":"other","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}`,
		command: []string{"quota", "set", "other", "--limit=cpus:1"},
		says:    `quota_configs\[.\]\.role: "other": is not among the roles`,
	},
	{
		name: "a guarantee of ports",
		path: "/quota", body: `{"role":"web","guarantee":[{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":2}]}}]}`,
		command: []string{"quota", "set", "web", "--guarantee=ports:[1-2]"},
		says:    `guarantee\[0\]\.type: "RANGES"|--guarantee.*ports`,
	},
	{
		name: "no quota to take away", method: http.MethodDelete, path: "/quota/web",
		says: `role: "web": has no quota`,
	},
	{
		name: "no weight at all",
		call: `UPDATE_WEIGHTS {"weight_infos":[{"role":"web","weight":2},{"role":"static","weight":0}]}`,
		path: "/weights", method: http.MethodPut, body: `[{"role":"web","weight":2},{"role":"static","weight":0}]`,
		command: []string{"weights", "set", "web=2", "static=0"},
		says:    `weight_infos\[1\]\.weight: 0: must be a number above 0`,
	},
	{
		name: "a weight below 0",
		call: `UPDATE_WEIGHTS {"weight_infos":[{"role":"web","weight":2},{"role":"static","weight":-1}]}`,
		path: "/weights", method: http.MethodPut, body: `[{"role":"web","weight":2},{"role":"static","weight":-1}]`,
		command: []string{"weights", "set", "web=2", "static=-1"},
		says:    `weight_infos\[1\]\.weight: -1: must be a number above 0`,
	},
	{
		name: "a weight that is next to nothing",
		call: `UPDATE_WEIGHTS {"weight_infos":[{"role":"web","weight":1e-320}]}`,
		path: "/weights", method: http.MethodPut, body: `[{"role":"web","weight":1e-320}]`,
		command: []string{"weights", "set", "web=1e-320"},
		says:    `weight_infos\[0\]\.weight: 1e-320: must be from`,
	},
	{
		name: "a weight of a role that cannot be",
		call: `UPDATE_WEIGHTS {"weight_infos":[{"role":"web/../a","weight":1}]}`,
		path: "/weights", method: http.MethodPut, body: `[{"role":"web/../a","weight":1}]`,
		command: []string{"weights", "set", "web/../a=1"},
		says:    `weight_infos\[0\]\.role: "web/\.\./a": must not have a component`,
	},
	{
		name: "a weight for a role that the master does not allow",
		call: `UPDATE_WEIGHTS {"weight_infos":[{"role":"web","weight":2},{"role":"other","weight":2}]}`,
		path: "/weights", method: http.MethodPut, body: `[{"role":"web","weight":2},{"role":"other","weight":2}]`,
		command: []string{"weights", "set", "web=2", "other=2"},
		says:    `weight_infos\[1\]\.role: "other": is not among the roles`,
	},
	{
		name: "a reservation for everybody",
		call: reserves(`{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"*"}]}`),
		path: "/reserve", body: `{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"*"}]}`,
		command: []string{"reservations", "set", "r", "*", "cpus:1"},
		says:    `role: "\*": cannot be reserved for`,
	},
	{
		name: "a reservation for a role that cannot be, behind one that could",
		call: reserves(`{"name":"mem","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"web"}]},{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"/a"}]}`),
		path: "/reserve", body: `{"name":"mem","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"web"}]},{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"/a"}]}`,
		command: []string{"reservations", "set", "r", "/a", "cpus:1"},
		says:    `(resources\[1\]\.\(cpus\)\.reservations\[0\]\.)?role: "/a": must not`,
	},
	{
		name: "a refinement for a role elsewhere in the tree",
		call: reserves(`{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"web"},{"type":"DYNAMIC","role":"static"}]}`),
		path: "/reserve", body: `{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"web"},{"type":"DYNAMIC","role":"static"}]}`,
		says: `resources\[0\]\.\(cpus\)\.reservations\[1\]\.role: "static": must be below "web"`,
	},
	{
		name: "a reservation for a role that the master does not allow",
		call: reserves(`{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"other"}]}`),
		path: "/reserve", body: `{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"other","reservation":{}}`,
		command: []string{"reservations", "set", "r", "other", "cpus:1"},
		says:    `role: "other": is not among the roles`,
	},
	{
		name: "a reservation of less than nothing",
		call: reserves(`{"name":"cpus","type":"SCALAR","scalar":{"value":-1},"reservations":[{"type":"DYNAMIC","role":"web"}]}`),
		path: "/reserve", body: `{"name":"cpus","type":"SCALAR","scalar":{"value":-1},"reservations":[{"type":"DYNAMIC","role":"web"}]}`,
		command: []string{"reservations", "set", "r", "web", "cpus:-1"},
		says:    `-1.*negative`,
	},
	{
		name: "a reservation of ports from the end to the beginning",
		call: reserves(`{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":31002,"end":31001}]},"reservations":[{"type":"DYNAMIC","role":"web"}]}`),
		path: "/reserve", body: `{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":31002,"end":31001}]},"reservations":[{"type":"DYNAMIC","role":"web"}]}`,
		says: `resources\[0\]\.\(ports\)\.ranges\.range\[0\]\.end: 31001: is below begin`,
	},
	{
		name: "a reservation of something without an amount",
		call: reserves(`{"name":"cpus","type":"SCALAR","reservations":[{"type":"DYNAMIC","role":"web"}]}`),
		path: "/reserve", body: `{"name":"cpus","type":"SCALAR","reservations":[{"type":"DYNAMIC","role":"web"}]}`,
		says: `resources\[0\]\.\(cpus\)\.scalar: must be set`,
	},
	{
		name: "a reservation of half of a GPU",
		call: reserves(`{"name":"gpus","type":"SCALAR","scalar":{"value":0.5},"reservations":[{"type":"DYNAMIC","role":"web"}]}`),
		path: "/reserve", body: `{"name":"gpus","type":"SCALAR","scalar":{"value":0.5},"reservations":[{"type":"DYNAMIC","role":"web"}]}`,
		command: []string{"reservations", "set", "r", "web", "gpus:0.5"},
		says:    `0\.5.*whole`,
	},
	{
		name: "a static reservation taken back", path: "/unreserve",
		call: `UNRESERVE_RESOURCES {"agent_id":{"value":"AGENT"},"resources":[{"name":"disk","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"static"}]}]}`,
		body: `{"name":"disk","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"static"}]}`,
		says: `resources\[0\].*static`,
	},
	{
		name: "a volume whose name leads elsewhere",
		call: `CREATE_VOLUMES {"agent_id":{"value":"AGENT"},"volumes":[{"name":"disk","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"static"}],"disk":{"persistence":{"id":"../v"},"volume":{"mode":"RW","container_path":"d"}}}]}`,
		path: "/create-volumes", body: `{"name":"disk","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"static"}],"disk":{"persistence":{"id":"../v"},"volume":{"mode":"RW","container_path":"d"}}}`,
		says: `volumes\[0\]\.\(disk\)\.disk\.persistence\.id: "\.\./v"`,
	},
	{
		name: "a volume of what is not reserved",
		call: `CREATE_VOLUMES {"agent_id":{"value":"AGENT"},"volumes":[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"persistence":{"id":"v"},"volume":{"mode":"RW","container_path":"d"}}}]}`,
		path: "/create-volumes", body: `{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"persistence":{"id":"v"},"volume":{"mode":"RW","container_path":"d"}}}`,
		says: `volumes\[0\].*reserv`,
	},
	{
		name: "a volume that is not there",
		call: `DESTROY_VOLUMES {"agent_id":{"value":"AGENT"},"volumes":[{"name":"disk","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"static"}],"disk":{"persistence":{"id":"v"},"volume":{"mode":"RW","container_path":"d"}}}]}`,
		path: "/destroy-volumes", body: `{"name":"disk","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"static"}],"disk":{"persistence":{"id":"v"},"volume":{"mode":"RW","container_path":"d"}}}`,
		says: `volumes\[0\].*id: "v": is not a volume there`,
	},
	{
		name: "more than all of the cluster", command: []string{"reservations", "set", "r", "web", "cpus:101%"},
		says: `101.*100`,
	},
	{
		name: "maintenance of nothing", path: "/maintenance/schedule",
		call: `UPDATE_MAINTENANCE_SCHEDULE {"schedule":{"windows":[{"machine_ids":[{"hostname":"h"}],"unavailability":{"start":{"nanoseconds":1}}},{"machine_ids":[],"unavailability":{"start":{"nanoseconds":1}}}]}}`,
		body: `{"windows":[{"machine_ids":[{"hostname":"h"}],"unavailability":{"start":{"nanoseconds":1}}},{"machine_ids":[],"unavailability":{"start":{"nanoseconds":1}}}]}`,
		says: `schedule\.windows\[1\]\.machine_ids: is empty`,
	},
	{
		name: "maintenance of a machine twice", path: "/maintenance/schedule",
		call:    `UPDATE_MAINTENANCE_SCHEDULE {"schedule":{"windows":[{"machine_ids":[{"hostname":"h"},{"hostname":"H"}],"unavailability":{"start":{"nanoseconds":1}}}]}}`,
		body:    `{"windows":[{"machine_ids":[{"hostname":"h"},{"hostname":"H"}],"unavailability":{"start":{"nanoseconds":1}}}]}`,
		command: []string{"maintenance", "plan", "h", "H"},
		says:    `schedule\.windows\[0\]\.machine_ids\[1\]: "h.*": is there twice`,
	},
	{
		name: "a machine down that is not planned", path: "/machine/down",
		call:    `START_MAINTENANCE {"machines":[{"hostname":"h"}]}`,
		body:    `[{"hostname":"h"}]`,
		command: []string{"maintenance", "down", "h"},
		says:    `machines\[0\]: "h": is not part of a maintenance schedule`,
	},
	{
		name: "a machine up that is not down", path: "/machine/up",
		call:    `STOP_MAINTENANCE {"machines":[{"hostname":"h"}]}`,
		body:    `[{"hostname":"h"}]`,
		command: []string{"maintenance", "up", "h"},
		says:    `machines\[0\]: "h": is not part of a maintenance schedule`,
	},
}

func reserves(what string) string {
	return `RESERVE_RESOURCES {"agent_id":{"value":"AGENT"},"resources":[` + what + `]}`
}

// Whatever is set wrongly is answered with 400, the field and the reason, by
// whichever way it is said, and nothing of it is done.
func TestBadSettings(t *testing.T) {
	c := newWorld(t)
	c.masterFlags = []string{"--roles=web,static,huge"}
	c.agentFlags = []string{"--resources=cpus:8;mem:2048;disk:1000;disk(static):24;ports:[31000-31099];gpus:2"}
	c.start()
	o := &operator{t, c.operate()}
	agent := o.agent().GetAgentInfo().GetId().GetValue()
	before := c.settings()
	for _, bad := range badSettings {
		t.Run(bad.name, func(t *testing.T) {
			says := regexp.MustCompile(bad.says)
			if bad.call != "" {
				bad.refusedAsCall(t, c, agent, says)
			}
			if bad.path != "" {
				bad.refusedByRoute(t, c, agent, says)
			}
			if bad.command != nil {
				bad.refusedAsCommand(t, c, says)
			}
			if now := c.settings(); now != before {
				t.Errorf("something was set: %s\nbefore: %s", now, before)
			}
		})
	}
}

// settings is all that rows could change.
func (c *cluster) settings() string {
	var all []string
	for _, path := range []string{"/quota", "/weights", "/maintenance/schedule", "/reservations"} {
		all = append(all, c.get(path))
	}
	reserved := regexp.MustCompile(`"reserved_resources":\{.*?\}\}`).FindString(c.get("/slaves"))
	return strings.Join(append(all, reserved), "\n")
}

func (bad badSetting) refusedAsCall(t *testing.T, c *cluster, agent string, says *regexp.Regexp) {
	t.Helper()
	kind, part, _ := strings.Cut(strings.ReplaceAll(bad.call, "AGENT", agent), " ")
	text := fmt.Sprintf(`{"type":%q,%q:%s}`, kind, strings.ToLower(kind), part)
	call := new(master.Call)
	if err := (mesosclient.JSON{}).Unmarshal([]byte(text), call); err != nil {
		t.Fatal(err)
	}
	for _, enc := range mesosclient.Encodings() {
		e := c.at(c.master, mesosclient.OperatorPath, enc)
		a, err := e.Post(t.Context(), []byte(encoded(t, enc, call)), nil)
		if err != nil || a.Status != http.StatusBadRequest || !says.Match(a.Body) {
			t.Errorf("%s in %s: %v, %v; want 400 %q", kind, enc.MediaType(), a, err, says)
		}
	}
}

func (bad badSetting) refusedByRoute(t *testing.T, c *cluster, agent string, says *regexp.Regexp) {
	t.Helper()
	method, body, status := bad.method, bad.body, bad.older
	if method == "" {
		method = http.MethodPost
	}
	if status == 0 {
		status = http.StatusBadRequest
	}
	media := "application/json"
	switch bad.path {
	case "/reserve", "/unreserve":
		body, media = url.Values{"slaveId": {agent}, "resources": {"[" + body + "]"}}.Encode(), "application/x-www-form-urlencoded"
	case "/create-volumes", "/destroy-volumes":
		body, media = url.Values{"slaveId": {agent}, "volumes": {"[" + body + "]"}}.Encode(), "application/x-www-form-urlencoded"
	}
	a := raw(t, c.master, mesosclient.Head(method, bad.path, "Content-Type: "+media, fmt.Sprint("Content-Length: ", len(body)))+body)
	if a.Status != status || !says.Match(a.Body) {
		t.Errorf("%s %s: %s; want %d %q", method, bad.path, a, status, says)
	}
}

func (bad badSetting) refusedAsCommand(t *testing.T, c *cluster, says *regexp.Regexp) {
	t.Helper()
	cmd := c.Command(append(bad.command, "--master="+c.master)...)
	if out, err := cmd.CombinedOutput(); err == nil || !says.Match(out) {
		t.Errorf("troupe %s: %v, %s; want %q", strings.Join(bad.command, " "), err, out, says)
	}
}
