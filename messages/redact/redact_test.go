package redact

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

const hidden = "correct horse battery staple"

func value() *mesos.Secret {
	return &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte(hidden)}}
}

func reference() *mesos.Secret {
	return &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum(), Reference: &mesos.Secret_Reference{Name: proto.String("db")}}
}

func command(s *mesos.Secret) *mesos.CommandInfo {
	return &mesos.CommandInfo{Value: proto.String("true"), Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
		{Name: proto.String("A"), Value: proto.String("plain")}, {Name: proto.String("P"), Type: mesos.Environment_Variable_SECRET.Enum(), Secret: s},
	}}}
}

func container(s *mesos.Secret) *mesos.ContainerInfo {
	image := &mesos.Image{Type: mesos.Image_DOCKER.Enum(), Docker: &mesos.Image_Docker{Name: proto.String("i"), Config: s}}
	return &mesos.ContainerInfo{
		Type: mesos.ContainerInfo_MESOS.Enum(), Mesos: &mesos.ContainerInfo_MesosInfo{Image: image},
		Volumes: []*mesos.Volume{
			{Mode: mesos.Volume_RO.Enum(), ContainerPath: proto.String("p"), Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum(), Secret: s}},
			{Mode: mesos.Volume_RO.Enum(), ContainerPath: proto.String("i"), Image: image},
		},
	}
}

func executor(s *mesos.Secret) *mesos.ExecutorInfo {
	return &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: proto.String("e")}, Command: command(s), Container: container(s)}
}

func health(s *mesos.Secret) *mesos.HealthCheck {
	return &mesos.HealthCheck{Type: mesos.HealthCheck_COMMAND.Enum(), Command: command(s)}
}

func TestValuesAreHidden(t *testing.T) {
	for name, c := range map[string]struct{ before, after proto.Message }{
		"container": {container(value()), Container(container(value()))}, "command": {command(value()), Command(command(value()))},
		"health check": {health(value()), HealthCheck(health(value()))}, "executor": {executor(value()), Executor(executor(value()))},
	} {
		before, err := prototext.Marshal(c.before)
		if err != nil {
			t.Fatal(err)
		}
		after, err := prototext.Marshal(c.after) // which also needs what is required
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(string(before), hidden, "")
		if string(after) != want && strings.ReplaceAll(string(after), " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s: %s, want %s", name, after, want)
		}
		if !strings.Contains(string(before), hidden) || strings.Contains(string(after), hidden) {
			t.Errorf("%s: %s became %s", name, before, after)
		}
	}
}

func TestTheGivenIsNotChanged(t *testing.T) {
	e := executor(value())
	if Executor(e); !proto.Equal(e, executor(value())) {
		t.Error("an executor lost its secrets")
	}
	if e := executor(reference()); Executor(e) != e {
		t.Error("an executor without values was copied")
	}
	if c := container(reference()); Container(c) != c || Container(nil) != nil || Command(nil) != nil || HealthCheck(nil) != nil || Executor(nil) != nil {
		t.Error("what has no values was copied")
	}
	if c := command(reference()); Command(c) != c {
		t.Error("a command without values was copied")
	}
	if h := health(reference()); HealthCheck(h) != h {
		t.Error("a health check without values was copied")
	}
}
