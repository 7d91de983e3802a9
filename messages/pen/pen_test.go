package pen

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// copyWith writes a message with a pen, field by field, as if it were none.
func copyWith(p *Pen, m protoreflect.Message, sections bool) {
	form := Form{m.Descriptor()}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		d := fields.Get(i)
		if !m.Has(d) {
			continue
		}
		f := form.Field(string(d.Name()))
		if d.IsMap() {
			p.Map(f)
			m.Get(d).Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				p.Entry(f, k.String(), v.Message().Interface())
				return true
			})
			p.EndMap()
			continue
		}
		if !d.IsList() {
			copyValue(p, f, d, m.Get(d), sections)
			continue
		}
		p.List(f)
		for list, i := m.Get(d).List(), 0; i < list.Len(); i++ {
			if fork := p.Fork(); fork != nil && len(p.open) == 2 && i%7 == 0 { // now and then
				copyValue(fork, f, d, list.Get(i), false)
				p.Join(fork)
				continue
			}
			copyValue(p, f, d, list.Get(i), false)
		}
		p.EndList()
	}
}

func copyValue(p *Pen, f *Field, d protoreflect.FieldDescriptor, v protoreflect.Value, section bool) {
	switch d.Kind() {
	case protoreflect.MessageKind:
		switch {
		case section:
			p.Section(f)
			copyWith(p, v.Message(), true)
			p.EndSection()
		case len(p.open)%2 == 1: // a message that exists, now and then
			p.Message(f, v.Message().Interface())
		default:
			p.Begin(f)
			copyWith(p, v.Message(), false)
			p.End()
		}
	case protoreflect.StringKind:
		p.String(f, v.String())
	case protoreflect.BytesKind:
		p.Bytes(f, v.Bytes())
	case protoreflect.BoolKind:
		p.Bool(f, v.Bool())
	case protoreflect.EnumKind:
		p.Enum(f, int32(v.Enum()))
	case protoreflect.DoubleKind:
		p.Double(f, v.Float())
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		p.Uint(f, v.Uint())
	default:
		p.Int(f, v.Int())
	}
}

func text(prefix string, n int) *string { return proto.String(prefix + strings.Repeat("x", n)) }

// response is a random answer of some tasks, executors and agents.
func response(t *rapid.T) *master.Response {
	id := rapid.IntRange(0, 300)
	var tasks []*mesos.Task
	for i := range rapid.IntRange(0, 150).Draw(t, "tasks") {
		tasks = append(tasks, &mesos.Task{
			Name: text("né", id.Draw(t, "name")), TaskId: &mesos.TaskID{Value: text("t", i)}, FrameworkId: &mesos.FrameworkID{Value: text("f", 1)},
			AgentId: &mesos.AgentID{Value: text("s", id.Draw(t, "agent"))}, State: mesos.TaskState_TASK_RUNNING.Enum(),
			StatusUpdateUuid: []byte{1, 2, byte(i)}, Limits: map[string]*mesos.Value_Scalar{"mem": {Value: proto.Float64(1)}, "cpus": {Value: proto.Float64(0.5)}},
			Statuses: []*mesos.TaskStatus{{
				TaskId: &mesos.TaskID{Value: text("t", i)}, State: mesos.TaskState_TASK_STAGING.Enum(), Timestamp: proto.Float64(rapid.Float64().Draw(t, "time")),
				Healthy: proto.Bool(rapid.Bool().Draw(t, "healthy")), Message: text("m", rapid.SampledFrom([]int{0, 127, 128, 20_000}).Draw(t, "message")),
			}},
		})
	}
	agent := &master.Response_GetAgents_Agent{
		AgentInfo: &mesos.AgentInfo{Hostname: text("h", 3), Port: proto.Int32(-1)}, Active: proto.Bool(true), Version: text("v", 1),
		RegisteredTime: &mesos.TimeInfo{Nanoseconds: proto.Int64(rapid.Int64().Draw(t, "nanoseconds"))},
	}
	return &master.Response{
		Type:      master.Response_GET_STATE.Enum(),
		GetState:  &master.Response_GetState{GetTasks: &master.Response_GetTasks{Tasks: tasks}, GetAgents: &master.Response_GetAgents{Agents: []*master.Response_GetAgents_Agent{agent}}},
		GetMaster: &master.Response_GetMaster{MasterInfo: &mesos.MasterInfo{Id: text("i", 0), Ip: proto.Uint32(rapid.Uint32().Draw(t, "ip")), Port: proto.Uint32(5)}},
	}
}

// What a pen writes of a message reads back as that message, in both forms.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := response(t)
		for _, form := range []string{"json", "protobuf"} {
			var out bytes.Buffer
			p, read := JSON(&out), json.Unmarshal
			if form == "protobuf" {
				p, read = Protobuf(&out), func(b []byte, m proto.Message) error { return proto.Unmarshal(b, m) }
			}
			copyWith(p, want.ProtoReflect(), true)
			if err := p.Finish(); err != nil {
				t.Fatal(err)
			}
			got := new(master.Response)
			if err := read(out.Bytes(), got); err != nil || !proto.Equal(got, want) {
				t.Fatalf("%s: %v", form, err)
			}
		}
	})
}

// In JSON an empty list is there; unknown values of enums are numbers; in
// protobuf a string that is not UTF-8 is made readable.
func TestEdges(t *testing.T) {
	form := Of[*master.Response_GetTasks]()
	task := Of[*mesos.Task]()
	write := func(p *Pen) {
		tasks := form.Field("tasks")
		p.List(tasks)
		p.Begin(tasks)
		p.String(task.Field("name"), "a\xffb")
		p.Enum(task.Field("state"), 4711)
		p.End()
		p.EndList()
		p.List(form.Field("completed_tasks"))
		p.EndList()
	}
	var out bytes.Buffer
	p := JSON(&out)
	write(p)
	if err := p.Finish(); err != nil || out.String() != `{"tasks":[{"name":"a`+"\ufffd"+`b","state":4711}],"completed_tasks":[]}` {
		t.Errorf("%s, %v", &out, err)
	}
	out.Reset()
	p = Protobuf(&out)
	write(p)
	got := new(master.Response_GetTasks)
	if err := p.Finish(); err != nil {
		t.Error(err)
	}
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(out.Bytes(), got); err != nil || got.GetTasks()[0].GetName() != "a\ufffdb" {
		t.Errorf("%v, %v", got, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestErrorsOfTheWriter(t *testing.T) {
	for _, p := range []*Pen{JSON(failing{}), Protobuf(failing{})} {
		p.String(Of[*mesos.Task]().Field("name"), "x")
		if err := p.Finish(); err == nil || err.Error() != "full" {
			t.Errorf("error %v", err)
		}
	}
}

func TestFieldsThatAreNot(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, `mesos.v1.Task has no field "nmae"`) {
			t.Error(got)
		}
	}()
	Of[*mesos.Task]().Field("nmae")
}
