package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// The principals that asking clusters know, and a secret that nobody may see.
const (
	aliceSecret = "wonder:land"
	bobSecret   = "the builder"
)

// asking is a cluster that asks everybody; the test is alice.
func asking(t *testing.T) *cluster {
	t.Helper()
	c := newWorld(t)
	file := func(name, text string) string {
		path := filepath.Join(c.Dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	known := file("credentials.json", fmt.Sprintf(
		`{"credentials":[{"principal":"alice","secret":%q},{"principal":"bob","secret":%q}]}`, aliceSecret, bobSecret))
	everybody := []string{"--authenticate_http_readonly", "--authenticate_http_readwrite"}
	c.masterFlags = append([]string{"--credentials=file://" + known, "--authenticate_http_frameworks"}, everybody...)
	c.agentFlags = append([]string{"--http_credentials=" + known, "--authenticate_http_executors", "--jwt_secret_key=" + file("key", "a key\n")}, everybody...)
	c.as.Authorization = mesosclient.Basic("alice", aliceSecret)
	return c.start()
}

// asked is a path that belongs to a realm, "" if anybody may ask there.
type asked struct{ method, path, realm string }

func TestStrangersAreAskedWhoTheyAre(t *testing.T) {
	c := asking(t)
	const read, write, frameworks = "mesos-master-readonly", "mesos-master-readwrite", "mesos-master-scheduler"
	strangers(t, c.master, "/master", []asked{
		{"GET", "/health", ""},
		{"GET", "/version", ""},
		{"GET", "/leader", ""},
		{"GET", "/redirect", ""},
		{"GET", "/state", read},
		{"GET", "/state.json", read},
		{"GET", "/state-summary", read},
		{"GET", "/slaves", read},
		{"GET", "/frameworks", read},
		{"GET", "/tasks", read},
		{"GET", "/roles", read},
		{"GET", "/flags", read},
		{"GET", "/metrics/snapshot", read},
		{"GET", "/metrics/targets", read},
		{"GET", "/frameworks/F/metrics", read},
		{"GET", "/frameworks/F/debug/pprof/heap", write},
		{"GET", "/files/browse", read},
		{"GET", "/files/read", read},
		{"GET", "/files/download", read},
		{"GET", "/files/debug", read},
		{"GET", "/maintenance/status", read},
		{"GET", "/maintenance/schedule", write},
		{"POST", "/machine/down", write},
		{"POST", "/machine/up", write},
		{"GET", "/quota", write},
		{"DELETE", "/quota/role", write},
		{"GET", "/weights", write},
		{"POST", "/reserve", write},
		{"POST", "/unreserve", write},
		{"POST", "/create-volumes", write},
		{"POST", "/destroy-volumes", write},
		{"POST", "/teardown", write},
		{"POST", "/api/v1", write},
		{"GET", "/api/v1", write},
		{"POST", "/api/v1/scheduler", frameworks},
		{"GET", "/nothing/is/here", read},
	})
	strangers(t, c.master, "", processWide(read, write))
	const agentRead, agentWrite = "mesos-agent-readonly", "mesos-agent-readwrite"
	strangers(t, c.agent, "/slave(1)", []asked{
		{"GET", "/health", ""},
		{"GET", "/version", ""},
		{"GET", "/state", agentRead},
		{"GET", "/flags", agentRead},
		{"GET", "/containers", agentRead},
		{"GET", "/monitor/statistics", agentRead},
		{"GET", "/metrics/snapshot", agentRead},
		{"GET", "/metrics/processes", agentRead},
		{"GET", "/hosts/H1/metrics", agentRead},
		{"GET", "/hosts/H1/debug/pprof/heap", agentWrite},
		{"GET", "/files/browse", agentRead},
		{"GET", "/files/read", agentRead},
		{"POST", "/api/v1", agentWrite},
		{"POST", "/api/v1/executor", "mesos-agent-executor"},
	})
	strangers(t, c.agent, "", processWide(agentRead, agentWrite))
	c.secretsAreKept()
}

// processWide are paths of every process.
func processWide(read, write string) []asked {
	return []asked{
		{"GET", "/system/stats.json", ""},
		{"GET", "/help", ""},
		{"GET", "/metrics", read},
		{"GET", "/actors", read},
		{"GET", "/__processes__", read},
		{"GET", "/logging/toggle", write},
		{"GET", "/debug/pprof/", write},
	}
}

// strangers asks as nobody, as somebody unknown, and as alice.
func strangers(t *testing.T, address, prefix string, all []asked) {
	t.Helper()
	for _, a := range all {
		for _, path := range []string{a.path, prefix + a.path} {
			for who, authorization := range map[string]string{
				"nobody": "", "eve": mesosclient.Basic("eve", aliceSecret), "bob with alice's secret": mesosclient.Basic("bob", aliceSecret),
				"alice without a secret": mesosclient.Basic("alice", ""), "a bearer of nothing": "Bearer x.y.z",
			} {
				status, body, challenge := ask(t, a.method, address, path, authorization)
				if a.realm == "" {
					if status == http.StatusUnauthorized {
						t.Errorf("%s %s: %s is asked who it is", a.method, path, who)
					}
					continue
				}
				// An agent that knows tokens says so too.
				want := `Basic realm="` + a.realm + `"`
				if status != http.StatusUnauthorized || !strings.HasPrefix(challenge, want) || !strings.HasSuffix(body, "401 Unauthorized.") {
					t.Errorf("%s %s as %s: %d %q, WWW-Authenticate %s", a.method, path, who, status, body, challenge)
				}
			}
			if status, body, _ := ask(t, a.method, address, path, mesosclient.Basic("alice", aliceSecret)); status == http.StatusUnauthorized {
				t.Errorf("%s %s as alice: %d %q", a.method, path, status, body)
			}
		}
	}
}

func ask(t *testing.T, method, address, path, authorization string) (status int, body, challenge string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header.Get("WWW-Authenticate")
}

// secretsAreKept sees that no daemon tells a secret, by what it shows or logs.
func (c *cluster) secretsAreKept() {
	c.t.Helper()
	texts := map[string]string{"the master's log": c.masterProcess.Err.String(), "the agent's log": c.agentProcess.Err.String()}
	for _, address := range []string{c.master, c.agent} {
		for _, path := range []string{"/flags", "/state", "/actors"} {
			_, texts[address+path], _ = ask(c.t, "GET", address, path, c.as.Authorization)
		}
	}
	for what, text := range texts {
		for _, secret := range []string{aliceSecret, bobSecret, "a key", base64.StdEncoding.EncodeToString([]byte("alice:" + aliceSecret))} {
			if strings.Contains(text, secret) {
				c.t.Errorf("%s holds %q", what, secret)
			}
		}
	}
	if !strings.Contains(texts[c.master+"/flags"], "credentials.json") {
		c.t.Errorf("the master's flags are %s", texts[c.master+"/flags"])
	}
}

// A scheduler is who it proves to be, from its subscription on.
func TestSchedulersProveWhoTheyAre(t *testing.T) {
	c := asking(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		at := c.at(c.master, mesosclient.SchedulerPath, enc)
		f := subscribeAt(t, *at, describe("alice's"))
		offer := f.offer()
		if f.said == nil || c.principalOf(f.FrameworkID) != "alice" {
			t.Errorf("the framework's principal is %q", c.principalOf(f.FrameworkID))
		}
		c.refused(at, "alice as bob", subscriptionAs("bob", nil), "", 400,
			"Failed to validate scheduler::Call: .*Authenticated principal 'alice' does not match principal 'bob' set in `FrameworkInfo`")
		bob := *at
		bob.Authorization = mesosclient.Basic("bob", bobSecret)
		for _, stream := range []string{"", f.ID, "of-another"} {
			c.refused(&bob, "bob for alice's framework", f.withID(revive()), stream, 400,
				"Authenticated principal 'bob' does not match principal 'alice' set in `FrameworkInfo`")
		}
		// Who resubscribes as another is told so in the stream, as ever.
		s, err := bob.Open(t.Context(), subscriptionAs("", f.Subscribed.GetFrameworkId()), nil)
		if err != nil {
			t.Fatal(err)
		}
		stolen := collect(t, &mesosclient.Scheduler{Stream: s})
		if message := stolen.event(scheduler.Event_ERROR).GetError().GetMessage(); !strings.Contains(message, "Changing framework's principal is not allowed.") {
			t.Errorf("bob with alice's framework: ERROR %q", message)
		}
		stolen.end()
		f.accept(offer, launch(shell(offer, "unharmed", "true")))
		f.update("unharmed", mesos.TaskState_TASK_FINISHED)
		f.teardown()
	})
}

func subscriptionAs(principal string, id *mesos.FrameworkID) *scheduler.Call {
	info := describe("x")
	info.Id = id
	if principal != "" {
		info.Principal = proto.String(principal)
	}
	return subscription(info)
}

// refused sends a call that must not be taken.
func (c *cluster) refused(at *mesosclient.Endpoint, name string, call *scheduler.Call, stream string, status int, says string) {
	c.t.Helper()
	refuse(c.t, at.Address, at.Path, at.Encoding, []request{{
		name: name, body: encoded(c.t, at.Encoding, call), status: status, says: says,
		headers: map[string]string{"Authorization": at.Authorization, mesosclient.StreamID: stream},
	}})
}

// principalOf is what the master shows of a framework.
func (c *cluster) principalOf(framework string) string {
	c.t.Helper()
	_, body, _ := ask(c.t, "GET", c.master, "/frameworks?framework_id="+framework, c.as.Authorization)
	var shown struct {
		Frameworks []struct {
			Principal string `json:"principal"`
		} `json:"frameworks"`
	}
	if err := json.Unmarshal([]byte(body), &shown); err != nil || len(shown.Frameworks) != 1 {
		c.t.Fatalf("%s: %v", body, err)
	}
	return shown.Frameworks[0].Principal
}

// An executor has a token, and may act for itself alone.
func TestExecutorsProveWhoTheyAre(t *testing.T) {
	c := asking(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribeAt(t, *c.at(c.master, mesosclient.SchedulerPath, enc), describe("executors"))
		offer := f.offer()
		one, other := custom(t, "one", enc), custom(t, "other", enc)
		f.accept(offer, launch(played(offer, "runs", "", one), played(offer, "runs too", "", other)))
		f.update("runs", mesos.TaskState_TASK_RUNNING)
		f.update("runs too", mesos.TaskState_TASK_RUNNING)
		token := f.tokenOf(offer, one)
		at := c.at(c.agent, mesosclient.ExecutorPath, enc)
		at.Authorization = "Bearer " + token.text
		claims := map[string]string{"fid": f.FrameworkID, "eid": "one", "cid": token.claims["cid"]}
		if fmt.Sprint(token.claims) != fmt.Sprint(claims) || token.claims["cid"] == "" {
			t.Errorf("the token claims %v", token.claims)
		}
		stolen := &mesosclient.Executor{Endpoint: *at, FrameworkID: f.FrameworkID, ExecutorID: "other"}
		for name, call := range map[string]*executor.Call{
			"MESSAGE":   {Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte("x")}},
			"SUBSCRIBE": {Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: &executor.Call_Subscribe{}},
		} {
			a, err := stolen.Say(t.Context(), call)
			if a == nil || a.Status != http.StatusForbidden || !strings.Contains(string(a.Body), "does not contain an 'eid' claim with the executor ID other") {
				t.Errorf("%s for another executor: %v, %v", name, a, err)
			}
		}
		honest := &mesosclient.Executor{Endpoint: *at, FrameworkID: f.FrameworkID, ExecutorID: "one"}
		if _, err := honest.Say(t.Context(), &executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte("mine")}}); err != nil {
			t.Error(err)
		}
		f.told("mine")
		honest.Authorization = c.as.Authorization
		if a, err := honest.Say(t.Context(), &executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte("x")}}); a == nil || a.Status != http.StatusForbidden {
			t.Errorf("alice for an executor: %v, %v", a, err)
		}
		c.operatesOnItself(at.Authorization, token.claims["cid"])
		f.teardown()
	})
}

