package mesosclient

import "google.golang.org/protobuf/proto"

// Encoding is a way to write calls and events.
type Encoding interface {
	// MediaType is what Content-Type and Accept call it.
	MediaType() string
	Marshal(m proto.Message) ([]byte, error)
	// Unmarshal fills an empty message.
	Unmarshal(data []byte, m proto.Message) error
}

// Encodings are all that there are.
func Encodings() []Encoding { return []Encoding{JSON{}, Protobuf{}} }

// Protobuf is the encoding of protocol buffers.
type Protobuf struct{}

// MediaType implements [Encoding].
func (Protobuf) MediaType() string { return "application/x-protobuf" }

// Marshal implements [Encoding].
func (Protobuf) Marshal(m proto.Message) ([]byte, error) { return proto.Marshal(m) }

// Unmarshal implements [Encoding].
func (Protobuf) Unmarshal(data []byte, m proto.Message) error { return proto.Unmarshal(data, m) }

// JSON is the encoding that Mesos clients use: names as in the .proto files,
// 64-bit integers as numbers, enumerations by name, bytes in base64.
type JSON struct{}

// MediaType implements [Encoding].
func (JSON) MediaType() string { return "application/json" }
