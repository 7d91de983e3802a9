package carrier

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
)

// What the zero Intake stands for.
const (
	DefaultMaxBody  = 16 << 20
	DefaultMaxAll   = 256 << 20
	DefaultPatience = 30 * time.Second
)

// Intake reads calls, and bounds what all that it reads at once can cost. The
// zero Intake has the defaults. Handlers share it.
type Intake struct {
	MaxBody int64 // bytes of one body
	MaxAll  int64 // bytes of the bodies that are being read, and of what is made of them
	// Patience is how long a body may take to arrive.
	Patience time.Duration

	held atomic.Int64
}

// Read reads the call in a request's body. What is wrong is a *Problem: 405
// unless the method is POST; 400 without Content-Type and 415 for one that is
// no Form's, or another Content-Encoding than gzip; 413 for a body that is, or
// becomes, too large or holds too many messages, 503 while too many are being read, 408
// for one that is too slow; 400, with the path of the field, for what cannot be
// read, lacks a required field, or has a string that is not UTF-8.
func (in *Intake) Read(w http.ResponseWriter, r *http.Request, call proto.Message) error {
	if err := RequirePost(r); err != nil {
		return err
	}
	form, err := contentForm(r)
	if err != nil {
		return err
	}
	return in.ReadBody(w, r, form, call)
}

// ReadBody is Read for who knows the method and the form.
func (in *Intake) ReadBody(w http.ResponseWriter, r *http.Request, form Form, call proto.Message) error {
	body, err := in.body(w, r)
	defer in.held.Add(-int64(cap(body)))
	if err != nil {
		return err
	}
	found := surveyOf(form, body, call.ProtoReflect().Descriptor())
	more := found.cost()
	if err := in.hold(more); err != nil {
		return err
	}
	defer in.held.Add(-more)
	return decode(form, body, call, found)
}

// hold counts what is made of a body, in bytes, unless that is too much.
func (in *Intake) hold(more int64) error {
	switch most := cmp.Or(in.MaxAll, DefaultMaxAll); {
	case more > most:
		return &Problem{Status: http.StatusRequestEntityTooLarge, Reason: "the body holds too many messages"}
	case !in.reserve(more):
		return errTooMany
	}
	return nil
}

// errTooMany refuses what may be asked for again.
var errTooMany = &Problem{Status: http.StatusServiceUnavailable, Reason: "too many large requests at once"}

// RequirePost is a *Problem, 405, unless the method is POST.
func RequirePost(r *http.Request) error {
	if r.Method == http.MethodPost {
		return nil
	}
	return &Problem{
		Status: http.StatusMethodNotAllowed, Allow: http.MethodPost,
		Reason: "method " + shortened(r.Method) + ": expecting POST",
	}
}

// contentForm is the form of a request's body.
func contentForm(r *http.Request) (Form, error) {
	media := r.Header.Get("Content-Type")
	if len(r.Header.Values("Content-Type")) == 0 {
		return JSON, BadRequest("Content-Type: is absent: expecting " + mediaJSON + " or " + mediaProtobuf)
	}
	form, known := ParseForm(media)
	if !known {
		return form, &Problem{Status: http.StatusUnsupportedMediaType, Reason: fmt.Sprintf(
			"Content-Type: %q: expecting %s or %s", shortened(media), mediaJSON, mediaProtobuf)}
	}
	return form, nil
}

// Decode reads a call that has arrived; errors are as Read's.
func Decode(form Form, body []byte, call proto.Message) error {
	return decode(form, body, call, surveyOf(form, body, call.ProtoReflect().Descriptor()))
}

func decode(form Form, body []byte, call proto.Message, found survey) error {
	var err error
	if form == JSON {
		err = json.Unmarshal(body, call)
	} else {
		err = unmarshal(body, call)
	}
	if err == nil && found.doubtful {
		err = checkUTF8(call.ProtoReflect())
	}
	if err != nil {
		return BadRequest(fmt.Sprintf("%s: %v", call.ProtoReflect().Descriptor().FullName(), err))
	}
	return nil
}

// unmarshal has errors of its own words: those of the library differ from build
// to build.
func unmarshal(body []byte, call proto.Message) error {
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(body, call); err != nil {
		return errors.New("the body cannot be read as protobuf")
	}
	if proto.CheckInitialized(call) == nil { // which is quick
		return nil
	}
	return missing(call.ProtoReflect())
}

// firstStep is what is read before it is known how much there is, in bytes.
const firstStep = 4 << 10

// body reads all of a request's body. What it returns, even with an error, is
// counted as held by its capacity.
func (in *Intake) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := cmp.Or(in.MaxBody, DefaultMaxBody)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		return nil, tooLarge(limit)
	}
	until := http.NewResponseController(w)
	if err := until.SetReadDeadline(time.Now().Add(cmp.Or(in.Patience, DefaultPatience))); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	src, err := decoded(http.MaxBytesReader(w, r.Body, limit), r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, unread(err, limit)
	}
	data, err := in.readAll(src, limit)
	if err != nil {
		return data, err // with the deadline: nothing more is read on this connection
	}
	// A deadline that stayed would end the request when it passes.
	if err := until.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return data, fmt.Errorf("read the body: %w", err)
	}
	return data, nil
}

// decoded undoes the encoding of a body: none, or gzip.
func decoded(body io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		return gzip.NewReader(body)
	}
	return nil, &Problem{
		Status: http.StatusUnsupportedMediaType,
		Reason: fmt.Sprintf("Content-Encoding: %q: expecting gzip, or none", shortened(encoding)),
	}
}

func (in *Intake) readAll(src io.Reader, limit int64) ([]byte, error) {
	var data []byte
	for {
		if len(data) == cap(data) {
			grown := min(max(firstStep, 2*int64(cap(data))), limit+1)
			if !in.reserve(grown - int64(cap(data))) {
				return data, errTooMany
			}
			data = append(make([]byte, 0, grown), data...)
		}
		n, err := src.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return data, tooLarge(limit)
		}
		if err == io.EOF { //nolint:errorlint // as the contract of io.Reader has it
			return data, nil
		}
		if err != nil {
			return data, unread(err, limit)
		}
	}
}

func (in *Intake) reserve(n int64) bool {
	if in.held.Add(n) <= cmp.Or(in.MaxAll, DefaultMaxAll) {
		return true
	}
	in.held.Add(-n)
	return false
}

// unread says why a body could not be read.
func unread(err error, limit int64) error {
	var over *http.MaxBytesError
	var late interface{ Timeout() bool }
	var known *Problem
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &over):
		return tooLarge(limit)
	case errors.As(err, &late) && late.Timeout():
		return &Problem{Status: http.StatusRequestTimeout, Reason: "the body did not arrive in time"}
	}
	return BadRequest("the body cannot be read: " + err.Error())
}

func tooLarge(limit int64) *Problem {
	return &Problem{
		Status: http.StatusRequestEntityTooLarge,
		Reason: fmt.Sprintf("the body is over the limit of %d bytes", limit),
	}
}