// token is what an executor was given.
type token struct {
	text   string
	claims map[string]string
}

// tokenOf asks an executor for its environment.
func (f *framework) tokenOf(offer *mesos.Offer, e *mesos.ExecutorInfo) (t token) {
	f.t.Helper()
	f.tell(offer.GetAgentId(), e, "environment")
	var environment []string
	if err := json.Unmarshal([]byte(strings.TrimPrefix(f.told("environment "), "environment ")), &environment); err != nil {
		f.t.Fatal(err)
	}
	for _, variable := range environment {
		if text, found := strings.CutPrefix(variable, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN="); found {
			t.text = text
		}
	}
	parts := strings.Split(t.text, ".")
	if len(parts) != 3 {
		f.t.Fatalf("the token is %q", t.text)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &t.claims)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return t
}

// operatesOnItself sees that an executor reaches containers below its own by the
// operator API, and nothing else.
func (c *cluster) operatesOnItself(authorization, container string) {
	c.t.Helper()
	at := c.at(c.agent, mesosclient.OperatorPath, mesosclient.JSON{})
	at.Authorization = authorization
	id := func(root string) *mesos.ContainerID {
		return &mesos.ContainerID{Value: proto.String("child"), Parent: &mesos.ContainerID{Value: proto.String(root)}}
	}
	kill := func(id *mesos.ContainerID) *agent.Call {
		return &agent.Call{Type: agent.Call_KILL_CONTAINER.Enum(), KillContainer: &agent.Call_KillContainer{ContainerId: id}}
	}
	for name, asked := range map[string]struct {
		call   *agent.Call
		status int
	}{
		"one of its own that is not there": {kill(id(container)), http.StatusNotFound},
		"another's":                        {kill(id("other")), http.StatusForbidden},
		"its own":                          {kill(&mesos.ContainerID{Value: proto.String(container)}), http.StatusForbidden},
		"the state":                        {&agent.Call{Type: agent.Call_GET_STATE.Enum()}, http.StatusForbidden},
		"the flags":                        {&agent.Call{Type: agent.Call_GET_FLAGS.Enum()}, http.StatusForbidden},
	} {
		if a, err := at.Call(context.WithoutCancel(c.t.Context()), asked.call, nil); a == nil || a.Status != asked.status {
			c.t.Errorf("%s: %v, %v; want %d", name, a, err, asked.status)
		}
	}
	if status, body, _ := ask(c.t, "GET", c.agent, "/state", authorization); status != http.StatusUnauthorized {
		c.t.Errorf("GET /state by a token: %d %s", status, body)
	}
}

