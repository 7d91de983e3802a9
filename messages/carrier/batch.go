package carrier

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/proto"

	"troupe/messages/recordio"
)

// Records is the media type of a sequence of records; recordHeader says of what.
const (
	Records      = "application/recordio"
	recordHeader = "Message-Content-Type"
)

// IsBatch tells whether a request's body is a sequence of calls.
func IsBatch(r *http.Request) bool { return r.Header.Get("Content-Type") == Records }

// ReadBatch reads the calls in a body of records, each into what next returns, of
// which there may be so many. form is theirs, and that of the answer's records.
// Errors are as Read's, and name the record; then none of the calls counts.
func (in *Intake) ReadBatch(w http.ResponseWriter, r *http.Request, most int, next func() proto.Message) (form Form, err error) {
	if err := RequirePost(r); err != nil {
		return JSON, err
	}
	media := r.Header.Get(recordHeader)
	form, known := ParseForm(media)
	if !known {
		return form, &Problem{Status: http.StatusUnsupportedMediaType, Reason: fmt.Sprintf(
			"%s: %q: expecting %s or %s", recordHeader, shortened(media), mediaJSON, mediaProtobuf)}
	}
	body, err := in.body(w, r)
	defer in.held.Add(-int64(cap(body)))
	if err != nil {
		return form, err
	}
	var held int64
	defer func() { in.held.Add(-held) }()
	records := recordio.NewReader(bytes.NewReader(body), len(body))
	for i := 0; ; i++ {
		record, err := records.Next()
		switch {
		case errors.Is(err, io.EOF):
			return form, nil
		case err != nil:
			return form, BadRequest(fmt.Sprintf("records[%d]: %v", i, err))
		case i == most:
			return form, &Problem{Status: http.StatusRequestEntityTooLarge, Reason: fmt.Sprintf("the body has more than %d records", most)}
		}
		call := next()
		found := surveyOf(form, record, call.ProtoReflect().Descriptor())
		if err := in.hold(found.cost()); err != nil {
			return form, err
		}
		held += found.cost()
		var wrong *Problem
		if err := decode(form, record, call, found); errors.As(err, &wrong) {
			return form, &Problem{Status: wrong.Status, Reason: fmt.Sprintf("records[%d]: %s", i, wrong.Reason)}
		} else if err != nil {
			return form, err
		}
	}
}

// WriteBatch answers a request by one record for each message.
func WriteBatch[M proto.Message](w http.ResponseWriter, form Form, messages []M) error {
	var body []byte
	for _, m := range messages {
		frame, err := form.Frame(m)
		if err != nil {
			return err
		}
		body = append(body, frame...)
	}
	w.Header().Set("Content-Type", Records)
	w.Header().Set(recordHeader, form.String())
	_, err := w.Write(body)
	return err
}
