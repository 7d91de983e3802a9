package state

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

var update = flag.Bool("update", false, "write what the scenarios give into testdata")

// scenario drives one machine by commands. A file in testdata is a list of
// blocks: commands, "----", what they did. "go test -update" records it.
//
//	config offer_timeout=10s   before anything else; see configure
//	start [ID STATUS]…         begin to lead, with agents in the registry, and
//	                           with frameworks for statuses FRAMEWORK, FRAMEWORK/60 (its timeout) and COMPLETED
//	recv FROM TYPE TEXT        a message in protobuf text; res(cpus:1;mem:32) stands for resources, id(x) for {value: "x"},
//	                           op(1) for the uuid of the first operation; of disk(…) see diskText; total(cpus:1) are total_resources
//	ask FROM TYPE TEXT         recv of a message whose sender waits for an answer
//	restart                    another master leads, with what was persisted automatically
//	exit PEER | fire KEY | silent AGENT | answered AGENT | persisted N [conflict|failed]
//	hosts [HOST]…              the whitelist is read
//	persist auto|manual        whether every Persist is answered at once
//	after 10s                  moves the clock
//	as NAME PRINCIPAL          messages of NAME carry a principal from here on
type scenario struct {
	t          *testing.T
	cfg        Config
	m          *Machine
	now        time.Time
	manual     bool
	stored     registry.Registry // what all that was to be persisted comes to
	principals map[Peer]string
	out        strings.Builder
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScenario(t, file) })
	}
}

func runScenario(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &scenario{
		t: t, now: time.Unix(1000, 0), principals: make(map[Peer]string),
		cfg: Config{MasterID: "M", Allocator: "allocator@m:5050"},
	}
	var got strings.Builder
	blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	for i, block := range blocks {
		commands, _, _ := strings.Cut(block, "\n----")
		s.out.Reset()
		for line := range strings.Lines(commands) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				s.command(line)
			}
		}
		got.WriteString(commands + "\n----\n" + s.out.String())
		if i < len(blocks)-1 {
			got.WriteString("\n")
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(text) {
		t.Errorf("%s differs from what it does now; see the difference after go test -update\n%s", file, firstDifference(string(text), got.String()))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n  recorded %s\n  now      %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines are recorded, %d came", len(w), len(g))
}

func (s *scenario) command(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "config":
		s.configure(rest)
	case "start":
		s.m, s.stored = New(s.cfg), registryOf(s.t, rest)
		s.step(Started{Registry: s.stored})
	case "restart":
		s.m = New(s.cfg)
		s.step(Started{Registry: s.stored})
	case "recv", "ask":
		from, rest, _ := strings.Cut(rest, " ")
		name, text, _ := strings.Cut(rest, " ")
		in := Received{From: Peer(from), Principal: s.principals[Peer(from)], Message: parse(s.t, name, text)}
		if verb == "ask" {
			in.Ask = 1
		}
		s.step(in)
	case "exit":
		s.step(PeerExited{Peer(rest)})
	case "fire":
		s.step(TimerFired{rest})
	case "answered":
		s.step(AgentAnswered{AgentID(rest)})
	case "silent":
		s.step(AgentSilent{AgentID(rest)})
	case "hosts":
		s.step(HostsListed{hostsOf(rest)})
	case "persisted":
		s.step(persistedOf(s.t, rest))
	case "persist":
		s.manual = rest == "manual"
	case "after":
		d, err := time.ParseDuration(rest)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(d)
	case "as":
		name, principal, _ := strings.Cut(rest, " ")
		s.principals[Peer(name)] = principal
	default:
		s.t.Fatalf("unknown command %q", line)
	}
}

func (s *scenario) configure(text string) {
	for _, setting := range strings.Fields(text) {
		key, value, _ := strings.Cut(setting, "=")
		switch key {
		case "offer_timeout":
			s.cfg.OfferTimeout, _ = time.ParseDuration(value)
		case "removal_every":
			s.cfg.AgentRemovalRate.Count = 1
			s.cfg.AgentRemovalRate.Per, _ = time.ParseDuration(value)
		case "removal_limit":
			s.cfg.RecoveryAgentRemovalLimit, _ = strconv.ParseFloat(value, 64)
		case "cluster":
			s.cfg.ClusterID = value
		case "refuse_root":
			s.cfg.RefuseRoot = value == "true"
		case "whitelist":
			s.cfg.Whitelist = hostsOf(strings.ReplaceAll(value, ",", " "))
		case "roles":
			s.cfg.Roles = strings.Split(value, ",")
		case "weights":
			for pair := range strings.SplitSeq(value, ",") {
				role, text, _ := strings.Cut(pair, ":")
				weight, _ := strconv.ParseFloat(text, 64)
				s.cfg.Weights = append(s.cfg.Weights, &mesos.WeightInfo{Role: &role, Weight: &weight})
			}
		case "rates":
			s.cfg.RateLimits = ratesOf(s.t, value)
		case "unreachable_tasks":
			s.cfg.Limits.UnreachableTasks = len(value)
		case "completed_frameworks":
			s.cfg.Limits.CompletedFrameworks = len(value)
		default:
			s.t.Fatalf("unknown setting %q", setting)
		}
	}
}

