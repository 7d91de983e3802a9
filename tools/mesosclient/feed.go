package mesosclient

import (
	"context"
	"io"

	"google.golang.org/protobuf/proto"
)

// RecordIO is the media type of sequences of records; the header
// Message-Content-Type, or Message-Accept, says of what.
const RecordIO = "application/recordio"

// Feed is a call that is itself a sequence of records.
type Feed struct {
	encoding Encoding
	body     *io.PipeWriter
	answered chan struct{}
	answer   *Answer
	err      error
}

// Feed begins a call. Its answer may come before its end.
func (e *Endpoint) Feed(ctx context.Context) *Feed {
	body, in := io.Pipe()
	f := &Feed{encoding: e.Encoding, body: in, answered: make(chan struct{})}
	go func() {
		defer close(f.answered)
		response, err := e.send(ctx, body, map[string]string{"Content-Type": RecordIO, "Message-Content-Type": e.Encoding.MediaType()})
		if err == nil {
			f.answer, err = answer(response)
			_ = response.Body.Close() // read to its end
		}
		f.err = err
		_ = body.CloseWithError(io.ErrClosedPipe) // never fails: who still sends is told
	}()
	return f
}

// Send sends a record. After an answer that came early it is io.ErrClosedPipe.
func (f *Feed) Send(m proto.Message) error {
	data, err := f.encoding.Marshal(m)
	if err != nil {
		return err
	}
	_, err = f.body.Write(Record(data))
	return err
}

// End ends the call and waits for its answer.
func (f *Feed) End() (*Answer, error) {
	_ = f.body.Close() // never fails
	return f.Answer()
}

// Answer waits for the answer without ending the call.
func (f *Feed) Answer() (*Answer, error) {
	<-f.answered
	return f.answer, f.err
}
