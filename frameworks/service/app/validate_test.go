package app_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/wire"
)

// A.2, A.3, A.5 to A.10: what is wrong with an app, by path. Each case is what the
// app says beside its id, and the problems: path, colon, beginning of the text.
func TestValidate(t *testing.T) {
	const (
		docker = `"container":{"docker":{"image":"i"}}`
		volume = `"cmd":"x","container":{"volumes":[{"containerPath":"d",`
		two    = `"networks":[{"name":"m"},{"name":"n"}]`
		bridge = `"networks":[{"mode":"container/bridge"}]`
	)
	for _, c := range []struct{ section, in, want string }{
		{"A.3 nothing to run", ``, `/: AppDefinition must contain one of 'cmd' or 'args', and/or a 'container'.`},
		{"A.3 both", `"cmd":"x","args":["y"]`, `/: AppDefinition cannot specify both cmd and args.`},
		{"A.2 container alone", docker, ``},
		{"A.2 MESOS alone", `"container":{"type":"MESOS"}`, ``},
		{"A.3 mappings on host", `"container":{"docker":{"image":"i"},"portMappings":[{}]}`, `/container/portMappings: portMappings are not allowed with host networking`},
		{"A.3 definitions elsewhere", `"cmd":"x",` + bridge + `,"portDefinitions":[{}]`, `/portDefinitions: portDefinitions are only allowed with host networking`},
		{"A.3 ports twice", `"cmd":"x","portDefinitions":[{"port":80},{"port":80},{"port":0},{"port":0}]`, `/portDefinitions: Ports must be unique: 80`},
		{"A.3 names twice", `"cmd":"x","portDefinitions":[{"name":"a"},{"name":"a"}]`, `/portDefinitions: port names must be unique: a`},
		{"A.2 port range", `"cmd":"x","ports":[70000,-1]`, `/portDefinitions(0)/port: got 70000, expected between 0 and 65535; /portDefinitions(1)/port: got -1`},
		{"A.2 protocol", `"cmd":"x","portDefinitions":[{"protocol":"sctp"}]`, `/portDefinitions(0)/protocol: got sctp, expected one of: [tcp, udp, udp,tcp]`},
		{"A.3 portIndex", `"cmd":"x","healthChecks":[{"portIndex":1}]`, `/healthChecks(0)/portIndex: Health check port indices must address an element of the ports array or container port mappings.`},
		{"A.3 two on agents", `"cmd":"x","healthChecks":[{"protocol":"MESOS_TCP"},{"protocol":"MESOS_HTTP"}]`, `/healthChecks: AppDefinition can contain at most one Mesos health check`},
		{"A.7 COMMAND", `"cmd":"x","healthChecks":[{"protocol":"COMMAND"}]`, `/healthChecks(0)/command: must be defined`},
		{"A.7 command elsewhere", `"cmd":"x","healthChecks":[{"command":{"value":"x"}}]`, `/healthChecks(0)/command: is only allowed`},
		{"A.7 protocol", `"cmd":"x","healthChecks":[{"protocol":"ICMP"}]`, `/healthChecks(0)/protocol: got ICMP, expected one of: [HTTP, HTTPS, TCP,`},
		{"A.7 numbers", `"cmd":"x","healthChecks":[{"gracePeriodSeconds":-1,"intervalSeconds":0,"timeoutSeconds":0,"maxConsecutiveFailures":-1}]`, `/healthChecks(0)/gracePeriodSeconds: got -1, expected 0 or more; /healthChecks(0)/intervalSeconds: got 0; /healthChecks(0)/timeoutSeconds: got 0; /healthChecks(0)/maxConsecutiveFailures: got -1`},
		{"A.7 IPv6", `"cmd":"x","healthChecks":[{"ipProtocol":"IPv6"}]`, `/healthChecks(0)/ipProtocol: IPv6 is only allowed`},
		{"A.7 IPv6 on docker", docker + `,"healthChecks":[{"ipProtocol":"IPv6","protocol":"MESOS_TCP"}]`, ``},
		{"A.7 port", `"cmd":"x","healthChecks":[{"port":1,"portIndex":0},{"port":0}]`, `/healthChecks(0): only one of port and portIndex; /healthChecks(1)/port: got 0, expected between 1 and 65535`},
		{"A.7 path", `"cmd":"x","healthChecks":[{"path":"h"}]`, `/healthChecks(0)/path: must begin with a slash`},
		{"A.9 one", `"cmd":"x","portDefinitions":[{"name":"http-api"}],"readinessChecks":[{},{}]`, `/readinessChecks: may have at most 1 element`},
		{"A.9 times", `"cmd":"x","portDefinitions":[{"name":"http-api"}],"readinessChecks":[{"intervalSeconds":5,"timeoutSeconds":5}]`, `/readinessChecks(0)/timeoutSeconds: Timeout (5 seconds) must be less than the interval (5 seconds)`},
		{"A.9 portName", `"cmd":"x","readinessChecks":[{}]`, `/readinessChecks(0)/portName: No port definition reference for portName http-api`},
		{"A.9 codes", `"cmd":"x","portDefinitions":[{"name":"http-api"}],"readinessChecks":[{"httpStatusCodesForReady":[],"path":"x","protocol":"TCP"}]`, `/readinessChecks(0)/protocol: got TCP; /readinessChecks(0)/path: must begin; /readinessChecks(0)/httpStatusCodesForReady: must not be empty`},
		{"A.9 check", `"cmd":"x","check":{}`, `/check: must have exactly one of http, tcp and exec`},
		{"A.3 check with docker", docker + `,"check":{"exec":{"command":{"shell":"x"}}}`, `/check: is only supported with the Mesos containerizer`},
		{"A.9 check target", `"cmd":"x","check":{"http":{"portIndex":4,"scheme":"FTP"}}`, `/check/http/portIndex: Health check port indices; /check/http/scheme: got FTP`},
		{"A.3 secret", `"cmd":"x","env":{"A":{"secret":"s"}}`, `/env(A)/secret: references an undefined secret: s`},
		{"A.26 source", `"cmd":"x","secrets":{"s":{}}`, `/secrets(s)/source: must not be empty`},
		{"A.2 env", `"cmd":"x","env":{"A=B":"c"}`, `/env: "A=B" is no name of a variable`},
		{"A.3 persistent path", `"cmd":"x","container":{"volumes":[{"containerPath":"/d","persistent":{"size":1}}]}`, `/container/volumes(0)/containerPath: value must be a relative path`},
		{"A.3 persistent mode", volume + `"mode":"RO","persistent":{"size":0}}]}`, `/container/volumes(0)/mode: must be RW; /container/volumes(0)/persistent/size: got 0, expected 1 or more`},
		{"A.3 maxSize", volume + `"persistent":{"size":2,"maxSize":2}}]}`, `/container/volumes(0)/persistent/maxSize: Only mount volumes can have maxSize; /container/volumes(0)/persistent/maxSize: got 2, expected more than size`},
		{"A.3 root constraints", volume + `"persistent":{"size":2,"constraints":[["path","LIKE","x"]]}}]}`, `/container/volumes(0)/persistent/constraints: Constraints on root volumes`},
		{"A.5 disk constraints", volume + `"persistent":{"type":"path","size":2,"constraints":[["rack","UNIQUE"]]}}]}`, `/container/volumes(0)/persistent/constraints(0): got rack, expected one of: [path]; /container/volumes(0)/persistent/constraints(0): got UNIQUE, expected one of: [LIKE, UNLIKE]`},
		{"A.5 no kind", `"cmd":"x","container":{"volumes":[{"containerPath":"d"}]}`, `/container/volumes(0): must have one of hostPath, persistent, external and secret`},
		{"A.5 external", `"cmd":"x","container":{"volumes":[{"containerPath":"d","external":{}}]}`, `/container/volumes(0)/external/name: must not be empty; /container/volumes(0)/external/provider: is unknown provider`},
		{"A.15 roles", volume + `"persistent":{"size":2}}]},"acceptedResourceRoles":["web"]`, `/acceptedResourceRoles: A resident app must have`},
		{"A.2 resident", volume + `"persistent":{"size":2}}]},"unreachableStrategy":{},"upgradeStrategy":{"maximumOverCapacity":1}`, `/upgradeStrategy/maximumOverCapacity: got 1, expected 0.0; /unreachableStrategy: unreachableStrategy must be disabled`},
		{"A.3 single instance", `"cmd":"x","instances":2,"labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"},"upgradeStrategy":{"minimumHealthCapacity":1,"maximumOverCapacity":1}`, `/instances: an app with the label; /upgradeStrategy/minimumHealthCapacity: got 1, expected 0.0; /upgradeStrategy/maximumOverCapacity: got 1, expected 0.0`},
		{"A.6 operator", `"cmd":"x","constraints":[["a","NEAR","b"]]`, `/constraints(0): [1]: "NEAR": must be one of UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE, MAX_PER, IS`},
		{"A.6 values", `"cmd":"x","constraints":[["a","UNIQUE","b"],["a","GROUP_BY","b"],["a","MAX_PER"],["a","LIKE","("],["a","IS","a b"]]`, `/constraints(0): [2]: "b": UNIQUE; /constraints(1): [2]: "b": GROUP_BY; /constraints(2): [2]; /constraints(3): [2]: "(": is not a valid regular expression; /constraints(4): [2]: "a b"`},
		{"A.2 twice", `"cmd":"x","constraints":[["a","UNIQUE"],["a","UNIQUE"]],"dependencies":["/b","b"]`, `/constraints(1): Elements must be unique; /dependencies: Elements must be unique: /b`},
		{"A.3 no roles", `"cmd":"x","acceptedResourceRoles":[]`, `/acceptedResourceRoles: must not be empty`},
		{"A.3 strange role", `"cmd":"x","acceptedResourceRoles":["*","aRole"]`, `/acceptedResourceRoles(1): got aRole, expected one of: [*, web]`},
		{"A.2 own role", `"cmd":"x","role":"mine","acceptedResourceRoles":["mine"]`, ``},
		{"A.2 role", `"cmd":"x","role":"a/b"`, `/role: "a/b" is no role`},
		{"A.3 gpus", docker + `,"gpus":1`, `/gpus: GPU resources only work with the Mesos containerizer`},
		{"A.3 pullConfig", `"container":{"docker":{"image":"i","pullConfig":{"secret":"s"}}},"secrets":{"s":{"source":"p"}}`, `/container/docker/pullConfig: pullConfig is not supported with Docker`},
		{"A.5 docker only", `"container":{"type":"MESOS","docker":{"image":"i","privileged":true,"parameters":[{"key":""}]}}`, `/container/docker/privileged: is only; /container/docker/parameters: is only; /container/docker/parameters(0)/key: must not be empty`},
		{"A.5 image", `"container":{"docker":{}}`, `/container/docker/image: must not be empty`},
		{"A.5 type", `"cmd":"x","container":{"type":"LXC"}`, `/container/type: got LXC, expected one of: [DOCKER, MESOS]`},
		{"A.5 linuxInfo", `"cmd":"x","container":{"type":"MESOS","linuxInfo":{"seccomp":{},"ipcInfo":{"mode":"NO","shmSize":-1}}}`, `/container/linuxInfo/seccomp: either; /container/linuxInfo/ipcInfo/mode: got NO; /container/linuxInfo/ipcInfo/shmSize: got -1`},
		{"A.3 docker networks", `"container":{"docker":{"image":"i"}},` + two, `/networks: may only specify a single container network when using the Docker`},
		{"A.3 host network", `"cmd":"x","networks":[{"mode":"host","name":"a","labels":{"a":"b"}}]`, `/networks(0)/name: must be empty; /networks(0)/labels: must be empty`},
		{"A.3 mixed networks", `"cmd":"x","networks":[{"mode":"host"},{"name":"n"}]`, `/networks: Must specify either`},
		{"A.3 two bridges", `"cmd":"x","networks":[{"mode":"container/bridge"},{"mode":"container/bridge"}]`, `/networks: Must specify either`},
		{"A.10 mode", `"cmd":"x","networks":[{"mode":"wifi"}]`, `/networks(0)/mode: got wifi`},
		{"A.3 no default network", `"cmd":"x","networks":[{"mode":"container"}]`, `/networks(0)/name: name must be specified`},
		{"A.10 which network", `"cmd":"x",` + two + `,"container":{"type":"MESOS","portMappings":[{"hostPort":0},{"networkNames":["x"]}]}`, `/container/portMappings(0)/networkNames: with several networks; /container/portMappings(1)/networkNames(0): "x" is no network of this app`},
		{"A.11 mappings twice", bridge + `,"container":{"type":"MESOS","portMappings":[{"servicePort":1,"hostPort":2,"name":"a"},{"servicePort":1,"hostPort":2,"name":"a"}]}`, `/container/portMappings: port names; /container/portMappings: service ports; /container/portMappings: host ports must be unique: 2/tcp`},
		{"A.11 two protocols", bridge + `,"container":{"type":"MESOS","portMappings":[{"containerPort":53,"hostPort":53},{"containerPort":53,"hostPort":53,"protocol":"udp"}]}`, ``},
		{"A.2 resources", `"cmd":"x","cpus":0,"mem":-1,"disk":1e15,"gpus":-1`, `/cpus: got 0, expected 0.001 or more; /mem: got -1, expected 0 or more; /gpus: got -1; /disk: is more than any agent has`},
		{"A.2 instances", `"cmd":"x","instances":2000000`, `/instances: got 2000000, expected at most 1000000`},
		{"A.2 limits", `"cmd":"x","resourceLimits":{"cpus":0.5,"mem":"unlimited"}`, `/resourceLimits/cpus: got 0.5, expected 1 or more`},
		{"A.2 executor shares", `"cmd":"x","executorResources":{"cpus":0,"mem":1,"disk":1}`, `/executorResources/cpus: got 0; /executorResources/mem: got 1; /executorResources/disk: got 1`},
		{"A.2 executor", `"cmd":"x","executor":"a//b"`, `/executor: got a//b`},
		{"A.2 backoff", `"cmd":"x","backoffSeconds":-1,"backoffFactor":0.5,"maxLaunchDelaySeconds":-1,"taskKillGracePeriodSeconds":-1,"killSelection":"ANY"`, `/backoffSeconds: got -1; /maxLaunchDelaySeconds: got -1; /backoffFactor: got 0.5, expected 1 or more; /killSelection: got ANY; /taskKillGracePeriodSeconds: got -1`},
		{"A.2 unreachable", `"cmd":"x","unreachableStrategy":{"inactiveAfterSeconds":5}`, `/unreachableStrategy: inactiveAfterSeconds must be less or equal`},
		{"A.2 upgrade", `"cmd":"x","upgradeStrategy":{"minimumHealthCapacity":1.2,"maximumOverCapacity":-0.1}`, `/upgradeStrategy/minimumHealthCapacity: got 1.2, expected between 0.0 and 1.0; /upgradeStrategy/maximumOverCapacity: got -0.1`},
		{"A.2 fetch", `"cmd":"x","fetch":[{"destPath":"../x"}]`, `/fetch(0)/uri: must not be empty; /fetch(0)/destPath: must be a path within`},
		{"zero bytes", `"cmd":"x\u0000","env":{"A":"\u0000"}`, `/env(A): must not have a zero byte; /cmd: must not have a zero byte`},
	} {
		t.Run(c.section, func(t *testing.T) {
			in := `{"id":"/a"}`
			if c.in != "" {
				in = `{"id":"/a",` + c.in + `}`
			}
			_, err := wire.ReadApp([]byte(in), app.Root, wire.Options{Rules: app.Rules{Role: "web", GPUs: true, Secrets: true, External: true}})
			var got app.Problems
			if err != nil && !errors.As(err, &got) {
				t.Fatal(err)
			}
			var want []string
			if c.want != "" {
				want = strings.Split(c.want, "; ")
			}
			if !slices.EqualFunc(got, want, func(p app.Problem, w string) bool { return strings.HasPrefix(p.Path+": "+p.Text, w) }) {
				t.Errorf("%s\ngot  %v\nwant %v", in, got, c.want)
			}
		})
	}
}