// What an operator reserves is reserved by who asks for it, and by nobody else.
func TestOperatorsReserveAsThemselves(t *testing.T) {
	c := asking(t)
	agents := &master.Response{}
	if err := c.operate().Ask(t.Context(), &master.Call{Type: master.Call_GET_AGENTS.Enum()}, agents); err != nil {
		t.Fatal(err)
	}
	id := agents.GetGetAgents().GetAgents()[0].GetAgentInfo().GetId()
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		at := c.at(c.master, mesosclient.OperatorPath, enc)
		for principal, want := range map[string]int{"bob": http.StatusBadRequest, "": http.StatusBadRequest, "alice": http.StatusAccepted} {
			info := &mesos.Resource_ReservationInfo{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("eng")}
			if principal != "" {
				info.Principal = proto.String(principal)
			}
			call := &master.Call{Type: master.Call_RESERVE_RESOURCES.Enum(), ReserveResources: &master.Call_ReserveResources{
				AgentId: id, Resources: []*mesos.Resource{{
					Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(0.5)},
					Reservations: []*mesos.Resource_ReservationInfo{info},
				}},
			}}
			a, err := at.Call(t.Context(), call, nil)
			if a == nil || a.Status != want || want != http.StatusAccepted && !strings.Contains(string(a.Body), "principal") {
				t.Errorf("alice reserves as %q: %v, %v; want %d", principal, a, err, want)
			}
		}
	})
}
