package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"troupe/messages/recordio"
)

// shownHeaders are those of answers that are on the page.
var shownHeaders = []string{
	"Allow", "Content-Disposition", "Content-Encoding", "Content-Range", "Content-Type", "Location", "Mesos-Stream-Id", "Message-Content-Type", "Retry-After", "Troupe-Resumed",
}

// open makes a request. The caller closes the answer's body.
func (r *request) open(ctx context.Context) (*http.Response, error) {
	ask, err := http.NewRequestWithContext(ctx, r.method, "http://"+r.to.address+r.path, strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	for _, h := range r.headers {
		if name, value, given := strings.Cut(h, ": "); given { // curl takes "Name:" for a header to leave out
			ask.Header.Add(name, value)
		}
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client.Do(ask)
}

// do makes a request and reads the answer to its end.
func (r *request) do(ctx context.Context) (*answer, error) {
	response, err := r.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	a := heading(response)
	a.body = body
	return a, nil
}

// heading is an answer without its body.
func heading(r *http.Response) *answer {
	a := &answer{status: r.Proto + " " + r.Status}
	for _, name := range shownHeaders {
		for _, value := range r.Header.Values(name) {
			a.headers = append(a.headers, name+": "+value)
		}
	}
	return a
}

// stream is an answer of records.
type stream struct {
	ask     *request
	answer  *answer
	body    io.Closer
	records chan *tree // closed when the stream has ended
	err     error      // why; set before
	kept    []*tree    // have arrived, and wait to be asked for
}

// maxWaiting is how many records may wait for the script: more than it causes.
const maxWaiting = 1000

// subscribe makes a request whose answer is a stream of JSON records. Its end,
// or that of ctx, ends the stream.
func (r *request) subscribe(ctx context.Context) (*stream, error) {
	r.lasts = true
	response, err := r.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err)
	}
	s := &stream{ask: r, answer: heading(response), body: response.Body, records: make(chan *tree, maxWaiting)}
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(response.Body)
		return nil, errors.Join(fmt.Errorf("%s: %s: %s", r.path, response.Status, text), err, response.Body.Close())
	}
	go func() {
		s.err = s.read(ctx, response.Body)
		close(s.records)
	}()
	return s, nil
}

func (s *stream) read(ctx context.Context, body io.Reader) error {
	in := recordio.NewReader(body, 64<<20)
	for {
		record, err := in.Next()
		if err != nil {
			return err
		}
		t, err := parse(record)
		if err != nil {
			return err
		}
		select {
		case s.records <- t:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// await returns the first record of a type for which ok, if it is not nil,
// holds. Others before it are kept for later.
func (s *stream) await(ctx context.Context, kind string, ok func(*tree) bool) (*tree, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for i := 0; ; i++ {
		if i == len(s.kept) {
			t, err := s.next(ctx)
			if err != nil {
				return nil, fmt.Errorf("no %s, but %q: %w", kind, s.kinds(), err)
			}
			s.kept = append(s.kept, t)
		}
		if t := s.kept[i]; t.member("type").string() == kind && (ok == nil || ok(t)) {
			s.kept = slices.Delete(s.kept, i, i+1)
			return t, nil
		}
	}
}

// wait is how long anything may take to happen, so that it can be said what did
// not.
const wait = time.Minute

// next is the record that arrives next.
func (s *stream) next(ctx context.Context) (*tree, error) {
	select {
	case t, more := <-s.records:
		if !more {
			return nil, fmt.Errorf("the stream ended: %w", s.err)
		}
		return t, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// end waits for the stream's end.
func (s *stream) end(ctx context.Context) error {
	for {
		t, err := s.next(ctx)
		if err != nil {
			return ctx.Err()
		}
		s.kept = append(s.kept, t)
	}
}

// kinds are the types of the records that are kept.
func (s *stream) kinds() []string {
	var kinds []string
	for _, t := range s.kept {
		kinds = append(kinds, t.member("type").string())
	}
	return kinds
}
