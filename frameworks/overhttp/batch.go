package overhttp

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

// records is the media type of sequences of records.
const records = "application/recordio"

// postAll sends calls in one request, which our masters take and those of Mesos do
// not. said is false if the master has done nothing of it, because it does not take
// such requests or one of the calls cannot be among others.
func (n *Connection) postAll(calls []*scheduler.Call) (said bool, err error) {
	form := n.client.form
	var body []byte
	for _, call := range calls {
		record, err := form.marshal(call)
		if err != nil {
			return false, fmt.Errorf("call %s: %w", call.GetType(), err)
		}
		body = recordio.Append(body, record)
	}
	ctx, cancel := context.WithTimeout(n.context, n.client.options.Patience)
	defer cancel()
	answer, err := n.request(ctx, body, "Content-Type", records, "Message-Content-Type", form.media(),
		"Accept", records, "Message-Accept", form.media(), streamHeader, n.streamID())
	if err != nil {
		return false, err
	}
	defer answer.Body.Close() // what was read is judged by itself
	switch status := answer.StatusCode; {
	case status == http.StatusOK && answer.Header.Get("Content-Type") == records:
		return true, n.judgeAll(calls, answer.Body)
	case redirects(status):
		n.judge(calls[0], answer, "")
		return true, nil
	case status == http.StatusUnsupportedMediaType:
		n.client.singly.Store(true)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, maxSaid)); err != nil {
		return false, reason(err)
	}
	if answer.StatusCode >= http.StatusBadRequest && answer.StatusCode < http.StatusInternalServerError {
		return false, nil
	}
	return false, fmt.Errorf("answer to %d calls: status %d", len(calls), answer.StatusCode)
}

// judgeAll hears what each call came to.
func (n *Connection) judgeAll(calls []*scheduler.Call, answer io.Reader) error {
	results := recordio.NewReader(answer, maxRecord)
	for i, call := range calls {
		record, err := results.Next()
		if err != nil {
			return fmt.Errorf("answer %d of %d: %w", i, len(calls), err)
		}
		result := new(scheduler.APIResult)
		if err := n.client.form.unmarshal(record, result); err != nil {
			return fmt.Errorf("answer %d of %d: %w", i, len(calls), err)
		}
		n.tell(call, int(result.GetStatusCode()), result.GetError())
	}
	if _, err := results.Next(); err != io.EOF { //nolint:errorlint // as the contract of recordio.Reader has it
		return fmt.Errorf("more answers than the %d calls", len(calls))
	}
	return nil
}