// ratesOf reads principal:qps:capacity, with commas between; the rest is "".
func ratesOf(t *testing.T, text string) *mesos.RateLimits {
	limits := new(mesos.RateLimits)
	for one := range strings.SplitSeq(text, ",") {
		parts := strings.Split(one, ":")
		l := &mesos.RateLimit{Principal: &parts[0]}
		if parts[1] != "" {
			qps, err := strconv.ParseFloat(parts[1], 64)
			capacity, bad := strconv.ParseUint(parts[2], 10, 64)
			if err != nil || bad != nil {
				t.Fatalf("%s: %v, %v", one, err, bad)
			}
			l.Qps, l.Capacity = &qps, &capacity
		}
		if parts[0] == "" {
			limits.AggregateDefaultQps, limits.AggregateDefaultCapacity = l.Qps, l.Capacity
		} else {
			limits.Limits = append(limits.Limits, l)
		}
	}
	return limits
}

func hostsOf(text string) Hosts {
	hosts := make(Hosts)
	for _, host := range strings.Fields(text) {
		hosts[host] = true
	}
	return hosts
}

// step prints what an input leads to, and what the answers to its Persists
// lead to.
func (s *scenario) step(in Input) {
	inputs := []Input{in}
	for len(inputs) > 0 {
		next := inputs[0]
		inputs = inputs[1:]
		for _, e := range s.m.Step(s.now, next) {
			if line := describe(e); line != "" {
				s.out.WriteString(line + "\n")
			}
			if p, ok := e.(Persist); ok && !s.manual {
				var refused error
				s.stored, _, refused = registry.Apply(s.stored, p.Operation)
				inputs = append(inputs, Persisted{Key: p.Key, Err: refused})
			}
		}
		if err := s.m.Check(); err != nil {
			s.t.Errorf("after %T: %v", next, err)
		}
	}
}

// describe prints an effect; what is published is only a picture of it all.
func describe(e Effect) string {
	switch e := e.(type) {
	case Send:
		return fmt.Sprintf("send %s %s %s", e.To, e.Message.ProtoReflect().Descriptor().Name(), json.Marshal(e.Message))
	case Answer:
		return fmt.Sprintf("answer %s %s", e.To, json.Marshal(e.Reply))
	case SetTimer:
		return fmt.Sprintf("timer %s in %s", e.Key, e.After)
	case CancelTimer:
		return "cancel " + e.Key
	case Link:
		return "link " + string(e.Peer)
	case Unlink:
		return "unlink " + string(e.Peer)
	case Persist:
		return fmt.Sprintf("persist %d %s", e.Key, strings.TrimPrefix(fmt.Sprintf("%T", e.Operation), "registry."))
	case Observe:
		return fmt.Sprintf("observe %s at %s connected=%v", e.Agent, e.Peer, e.Connected)
	case Unobserve:
		return "unobserve " + string(e.Agent)
	case Note:
		line := [...]string{"debug", "info", "warn"}[e.Level] + ": " + e.Text
		for _, f := range e.Fields {
			line += " " + f.Name + "=" + f.Value
		}
		return line
	case Halt:
		return "halt " + e.Err.Error()
	}
	return ""
}

var (
	resourceMacro  = regexp.MustCompile(`res\(([^)]*)\)`)
	diskMacro      = regexp.MustCompile(`disk\(([^)]*)\)`)
	operationMacro = regexp.MustCompile(`op\((\d+)\)`)
	totalMacro     = regexp.MustCompile(`total\(([^)]*)\)`)
	idMacro        = regexp.MustCompile(`id\(([^)]*)\)`)
	packages       = []protoreflect.FullName{"troupe.cluster", "mesos.v1.scheduler", "mesos.v1.executor", "mesos.v1"}
)

