package api

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

// What a task keeps secret nobody reads off the agent.
func TestSecretsAreNotShown(t *testing.T) {
	const hidden = "correct-horse-battery-staple"
	secret := &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte(hidden)}}
	container := &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{
		Mode: mesos.Volume_RO.Enum(), ContainerPath: proto.String("password"),
		Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum(), Secret: secret},
	}}}
	command := &mesos.CommandInfo{Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
		{Name: proto.String("PASSWORD"), Type: mesos.Environment_Variable_SECRET.Enum(), Secret: secret},
	}}}
	task := &view.Task{Info: &mesos.TaskInfo{
		Name: proto.String("t"), TaskId: &mesos.TaskID{Value: proto.String("t")}, AgentId: &mesos.AgentID{Value: proto.String("a")}, Container: container,
		HealthCheck: &mesos.HealthCheck{Type: mesos.HealthCheck_COMMAND.Enum(), Command: command},
	}}
	executor := &view.ExecutorTree{
		Executor: &view.Executor{ID: "e", Info: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: proto.String("e")}, Command: command, Container: container}},
		Live:     []*view.Task{task},
	}
	s := &view.Snapshot{Agent: &view.Agent{Info: &mesos.AgentInfo{Hostname: proto.String("h"), Id: &mesos.AgentID{Value: proto.String("a")}}}, Frameworks: []*view.FrameworkTree{
		{Framework: &view.Framework{ID: "f", Info: &mesos.FrameworkInfo{User: proto.String("u"), Name: proto.String("f")}}, Executors: []*view.ExecutorTree{executor}},
	}}
	var state strings.Builder
	w := json.NewWriter(&state)
	writeExecutors(w, s, s.Frameworks[0].Executors)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"/state": state.String(), "GET_EXECUTORS": prototext.Format(executorsOf(s)), "GET_TASKS": prototext.Format(tasksOf(s))} {
		if strings.Contains(text, hidden) || strings.Contains(text, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ") {
			t.Errorf("%s shows a secret: %s", name, text)
		}
		if !strings.Contains(text, "password") && !strings.Contains(text, "PASSWORD") {
			t.Errorf("%s does not show that there is one: %s", name, text)
		}
	}
}
