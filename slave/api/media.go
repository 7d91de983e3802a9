package api

import (
	"fmt"
	"net/http"
	"strings"

	"troupe/messages/carrier"
	"troupe/messages/mesos/agent"
)

// RecordIO is the media type of a sequence of records, which another header
// says the form of.
const RecordIO = "application/recordio"

// Media is how a request is written, and how its answer may be.
type Media struct {
	// Content is the form of the request, or of its records if it Streams.
	Content carrier.Form
	Streams bool
	// Accept is the form of the answer, or of its records. Records tells that
	// the client takes only a sequence of records, labelled as one; a sequence
	// for others is labelled by its form.
	Accept  carrier.Form
	Records bool
}

// mediaOf reads the headers of a request. Errors are *carrier.Problem.
func mediaOf(r *http.Request) (Media, error) {
	var m Media
	if err := m.content(r.Header); err != nil {
		return m, err
	}
	return m, m.accept(r.Header)
}

func (m *Media) content(h http.Header) error {
	const inner = "Message-Content-Type"
	kind, message := h.Get("Content-Type"), h.Get(inner)
	if kind == "" {
		return carrier.BadRequest("Expecting 'Content-Type' to be present")
	}
	m.Streams = kind == RecordIO
	switch {
	case m.Streams && message == "":
		return carrier.BadRequest("Expecting '" + inner + "' to be set for streaming requests")
	case !m.Streams && message != "":
		return unsupported("Expecting '%s' to be not set for non-streaming requests, but it is %q", inner, message)
	}
	var known bool
	if m.Streams {
		if m.Content, known = carrier.ParseForm(message); !known {
			return unsupported("Expecting '%s' of %s or %s, not %q", inner, carrier.JSON, carrier.Protobuf, message)
		}
	} else if m.Content, known = carrier.ParseForm(kind); !known {
		return unsupported("Expecting 'Content-Type' of %s or %s or %s, not %q", carrier.JSON, carrier.Protobuf, RecordIO, kind)
	}
	return nil
}

func (m *Media) accept(h http.Header) error {
	const inner = "Message-Accept"
	accept, message := h.Values("Accept"), h.Values(inner)
	form, ok := formOf(accept)
	switch {
	case ok && len(message) > 0:
		return unacceptable("Expecting '%s' to be not set for non-streaming responses, but it is %q", inner, strings.Join(message, ","))
	case ok:
		m.Accept = form
		return nil
	case !carrier.Accepts(accept, RecordIO):
		return unacceptable("Expecting 'Accept' to allow %s or %s or %s, not %q", carrier.JSON, carrier.Protobuf, RecordIO, strings.Join(accept, ","))
	}
	if m.Accept, ok = formOf(message); !ok {
		return unacceptable("Expecting '%s' to allow %s or %s, not %q", inner, carrier.JSON, carrier.Protobuf, strings.Join(message, ","))
	}
	m.Records = true
	return nil
}

// formOf is the preferred form that an Accept header allows.
func formOf(accept []string) (carrier.Form, bool) {
	for _, form := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
		if carrier.Accepts(accept, form.String()) {
			return form, true
		}
	}
	return carrier.JSON, false
}

// suits is an error for a call that is not what the headers say.
func (m Media) suits(call agent.Call_Type) error {
	switch streams := call == agent.Call_ATTACH_CONTAINER_INPUT; {
	case m.Streams && !streams:
		return unsupported("Streaming 'Content-Type' %s is not supported for %s call", RecordIO, call)
	case streams && !m.Streams:
		return unsupported("Expecting 'Content-Type' to be %s for %s call", RecordIO, call)
	}
	if m.Records && call != agent.Call_ATTACH_CONTAINER_OUTPUT && call != agent.Call_LAUNCH_NESTED_CONTAINER_SESSION {
		return unacceptable("Streaming response is not supported for %s call", call)
	}
	return nil
}

func unsupported(format string, a ...any) error {
	return &carrier.Problem{Status: http.StatusUnsupportedMediaType, Reason: fmt.Sprintf(format, a...)}
}

func unacceptable(format string, a ...any) error {
	return &carrier.Problem{Status: http.StatusNotAcceptable, Reason: fmt.Sprintf(format, a...)}
}
