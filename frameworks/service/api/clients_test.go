package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/service/client"
)

// The types that a client in Go gives to what it reads: a number where it wants a
// text, or an object where it wants a list, ends the call.
type (
	goApp struct {
		ID        string              `json:"id"`
		Cmd       *string             `json:"cmd"`
		Args      *[]string           `json:"args"`
		CPUs      float64             `json:"cpus"`
		GPUs      *float64            `json:"gpus"`
		Disk      *float64            `json:"disk"`
		Mem       *float64            `json:"mem"`
		Instances *int                `json:"instances"`
		Env       map[string]goEnv    `json:"env"`
		Secrets   map[string]struct{} `json:"secrets"`
		Executor  *string             `json:"executor"`
		Networks  *[]struct {
			Name string `json:"name"`
			Mode string `json:"mode"`
		} `json:"networks"`
		Constraints *[][]string `json:"constraints"`
		Container   *struct {
			Type   string `json:"type"`
			Docker *struct {
				Image          string `json:"image"`
				ForcePullImage *bool  `json:"forcePullImage"`
				Privileged     *bool  `json:"privileged"`
			} `json:"docker"`
			Volumes *[]struct {
				ContainerPath string `json:"containerPath"`
				HostPath      string `json:"hostPath"`
				Mode          string `json:"mode"`
			} `json:"volumes"`
			PortMappings *[]goMapping `json:"portMappings"`
		} `json:"container"`
		HealthChecks *[]struct {
			Command *struct {
				Value string `json:"value"`
			} `json:"command"`
			PortIndex   *int    `json:"portIndex"`
			Port        *int    `json:"port"`
			Path        *string `json:"path"`
			MaxFailures *int    `json:"maxConsecutiveFailures"`
			Protocol    string  `json:"protocol"`
			Grace       int     `json:"gracePeriodSeconds"`
			Interval    int     `json:"intervalSeconds"`
			Timeout     int     `json:"timeoutSeconds"`
			Ignore      *bool   `json:"ignoreHttp1xx"`
		} `json:"healthChecks"`
		ReadinessChecks *[]struct {
			Name     *string `json:"name"`
			Protocol string  `json:"protocol"`
			Path     string  `json:"path"`
			PortName string  `json:"portName"`
			Interval int     `json:"intervalSeconds"`
			Timeout  int     `json:"timeoutSeconds"`
			Codes    *[]int  `json:"httpStatusCodesForReady"`
			Preserve *bool   `json:"preserveLastResponse"`
		} `json:"readinessChecks"`
		Ports           []int `json:"ports"`
		PortDefinitions *[]struct {
			Port     *int               `json:"port"`
			Protocol string             `json:"protocol"`
			Name     string             `json:"name"`
			Labels   *map[string]string `json:"labels"`
		} `json:"portDefinitions"`
		RequirePorts    *bool    `json:"requirePorts"`
		BackoffSeconds  *float64 `json:"backoffSeconds"`
		BackoffFactor   *float64 `json:"backoffFactor"`
		MaxLaunchDelay  *float64 `json:"maxLaunchDelaySeconds"`
		KillGrace       *float64 `json:"taskKillGracePeriodSeconds"`
		Deployments     []goRef  `json:"deployments"`
		Readiness       *[]struct{}
		Dependencies    []string `json:"dependencies"`
		Tasks           []*goTask
		TasksRunning    int `json:"tasksRunning"`
		TasksStaged     int `json:"tasksStaged"`
		TasksHealthy    int `json:"tasksHealthy"`
		TasksUnhealthy  int `json:"tasksUnhealthy"`
		TaskStats       map[string]goStats
		User            string `json:"user"`
		UpgradeStrategy *struct {
			MinimumHealthCapacity *float64 `json:"minimumHealthCapacity"`
			MaximumOverCapacity   *float64 `json:"maximumOverCapacity"`
		} `json:"upgradeStrategy"`
		Unreachable   goUnreachable     `json:"unreachableStrategy"`
		KillSelection string            `json:"killSelection"`
		Labels        map[string]string `json:"labels"`
		Roles         []string          `json:"acceptedResourceRoles"`
		Version       string            `json:"version"`
		VersionInfo   *struct {
			LastScalingAt      string `json:"lastScalingAt"`
			LastConfigChangeAt string `json:"lastConfigChangeAt"`
		} `json:"versionInfo"`
		Fetch *[]struct {
			URI        string `json:"uri"`
			Executable bool   `json:"executable"`
			Extract    bool   `json:"extract"`
			Cache      bool   `json:"cache"`
		} `json:"fetch"`
		LastTaskFailure *struct {
			AppID, Host, Message, State, TaskID, Timestamp, Version string
		} `json:"lastTaskFailure"`
	}
	goRef struct {
		ID string `json:"id"`
	}
	goMapping struct {
		ContainerPort int                `json:"containerPort"`
		HostPort      int                `json:"hostPort"`
		Labels        *map[string]string `json:"labels"`
		Name          string             `json:"name"`
		ServicePort   int                `json:"servicePort"`
		Protocol      string             `json:"protocol"`
	}
	goTask struct {
		ID     string `json:"id"`
		AppID  string `json:"appId"`
		Host   string `json:"host"`
		Health []*struct {
			Alive               bool   `json:"alive"`
			ConsecutiveFailures int    `json:"consecutiveFailures"`
			TaskID              string `json:"taskId"`
		} `json:"healthCheckResults"`
		Ports        []int  `json:"ports"`
		ServicePorts []int  `json:"servicePorts"`
		AgentID      string `json:"slaveId"`
		StagedAt     string `json:"stagedAt"`
		StartedAt    string `json:"startedAt"`
		State        string `json:"state"`
		IPAddresses  []*struct {
			IPAddress string `json:"ipAddress"`
			Protocol  string `json:"protocol"`
		} `json:"ipAddresses"`
		Version string `json:"version"`
	}
	goStats struct {
		Stats struct {
			Counts   map[string]int     `json:"counts"`
			LifeTime map[string]float64 `json:"lifeTime"`
		} `json:"stats"`
	}
)

