package view

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// The figures of a principal last as long as it has a framework: nobody fills
// memory with principals.
func TestMessagesOfPrincipals(t *testing.T) {
	m := NewModel(Limits{CompletedFrameworks: 9})
	framework := func(id FrameworkID) *Framework {
		return &Framework{ID: id, Info: &mesos.FrameworkInfo{Principal: proto.String("p")}}
	}
	heard := func(received, processed int64) {
		m.Apply(Messaged{Principal: "p", Messages: Messages{received, processed}})
	}
	expect := func(want Messages, there bool) {
		t.Helper()
		if got, is := m.Snapshot().Counters.Messages["p"]; got != want || is != there {
			t.Errorf("%+v, %v, want %+v, %v", got, is, want, there)
		}
	}
	m.Apply(FrameworkAdded{Framework: framework("F1")})
	m.Apply(FrameworkAdded{Framework: framework("F2")})
	heard(1, 1)
	heard(1, 0)
	expect(Messages{2, 1}, true)
	m.Apply(FrameworkRemoved{Framework: framework("F1")})
	heard(0, 1)
	expect(Messages{2, 2}, true)
	m.Apply(FrameworkRemoved{Framework: framework("F2")})
	heard(0, 1)
	expect(Messages{}, false)
}
