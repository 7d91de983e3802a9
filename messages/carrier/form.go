package carrier

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/recordio"
)

// Media types of bodies and records.
const (
	mediaJSON     = "application/json"
	mediaProtobuf = "application/x-protobuf"
)

// Form is how a message is written.
type Form uint8

// The forms; the zero Form is JSON, which is what is preferred.
const (
	JSON Form = iota
	Protobuf
)

// String is the media type.
func (f Form) String() string {
	if f == Protobuf {
		return mediaProtobuf
	}
	return mediaJSON
}

// ParseForm finds the form of a media type, which must be written as Mesos
// writes it, without parameters.
func ParseForm(media string) (Form, bool) {
	switch media {
	case mediaJSON:
		return JSON, true
	case mediaProtobuf:
		return Protobuf, true
	}
	return JSON, false
}

// Append appends m to b. Only a message that lacks a required field fails, in
// the form of protobuf.
func (f Form) Append(b []byte, m proto.Message) ([]byte, error) {
	if f == JSON {
		return json.Append(b, m), nil
	}
	b, err := proto.MarshalOptions{}.MarshalAppend(b, m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	return b, nil
}

// Frame returns m as one record with its frame, as Stream.SendFrame takes it:
// many streams may share it.
func (f Form) Frame(m proto.Message) ([]byte, error) {
	record, err := f.Append(nil, m)
	if err != nil {
		return nil, err
	}
	return recordio.Append(make([]byte, 0, len(record)+20), record), nil
}

// Negotiate finds the form of an answer by the request's Accept: JSON where
// that is accepted, then protobuf; else the error is a *Problem, 406.
func Negotiate(r *http.Request) (Form, error) {
	for _, f := range []Form{JSON, Protobuf} {
		if Accepts(r.Header.Values("Accept"), f.String()) {
			return f, nil
		}
	}
	return JSON, &Problem{Status: http.StatusNotAcceptable, Reason: fmt.Sprintf("Accept: %q: expecting %s or %s to be acceptable",
		shortened(strings.Join(r.Header.Values("Accept"), ",")), mediaJSON, mediaProtobuf)}
}

// Accepts tells whether the values of an Accept header allow a media type, by
// name, as "type/*" or as "*/*", in this order of precedence; with a quality of
// 0 the first that matches forbids it. No header, or an empty one, allows all.
// Of several headers the last counts, as in Mesos: clients in Go send one for
// each of their layers.
func Accepts(header []string, media string) bool {
	if len(header) == 0 || strings.TrimSpace(header[len(header)-1]) == "" {
		return true
	}
	all := header[len(header)-1]
	kind, _, _ := strings.Cut(media, "/")
	for _, candidate := range []string{media, kind + "/*", "*/*"} {
		for item := range strings.SplitSeq(all, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(name), candidate) {
				return !zeroQuality(parameters)
			}
		}
	}
	return false
}

// zeroQuality tells whether parameters have a q that is not above 0.
func zeroQuality(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, found := strings.Cut(p, "=")
		if found && strings.TrimSpace(name) == "q" {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return err != nil || q <= 0
		}
	}
	return false
}