// parse reads a message in text form. Type is its name without the package.
func parse(t *testing.T, name, text string) proto.Message {
	t.Helper()
	text = resourceMacro.ReplaceAllStringFunc(text, func(m string) string { return resourceText(t, m[len("res("):len(m)-1]) })
	text = totalMacro.ReplaceAllStringFunc(text, func(m string) string {
		return strings.ReplaceAll(resourceText(t, m[len("total("):len(m)-1]), "resources {", "total_resources {")
	})
	text = diskMacro.ReplaceAllStringFunc(text, func(m string) string { return diskText(m[len("disk(") : len(m)-1]) })
	text = operationMacro.ReplaceAllStringFunc(text, func(m string) string {
		n, _ := strconv.ParseUint(m[len("op("):len(m)-1], 10, 64)
		return fmt.Sprintf("{value: %q}", (&Machine{cfg: Config{MasterID: "M"}}).operationUUID(n))
	})
	text = idMacro.ReplaceAllString(text, `{value: "$1"}`)
	for _, p := range packages {
		typ, err := protoregistry.GlobalTypes.FindMessageByName(p.Append(protoreflect.Name(name)))
		if err != nil {
			continue
		}
		m := typ.New().Interface()
		if err := (prototext.UnmarshalOptions{AllowPartial: true}).Unmarshal([]byte(text), m); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return m
	}
	t.Fatalf("no message %q", name)
	return nil
}

// diskText is 60 of disk, "60 r" reserved for r, "60 r v" a volume v of that,
// "60 r v shared" one that is shared.
func diskText(text string) string {
	words := strings.Fields(text)
	out := `name: "disk" type: SCALAR scalar { value: ` + words[0] + ` }`
	if len(words) > 1 {
		out += ` reservations { type: DYNAMIC role: "` + words[1] + `" }`
	}
	if len(words) > 2 {
		out += ` disk { persistence { id: "` + words[2] + `" } volume { container_path: "data" mode: RW } }`
	}
	if len(words) > 3 {
		out += " shared {}"
	}
	return out
}

// resourceText is resources in text form; "cpus:1@web" are allocated to web.
func resourceText(t *testing.T, text string) string {
	amounts, role, _ := strings.Cut(text, "@")
	r, err := resources.Parse(amounts, "*")
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, p := range r.Allocate(role).Proto() {
		parts = append(parts, "resources {"+prototext.MarshalOptions{}.Format(p)+"}")
	}
	return strings.Join(parts, " ")
}

func registryOf(t *testing.T, text string) registry.Registry {
	t.Helper()
	var records []*cluster.RegistryRecord
	for words := strings.Fields(text); len(words) > 1; words = words[2:] {
		if f := frameworkOf(t, words[0], words[1]); f != nil {
			records = append(records, registry.FrameworkRecord(f))
			continue
		}
		status := cluster.AgentRecord_Status(cluster.AgentRecord_Status_value[words[1]])
		records = append(records, registry.AgentRecord(&cluster.AgentRecord{
			Agent:  &mesos.AgentInfo{Id: &mesos.AgentID{Value: &words[0]}, Hostname: proto.String("h-" + words[0])},
			Status: &status, Since: &mesos.TimeInfo{Nanoseconds: proto.Int64(900e9)},
		}))
	}
	r, err := registry.New(records)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// frameworkOf is a framework's record, nil for the status of an agent.
func frameworkOf(t *testing.T, id, status string) *cluster.FrameworkRecord {
	r := &cluster.FrameworkRecord{
		FrameworkId: &mesos.FrameworkID{Value: &id}, Since: &mesos.TimeInfo{Nanoseconds: proto.Int64(900e9)},
		Status: cluster.FrameworkRecord_COMPLETED.Enum(),
	}
	if status == "COMPLETED" {
		return r
	}
	kind, timeout, _ := strings.Cut(status, "/")
	if kind != "FRAMEWORK" {
		return nil
	}
	r.Status = cluster.FrameworkRecord_ADMITTED.Enum()
	r.Framework = &mesos.FrameworkInfo{Id: r.FrameworkId, User: proto.String("u"), Name: proto.String("n")}
	if timeout != "" {
		seconds, err := strconv.ParseFloat(timeout, 64)
		if err != nil {
			t.Fatal(err)
		}
		r.Framework.FailoverTimeout = &seconds
	}
	return r
}

func persistedOf(t *testing.T, text string) Persisted {
	t.Helper()
	var p Persisted
	var how string
	if n, err := fmt.Sscan(text, &p.Key, &how); n == 0 {
		t.Fatal(err)
	}
	switch how {
	case "conflict":
		p.Err = registry.ErrConflict
	case "failed":
		p.Err = errors.New("disk full")
	}
	return p
}