// goEnv is a text or a secret, and anything else an error.
type goEnv struct{ text, secret string }

// UnmarshalJSON implements json.Unmarshaler.
func (e *goEnv) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &e.text)
	}
	var of struct{ Secret *string }
	if err := json.Unmarshal(data, &of); err != nil || of.Secret == nil {
		return fmt.Errorf("an environment variable is %s, %w", data, err)
	}
	e.secret = *of.Secret
	return nil
}

// goUnreachable is "disabled", or an object with both times.
type goUnreachable struct{ disabled bool }

// UnmarshalJSON implements json.Unmarshaler.
func (u *goUnreachable) UnmarshalJSON(data []byte) error {
	if string(data) == `"disabled"` {
		u.disabled = true
		return nil
	}
	var of struct{ InactiveAfterSeconds, ExpungeAfterSeconds *float64 }
	if err := json.Unmarshal(data, &of); err != nil || of.InactiveAfterSeconds == nil || of.ExpungeAfterSeconds == nil {
		return fmt.Errorf("unreachableStrategy is %s, %w", data, err)
	}
	return nil
}

// rich are apps that have all kinds of fields.
var rich = []string{
	`{"id":"/rich/host","cmd":"sleep 1","instances":2,"cpus":0.5,"gpus":0,"env":{"A":"1"},"constraints":[["hostname","UNIQUE"],["rack","GROUP_BY","3"]],
	  "ports":[0,0],"healthChecks":[{"protocol":"COMMAND","command":{"value":"true"}}],"uris":["http://x/y.tgz"],"user":"nobody",
	  "readinessChecks":[{"portName":"http-api"}],"portDefinitions":[{"port":0,"name":"http-api","labels":{"VIP_0":"/x:80"}}],"taskKillGracePeriodSeconds":3,
	  "unreachableStrategy":{"inactiveAfterSeconds":1,"expungeAfterSeconds":2},"labels":{"a":"b"},"acceptedResourceRoles":["*"]}`,
	`{"id":"/rich/docker","args":["a"],"instances":1,"container":{"type":"DOCKER","docker":{"image":"x","network":"BRIDGE","portMappings":[{"containerPort":80}]},
	  "volumes":[{"containerPath":"/a","hostPath":"/b","mode":"RO"}]},"unreachableStrategy":"disabled","dependencies":["/rich/host"]}`,
}

