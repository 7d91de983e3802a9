package overhttp

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
)

// form is how calls and events are written.
type form interface {
	media() string
	marshal(m proto.Message) ([]byte, error)
	unmarshal(data []byte, m proto.Message) error
}

type protobufForm struct{}

func (protobufForm) media() string                                { return "application/x-protobuf" }
func (protobufForm) marshal(m proto.Message) ([]byte, error)      { return proto.Marshal(m) }
func (protobufForm) unmarshal(data []byte, m proto.Message) error { return proto.Unmarshal(data, m) }

type jsonForm struct{}

func (jsonForm) media() string                                { return "application/json" }
func (jsonForm) marshal(m proto.Message) ([]byte, error)      { return json.Marshal(m), nil }
func (jsonForm) unmarshal(data []byte, m proto.Message) error { return json.Unmarshal(data, m) }
