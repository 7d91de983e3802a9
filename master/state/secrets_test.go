package state

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/redact"
)

// An executor whose secrets the master has not kept is still the same, and one
// that differs elsewhere is not.
func TestExecutorsAreComparedWithoutSecrets(t *testing.T) {
	with := func(text, command string) *mesos.ExecutorInfo {
		return &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: proto.String("e")}, Command: &mesos.CommandInfo{
			Value: &command, Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{{
				Name: proto.String("P"), Type: mesos.Environment_Variable_SECRET.Enum(),
				Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte(text)}},
			}}},
		}}
	}
	kept := redact.Executor(with("secret", "run"))
	if !sameExecutor(kept, with("secret", "run")) || !sameExecutor(with("secret", "run"), kept) {
		t.Error("an executor is not the same without its secrets")
	}
	if sameExecutor(kept, with("secret", "walk")) {
		t.Error("another executor is taken for the same")
	}
}
