package state

import (
	"cmp"
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

	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

var update = flag.Bool("update", false, "write what the scenarios give into testdata")

// scenario drives one machine by commands. A file in testdata is a list of
// blocks: commands, "----", what they did. "go test -update" records it.
//
//	configure WHAT [VALUE]     changes the next machine: cleanup, additive, mounts, inner, outer, hostname, resources
//	start [rebooted] [damaged] a machine, with what the journal holds
//	forget                     takes the oldest record out of the journal
//	snapshot                   rewrites the journal with the machine's snapshot
//	recv FROM TYPE TEXT        a message in protobuf text; res(cpus:1) stands for resources, id(x) for {value: "x"}, uuid(7) for a uuid
//	                           dyn(FIELD,cpus:1) for such reserved to r, vol(FIELD,v1,64) for a volume of r, op(7) for an operation's uuid
//	ackop N                    the master acknowledges the last update it got of an operation
//	volumes auto|manual        whether what is to be done with volumes is answered at once
//	volume [ERROR]             answers the oldest of these
//	ack TASK                   the master acknowledges the last update it got of a task
//	found HOST PID             answers WatchHost
//	master PEER | exit PEER | fire KEY | hostended HOST [WHY] | swept HOST [CONTAINER=STATUS]... | shutdown WHY
//	sandbox CONTAINER [ERROR]  answers MakeSandbox
//	sandboxes auto|manual      whether each MakeSandbox is answered at once
//	strays CONTAINER...        answers FindStrays
//	lend RESOURCES             an estimate of what the agent lends
//	preempt CONTAINER WHY      a correction
//	stalled ERROR | unstalled  the journal has no room, or has again
//	durable [ERROR]            answers the oldest Checkpoint
//	journal auto|manual        whether each Checkpoint is answered at once
//
// Containers and hosts are called C1, C2…, H1, H2… in the order of their
// appearance.
type scenario struct {
	t            testing.TB
	m            *Machine
	now          time.Time
	config       Config
	seed         uint64
	manual       bool
	sandboxes    bool // manual
	volumes      bool // manual
	disk         []Input
	journal      []*cluster.JournalRecord
	waiting      []Checkpoint
	names, ids   map[string]string
	acknowledges map[string]*cluster.StatusUpdate
	operations   map[string]*cluster.OperationUpdate
	out          strings.Builder
}

func testConfig(seed uint64) Config {
	return Config{
		Info:    &mesos.AgentInfo{Hostname: proto.String("h1"), Port: proto.Int32(5051)},
		Version: "1", Endpoint: "10.0.0.1:5051", ContainersPerHost: 2, Containers: Containers{
			SwitchUser: true, VolumeFolder: func(v Volume) string { return "/volumes/" + v.Role + "/" + v.ID },
		},
		Capabilities: []mesos.AgentInfo_Capability_Type{mesos.AgentInfo_Capability_RESIZE_VOLUME},
		Seed:         [2]uint64{seed, seed + 1}, Sandbox: func(_ string, f FrameworkID, e ExecutorID, c ContainerID) string {
			return "/w/" + string(f) + "/" + string(e) + "/" + string(c)
		},
		StandaloneSandbox: func(c ContainerID) string { return "/alone/" + string(c) },
	}
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
		t: t, now: time.Unix(1000, 0), config: testConfig(0), names: map[string]string{}, ids: map[string]string{},
		acknowledges: map[string]*cluster.StatusUpdate{}, operations: map[string]*cluster.OperationUpdate{},
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
	// At once: an id may have another's name in it.
	line = idName.ReplaceAllStringFunc(line, func(name string) string { return cmp.Or(s.ids[name], name) })
	verb, rest, _ := strings.Cut(line, " ")
	first, more, _ := strings.Cut(rest, " ")
	switch verb {
	case "start":
		s.seed += 2
		s.config.Seed = [2]uint64{s.seed, s.seed + 1}
		s.m, s.waiting = New(s.config), nil
		in := Started{Records: s.journal, Rebooted: strings.Contains(rest, "rebooted")}
		if strings.Contains(rest, "damaged") {
			in.Damaged = 1
		}
		s.step(in)
	case "configure":
		s.configure(first, more)
	case "forget":
		s.journal = s.journal[1:]
	case "snapshot":
		s.journal = s.m.Snapshot()
	case "recv":
		name, text, _ := strings.Cut(more, " ")
		s.step(Received{From: Peer(first), Message: parse(s.t, name, text)})
	case "ack":
		u := s.acknowledges[rest]
		s.step(Received{From: "master@m:5050#a", Message: &cluster.StatusUpdateAck{
			FrameworkId: u.FrameworkId, AgentId: u.AgentId, TaskId: u.GetStatus().TaskId, Uuid: u.GetStatus().Uuid,
		}})
	case "ackop":
		u := s.operations[fmt.Sprintf("%016s", rest)]
		s.step(Received{From: "master@m:5050#a", Message: &cluster.OperationUpdateAck{
			OperationUuid: u.OperationUuid, StatusUuid: u.GetStatus().Uuid,
		}})
	case "volumes":
		s.volumes = rest == "manual"
	case "volume":
		s.answerVolume(asError(rest))
	case "sandbox":
		s.step(SandboxMade{ContainerID(first), asError(more)})
	case "sandboxes":
		s.sandboxes = rest == "manual"
	case "durable":
		w := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.step(Checkpointed{w.Key, asError(rest)})
	case "journal":
		s.manual = rest == "manual"
	default:
		s.step(simpleInput(s.t, verb, rest, first, more))
	}
}

func (s *scenario) answerVolume(err error) {
	in := s.disk[0]
	s.disk = s.disk[1:]
	switch answer := in.(type) {
	case VolumesChanged:
		answer.Err = err
		in = answer
	case VolumesLinked:
		answer.Err = err
		in = answer
	}
	s.step(in)
}

func (s *scenario) configure(what, value string) {
	s.config.Info = proto.CloneOf(s.config.Info)
	switch what {
	case "cleanup":
		s.config.Cleanup = true
	case "additive":
		s.config.Additive = true
	case "mounts":
		s.config.MountVolumes = true
	case "inner", "outer":
		s.config.CollectInner = what == "inner"
	case "hostname":
		s.config.Info.Hostname = &value
	case "resources":
		s.config.Info.Resources = resources.MustParse(value).Proto()
	default:
		s.t.Fatalf("unknown setting %q", what)
	}
}

func simpleInput(t testing.TB, verb, rest, first, more string) Input {
	t.Helper()
	switch verb {
	case "master":
		return MasterDetected{Peer(rest)}
	case "exit":
		return PeerExited{Peer(rest)}
	case "fire":
		return TimerFired{rest}
	case "stalled":
		return JournalStalled{errors.New(rest)}
	case "unstalled":
		return JournalStalled{}
	case "found":
		pid, err := strconv.ParseInt(more, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		return HostStarted{HostID(first), int32(pid), 70}
	case "hostended":
		return HostEnded{HostID(first), more}
	case "swept":
		return sweptOf(t, first, strings.Fields(more))
	case "strays":
		var found StraysFound
		for _, c := range strings.Fields(rest) {
			found.Containers = append(found.Containers, ContainerID(c))
		}
		return found
	case "shutdown":
		return ShutdownOrdered{rest}
	case "lend":
		return Estimated{revocableOf(rest)}
	case "preempt":
		return Preempted{ContainerID(first), more}
	}
	t.Fatalf("unknown command %q", verb)
	return nil
}

// sweptOf reads how programs had ended: CONTAINER=STATUS or CONTAINER/TASK=STATUS.
func sweptOf(t testing.TB, host string, exits []string) Swept {
	in := Swept{Host: HostID(host), Exits: map[Program]int32{}}
	for _, x := range exits {
		program, status, _ := strings.Cut(x, "=")
		container, task, _ := strings.Cut(program, "/")
		n, err := strconv.ParseInt(status, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		in.Exits[Program{ContainerID(container), TaskID(task)}] = int32(n)
	}
	return in
}

func asError(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// step prints what an input leads to, and what the answers lead to.
func (s *scenario) step(in Input) {
	inputs := []Input{in}
	for len(inputs) > 0 {
		next := inputs[0]
		inputs = inputs[1:]
		for _, e := range s.m.Step(s.now, next) {
			inputs = append(inputs, s.perform(e)...)
			if line := describe(e); line != "" {
				s.out.WriteString(s.rename(line) + "\n")
			}
		}
	}
}

// perform does what the shell does, and returns the answer if it comes at
// once.
func (s *scenario) perform(e Effect) []Input {
	switch e := e.(type) {
	case Send:
		if u, ok := e.Message.(*cluster.StatusUpdate); ok {
			s.acknowledges[u.GetStatus().GetTaskId().GetValue()] = u
		}
		if u, ok := e.Message.(*cluster.OperationUpdate); ok {
			s.operations[string(u.GetOperationUuid().GetValue())] = u
		}
	case MakeVolumes:
		return s.onDisk(VolumesChanged{Operation: e.Operation})
	case RemoveVolumes:
		return s.onDisk(VolumesChanged{Operation: e.Operation})
	case LinkVolumes:
		return s.onDisk(VolumesLinked{Container: e.Container, Launch: e.Launch})
	case StartHost:
		s.name("H", string(e.Host))
		return []Input{HostStarted{Host: e.Host, Pid: 7, Started: 70}}
	case MakeSandbox:
		s.name("C", string(e.Container))
		if !s.sandboxes {
			return []Input{SandboxMade{Container: e.Container}}
		}
	case Checkpoint:
		s.journal = append(s.journal, e.Records...)
		for _, r := range e.Records {
			s.name("C", r.GetExecutor().GetContainerId().GetValue())
		}
		if !s.manual {
			return []Input{Checkpointed{Key: e.Key}}
		}
		s.waiting = append(s.waiting, e)
	}
	return nil
}

func (s *scenario) onDisk(in Input) []Input {
	if !s.volumes {
		return []Input{in}
	}
	s.disk = append(s.disk, in)
	return nil
}

func (s *scenario) name(letter, id string) {
	if _, ok := s.names[id]; ok || id == "" {
		return
	}
	n := 1
	for s.ids[fmt.Sprint(letter, n)] != "" {
		n++
	}
	s.names[id] = fmt.Sprint(letter, n)
	s.ids[fmt.Sprint(letter, n)] = id
}

// idName is what stands for an id in a scenario.
var idName = regexp.MustCompile(`\b[A-Z][0-9]+\b`)

var uuidText = regexp.MustCompile(`"uuid":"[A-Za-z0-9+/]{22}=="`)

func (s *scenario) rename(line string) string {
	for id, name := range s.names {
		line = strings.ReplaceAll(line, id, name)
	}
	return uuidText.ReplaceAllString(line, `"uuid":"~"`)
}

// describe prints an effect; what is published is only a picture of it all.
func describe(e Effect) string {
	switch e := e.(type) {
	case Send:
		return fmt.Sprintf("send %s %s %s", e.To, e.Message.ProtoReflect().Descriptor().Name(), brief(e.Message))
	case SetTimer:
		return fmt.Sprintf("timer %s in %s", e.Key, e.After)
	case CancelTimer:
		return "cancel " + e.Key
	case Link:
		return "link " + string(e.Peer)
	case Unlink:
		return "unlink " + string(e.Peer)
	case Checkpoint:
		line := "checkpoint"
		for _, r := range e.Records {
			line += " " + strings.TrimPrefix(fmt.Sprintf("%T", r.Record), "*cluster.JournalRecord_")
		}
		return line
	case MakeSandbox:
		return fmt.Sprintf("make sandbox %s user=%s", e.Container, e.User)
	case RetireSandbox:
		return "retire sandbox " + string(e.Container)
	case Note:
		line := [...]string{"debug", "info", "warn"}[e.Level] + ": " + e.Text
		for _, f := range e.Fields {
			line += " " + f.Name + "=" + f.Value
		}
		return line
	case Exit:
		return fmt.Sprintf("exit: %s (%v)", e.Reason, e.Err)
	case Publish:
		return ""
	}
	text := strings.ReplaceAll(fmt.Sprintf("%#v", e), ", Tasks:[]view.TaskID(nil)", "")
	return strings.ToLower(strings.TrimPrefix(text, "state."))
}

// brief leaves out what tests of its own look at.
func brief(m proto.Message) string {
	m = proto.Clone(m)
	if l, ok := m.(*cluster.LaunchContainer); ok {
		l.Environment = nil
	}
	return string(json.Marshal(m))
}

var (
	resourceMacro = regexp.MustCompile(`res\(([^)]*)\)`)
	idMacro       = regexp.MustCompile(`id\(([^)]*)\)`)
	dynMacro      = regexp.MustCompile(`dyn\((\w+),([^)]*)\)`)
	volMacro      = regexp.MustCompile(`vol\((\w+),(\w+),(\d+)\)`)
	opMacro       = regexp.MustCompile(`\bop\((\d+)\)`)
	uuidMacro     = regexp.MustCompile(`uuid\((\d+)\)`)
	packages      = []protoreflect.FullName{"troupe.cluster", "mesos.v1.executor", "mesos.v1"}
)

// parse reads a message in text form. Type is its name without the package.
func parse(t testing.TB, name, text string) proto.Message {
	t.Helper()
	text = resourceMacro.ReplaceAllStringFunc(text, func(m string) string { return resourceText(m[len("res(") : len(m)-1]) })
	text = uuidMacro.ReplaceAllStringFunc(text, func(m string) string { return fmt.Sprintf("uuid: %q", fmt.Sprintf("%016s", m[5:len(m)-1])) })
	text = dynMacro.ReplaceAllStringFunc(text, func(m string) string {
		parts := dynMacro.FindStringSubmatch(m)
		return reservedText(parts[1], parts[2])
	})
	text = volMacro.ReplaceAllString(text, `$1 { name: "disk" type: SCALAR scalar { value: $3 } reservations { type: DYNAMIC role: "r" } `+
		`disk { persistence { id: "$2" } volume { container_path: "data" mode: RW } } }`)
	text = opMacro.ReplaceAllStringFunc(text, func(m string) string {
		return fmt.Sprintf("operation_uuid { value: %q }", fmt.Sprintf("%016s", m[3:len(m)-1]))
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

func resourceText(text string) string {
	var parts []string
	for _, p := range resources.MustParse(text).Allocate("*").Proto() {
		parts = append(parts, "resources {"+prototext.MarshalOptions{}.Format(p)+"}")
	}
	return strings.Join(parts, " ")
}

func reservedText(field, text string) string {
	var parts []string
	for _, p := range resources.MustParse(text).Proto() {
		p.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("r")}}
		parts = append(parts, field+" {"+prototext.MarshalOptions{}.Format(p)+"}")
	}
	return strings.Join(parts, " ")
}

func revocableOf(text string) resources.Resources {
	return resources.MustParse(text).Convert(func(r *mesos.Resource) { r.Revocable = &mesos.Resource_RevocableInfo{} })
}