// Features that are off are refused, each with its name.
func TestFeatures(t *testing.T) {
	in := `{"id":"/a","cmd":"x","gpus":1,"secrets":{"s":{"source":"p"}},"container":{"type":"MESOS","docker":{"image":"i","pullConfig":{"secret":"s"}},
		"volumes":[{"containerPath":"a","secret":"s"},{"containerPath":"b","external":{"name":"n","provider":"dvdi"}}]}}`
	_, err := wire.ReadApp([]byte(in), app.Root, wire.Options{})
	var got app.Problems
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range got {
		if !strings.HasPrefix(p.Text, "Feature ") {
			t.Errorf("%v", p)
		}
		paths = append(paths, p.Path)
	}
	if want := []string{
		"/secrets", "/gpus", "/container/docker/pullConfig", "/container/volumes(0)/secret", "/container/volumes(1)/external",
	}; !slices.Equal(paths, want) {
		t.Errorf("%v", paths)
	}
}

// What is long and wrong does not come back as often as it is said.
func TestAnswersAreBounded(t *testing.T) {
	long := strings.Repeat("ä", 50_000)
	roles := strings.Repeat(`"`+"y"+`",`, 5000)
	_, err := wire.ReadApp([]byte(`{"id":"/a","cmd":"x","role":"`+long+`","acceptedResourceRoles":[`+roles+`"z"]}`), app.Root, wire.Options{})
	if err == nil || len(err.Error()) > 1_000_000 {
		t.Fatalf("an answer of %d bytes", len(err.Error()))
	}
}
