package overhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

// subscribe begins a stream in the place of the one before. It needs the lock.
func (n *Connection) subscribe(call *scheduler.Call) {
	n.quit()
	ctx, quit := context.WithCancel(n.context)
	n.attempt++
	n.stream, n.quit = "", quit
	attempt := n.attempt
	n.workers.Go(func() {
		defer quit()
		if err := n.listen(ctx, call, attempt); err != nil && n.is(attempt) {
			n.lose(err.Error())
		}
	})
}

// is tells whether a subscription is the present one.
func (n *Connection) is(attempt int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.attempt == attempt && !n.over
}

// open notes the name of the present subscription.
func (n *Connection) open(attempt int, stream string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.attempt != attempt || n.over {
		return false
	}
	n.stream = stream
	return true
}

// listen subscribes and hears every event. It returns nil when the master
// answered by no stream, or another subscription has taken its place.
func (n *Connection) listen(ctx context.Context, call *scheduler.Call, attempt int) error {
	answer, err := n.ask(ctx, call, "")
	if err != nil {
		return err
	}
	defer answer.Body.Close() // the stream's end is judged by what was read
	if answer.StatusCode != http.StatusOK {
		said, err := io.ReadAll(io.LimitReader(answer.Body, maxSaid))
		if err != nil {
			return fmt.Errorf("answer to SUBSCRIBE: %w", reason(err))
		}
		if n.is(attempt) {
			n.judge(call, answer, string(said))
		}
		return nil
	}
	if media := answer.Header.Get("Content-Type"); media != n.client.form.media() {
		return fmt.Errorf("answer to SUBSCRIBE: Content-Type: %q: is not %s", media, n.client.form.media())
	}
	if !n.open(attempt, answer.Header.Get(streamHeader)) {
		return nil
	}
	return n.hear(answer.Body, attempt)
}

// hear hears events until the stream ends.
func (n *Connection) hear(stream io.Reader, attempt int) error {
	records := recordio.NewReader(stream, maxRecord)
	done := func() { <-n.events }
	for {
		record, err := records.Next()
		switch {
		case errors.Is(err, io.EOF):
			n.drain() // the answer to the last call may say why
			return errors.New("the master has ended the subscription")
		case err != nil:
			return err
		}
		e := new(scheduler.Event)
		if err := n.client.form.unmarshal(record, e); err != nil {
			return fmt.Errorf("event: %w", err)
		}
		select {
		case n.events <- struct{}{}:
		case <-n.context.Done():
			return context.Cause(n.context)
		}
		if !n.is(attempt) {
			done()
			return nil
		}
		n.ear.Event(e, done)
	}
}
