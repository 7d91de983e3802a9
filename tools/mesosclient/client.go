package mesosclient

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"google.golang.org/protobuf/proto"
)

// Paths of the APIs.
const (
	SchedulerPath = "/api/v1/scheduler"
	ExecutorPath  = "/api/v1/executor"
	OperatorPath  = "/api/v1"
)

// StreamID is the header that names a scheduler's subscription.
const StreamID = "Mesos-Stream-Id"

// Endpoint is one API of one process.
type Endpoint struct {
	// Address is "host:port".
	Address string
	// Path begins with a slash.
	Path     string
	Encoding Encoding
	// Authorization is that header of every request; empty: none.
	Authorization string
	// TLS makes it speak HTTPS, unless it is nil.
	TLS *tls.Config
}

// Basic is an Authorization that proves to be a principal by its secret.
func Basic(principal, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(principal+":"+secret))
}

// Answer is what a call was answered with, redirections included: none is
// followed.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

func (a *Answer) String() string { return fmt.Sprintf("%d %.500q", a.Status, a.Body) }

// Refused is the error of a call whose answer is not that of success.
type Refused struct{ *Answer }

func (r *Refused) Error() string { return "refused: " + r.String() }

// Leader is the address that an answer redirects to, "" without one.
func (a *Answer) Leader() string {
	to, err := url.Parse(a.Header.Get("Location"))
	if a.Status != http.StatusTemporaryRedirect || err != nil {
		return ""
	}
	return to.Host
}

// Post sends a body with headers, which replace those that the encoding gives;
// an empty value leaves the header out.
func (e *Endpoint) Post(ctx context.Context, body []byte, headers map[string]string) (*Answer, error) {
	response, err := e.send(ctx, bytes.NewReader(body), headers)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return answer(response)
}

func answer(response *http.Response) (*Answer, error) {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the body after status %d: %w", response.StatusCode, err)
	}
	return &Answer{response.StatusCode, response.Header, body}, nil
}

// Call sends a call; it is an error if its status is not 200 or 202.
func (e *Endpoint) Call(ctx context.Context, call proto.Message, headers map[string]string) (*Answer, error) {
	body, err := e.Encoding.Marshal(call)
	if err != nil {
		return nil, err
	}
	a, err := e.Post(ctx, body, headers)
	if err == nil && a.Status != http.StatusOK && a.Status != http.StatusAccepted {
		err = &Refused{a}
	}
	return a, err
}

// Ask sends a call and fills response with what it is answered.
func (e *Endpoint) Ask(ctx context.Context, call, response proto.Message) error {
	a, err := e.Call(ctx, call, nil)
	if err != nil {
		return err
	}
	if got := a.Header.Get("Content-Type"); got != e.Encoding.MediaType() {
		return fmt.Errorf("answered as %q, not %q: %s", got, e.Encoding.MediaType(), a)
	}
	return e.Encoding.Unmarshal(a.Body, response)
}

// Open sends a call whose answer is a stream of events. It is a *Refused if
// the status is not 200.
func (e *Endpoint) Open(ctx context.Context, call proto.Message, headers map[string]string) (*Stream, error) {
	body, err := e.Encoding.Marshal(call)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	response, err := e.send(ctx, bytes.NewReader(body), headers)
	if err != nil {
		cancel()
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		if got, want := response.Header.Get("Content-Type"), cmp.Or(headers["Accept"], e.Encoding.MediaType()); got != want {
			err = fmt.Errorf("a stream of %q, not %q", got, want)
		}
	} else {
		var a *Answer
		if a, err = answer(response); err == nil {
			err = &Refused{a}
		}
	}
	if err != nil {
		cancel()
		return nil, errors.Join(err, response.Body.Close())
	}
	return &Stream{Header: response.Header, body: response.Body, records: NewRecords(response.Body), encoding: e.Encoding, cancel: cancel}, nil
}

func (e *Endpoint) send(ctx context.Context, body io.Reader, headers map[string]string) (*http.Response, error) {
	scheme := "http://"
	if e.TLS != nil {
		scheme = "https://"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+e.Address+e.Path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", e.Encoding.MediaType())
	request.Header.Set("Accept", e.Encoding.MediaType())
	if e.Authorization != "" {
		request.Header.Set("Authorization", e.Authorization)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
		if value == "" {
			request.Header.Del(name)
		}
	}
	return e.transport().RoundTrip(request)
}

// transport opens a connection for each request, so that no call waits behind
// the stream that its subscription is.
func (e *Endpoint) transport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: e.TLS}
}

// Stream is the events of a subscription.
type Stream struct {
	Header   http.Header
	body     io.ReadCloser
	records  *Records
	encoding Encoding
	cancel   context.CancelFunc
}

// Next fills an empty message with the next event. It is io.EOF when the server
// has ended the stream in order.
func (s *Stream) Next(event proto.Message) error {
	record, err := s.Record()
	if err != nil {
		return err
	}
	return s.encoding.Unmarshal(record, event)
}

// Record is the next event as it was sent.
func (s *Stream) Record() ([]byte, error) { return s.records.Next() }

// Close breaks the connection, whatever is still to come.
func (s *Stream) Close() error {
	s.cancel()
	return s.body.Close()
}