// Clients in Go find each value of the type that they give it.
func TestGoClients(t *testing.T) {
	w := newTown(t)
	c := client.New(w.base)
	for _, body := range rich {
		made, err := c.Create(t.Context(), json.RawMessage(body), client.Change{Force: true})
		if err != nil {
			t.Fatal(err)
		}
		decodeAs[goApp](t, made.Raw)
	}
	eventually(t, "a task runs", func() bool {
		list, err := c.Tasks(t.Context())
		return err == nil && len(list) > 0
	})
	get := func(path string) []byte {
		t.Helper()
		res, err := c.Send(t.Context(), client.Request{Method: http.MethodGet, Path: path, Body: json.RawMessage(`""`)})
		if err != nil || res.Status != 200 {
			t.Fatalf("%s: %v, %+v", path, err, res)
		}
		return res.Body
	}
	one := decodeAs[struct{ App *goApp }](t, get("/v2/apps/rich/host")).App
	if one.Unreachable.disabled || len(one.Ports) != 1 || one.Env["A"].text != "1" || (*one.Fetch)[0].URI != "http://x/y.tgz" || len(*one.ReadinessChecks) != 1 {
		t.Errorf("read %+v", one)
	}
	all := decodeAs[struct{ Apps []goApp }](t, get("/v2/apps"))
	if len(all.Apps) != 2 || (*all.Apps[0].Container.PortMappings)[0].ServicePort == 0 {
		t.Errorf("read %+v", all)
	}
	decodeAs[struct{ Tasks []goTask }](t, get("/v2/tasks"))
	decodeAs[struct{ Versions []string }](t, get("/v2/apps/rich/host/versions"))
	decodeAs[struct {
		ID           string
		Apps         []goApp
		Groups       []struct{ Apps []goApp }
		Dependencies []string
	}](t, get("/v2/groups"))
	decodeAs[[]struct {
		ID, Version  string
		CurrentStep  int
		TotalSteps   int
		AffectedApps []string
		Steps        []struct {
			Actions []struct{ Action, App string }
		}
		CurrentActions []struct{ Action, App string }
	}](t, get("/v2/deployments"))
	decodeAs[struct {
		Queue []struct {
			Count int
			Delay struct {
				TimeLeftSeconds int
				Overdue         bool
			}
			App goApp
		}
	}](t, get("/v2/queue"))
}

func decodeAs[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Errorf("%v in %s", err, data)
	}
	return v
}

// Strict clients in Python know these keys of what is not an app, and break at any
// other.
func TestStrictKeysOfTheRest(t *testing.T) {
	w := newTown(t)
	ask := func(path string) any {
		t.Helper()
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return decodeAs[any](t, rec.Body.Bytes())
	}
	check := func(what string, v any, keys string) map[string]any {
		t.Helper()
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("%s is %v", what, v)
		}
		for key := range object {
			if !slices.Contains(strings.Fields(keys), key) {
				t.Errorf("%s: %s is refused", what, key)
			}
		}
		return object
	}
	info := check("info", ask("/v2/info"), "eventSubscriber frameworkId httpConfig http_config leader marathonConfig marathon_config name version elected zookeeperConfig zookeeper_config buildref")
	check("http_config", info["http_config"], "assets_path http_port https_port")
	check("zookeeper_config", info["zookeeper_config"], "")
	check("marathon_config", info["marathon_config"], `checkpoint executor failover_timeout framework_name ha hostname leader_proxy_connection_timeout_ms
		leader_proxy_read_timeout_ms local_port_min local_port_max maintenance_mode master mesos_leader_ui_url mesos_role mesos_user new_group_enforce_role webui_url
		reconciliation_initial_delay reconciliation_interval task_launch_timeout marathon_store_timeout task_reservation_timeout features access_control_allow_origin
		decline_offer_duration default_network_name env_vars_prefix launch_token launch_token_refresh_interval max_instances_per_offer mesos_bridge_name
		mesos_heartbeat_failure_threshold mesos_heartbeat_interval min_revive_offers_interval offer_matching_timeout on_elected_prepare_timeout
		revive_offers_for_new_apps revive_offers_repetitions scale_apps_initial_delay scale_apps_interval store_cache task_launch_confirm_timeout
		task_lost_expunge_initial_delay task_lost_expunge_interval`)
	check("group", ask("/v2/groups"), "apps dependencies groups id pods version enforceRole")
}

// A long answer is compressed for those who take it.
func TestLongAnswersAreCompressed(t *testing.T) {
	w := newTown(t)
	c := client.New(w.base)
	if _, err := c.Create(t.Context(), json.RawMessage(rich[0]), client.Change{}); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+"/v2/apps", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.Header.Get("Content-Encoding") != "gzip" || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		t.Errorf("%v, %v", err, res.Header)
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for late := time.After(time.Minute); !holds(); {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("it never came to be that %s", what)
		}
	}
}
