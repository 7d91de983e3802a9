package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"
)

// Poster delivers one body to a callback. An error means that it did not arrive.
type Poster func(ctx context.Context, url string, body []byte) error

const (
	longestURL   = 2048
	postPatience = 10 * time.Second
	// After a failure nothing is sent for firstPause, doubling up to longestPause;
	// what does not fit in the queue meanwhile is lost.
	firstPause   = time.Second
	longestPause = time.Minute
)

// CallbackError is a URL that cannot be a callback, or one too many.
type CallbackError struct{ Text string }

// Error tells what is wrong.
func (e *CallbackError) Error() string { return e.Text }

// callback is one listener that events are posted to.
type callback struct {
	queue *queue
	stop  context.CancelFunc
}

// Callbacks are the URLs that events are posted to, in order.
func (b *Bus) Callbacks() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.urls()
}

func (b *Bus) urls() []string {
	return append([]string{}, slices.Sorted(maps.Keys(b.callbacks))...)
}

// Restore subscribes the callbacks that were kept. It is called once, before
// anything is published.
func (b *Bus) Restore(urls []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range urls {
		b.start(u)
	}
}

// Subscribe posts all events to a URL from now on; one that is subscribed stays so.
// What it returns is the event that tells everybody. The error is a *CallbackError,
// or that of Options.Keep.
func (b *Bus) Subscribe(client, to string) (any, error) {
	if err := checkURL(to); err != nil {
		return nil, err
	}
	return b.changeCallbacks(client, to, "subscribe_event")
}

// Unsubscribe ends that; a URL that is not subscribed stays so.
func (b *Bus) Unsubscribe(client, from string) (any, error) {
	return b.changeCallbacks(client, from, "unsubscribe_event")
}

// subscription tells that somebody subscribes or unsubscribes.
type subscription struct {
	Client   string `json:"clientIp"`
	Callback string `json:"callbackUrl"`
	stamp
}

func (b *Bus) changeCallbacks(client, at, kind string) (any, error) {
	if err := b.changed(at, kind == "subscribe_event"); err != nil {
		return nil, err
	}
	body := subscription{client, at, b.stamp(kind)}
	b.Publish(fixed(kind, body))
	return body, nil
}

// changed makes a callback be there, or not. Who keeps the list may take its time,
// so that is done without the lock, one change after the other.
func (b *Bus) changed(at string, there bool) error {
	b.changing <- struct{}{}
	defer func() { <-b.changing }()
	urls, change, err := b.planned(at, there)
	if err != nil || !change {
		return err
	}
	if b.o.Keep != nil {
		if err := b.o.Keep(urls); err != nil {
			return fmt.Errorf("keep the callbacks: %w", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !there:
		b.callbacks[at].stop()
		delete(b.callbacks, at)
	case !b.closed:
		b.start(at)
	}
	return nil
}

// planned is the list of callbacks as it is to be, and whether that is a change.
func (b *Bus) planned(at string, there bool) (urls []string, change bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, false, errClosed
	case (b.callbacks[at] != nil) == there:
		return nil, false, nil
	case there && len(b.callbacks) >= b.o.Callbacks:
		return nil, false, &CallbackError{fmt.Sprintf("there are %d callbacks already, which is the most", len(b.callbacks))}
	}
	urls = slices.DeleteFunc(b.urls(), func(u string) bool { return u == at })
	if there {
		urls = append(urls, at)
		slices.Sort(urls)
	}
	return urls, true, nil
}

// start begins to post; the caller holds the lock.
func (b *Bus) start(to string) {
	ctx, stop := context.WithCancel(context.Background())
	q := newQueue(nil, b.o.Waiting)
	b.callbacks[to] = &callback{queue: q, stop: stop}
	b.working.Go(func() { b.deliver(ctx, to, q) })
}

// deliver posts what comes until ctx ends.
func (b *Bus) deliver(ctx context.Context, to string, q *queue) {
	pause := firstPause
	for {
		e, err := q.take(ctx)
		if errors.Is(err, errSlow) {
			b.o.Log.Warn("events for a callback were dropped: it does not keep up", zap.String("url", to))
			q.again()
			continue
		}
		if err != nil {
			return
		}
		if err := b.post(ctx, to, e); err == nil {
			pause = firstPause
			continue
		} else if ctx.Err() == nil {
			b.o.Log.Warn("an event did not reach a callback", zap.String("url", to), zap.String("type", e.Type), zap.Error(err))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, longestPause)
	}
}

func (b *Bus) post(ctx context.Context, to string, e Event) error {
	body, err := encode(e.Body(false))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, postPatience)
	defer cancel()
	return b.o.Post(ctx, to, body)
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case len(text) > longestURL:
		return &CallbackError{fmt.Sprintf("callbackUrl of %d bytes: at most %d", len(text), longestURL)}
	case err != nil:
		return &CallbackError{fmt.Sprintf("callbackUrl: %v", err)}
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return &CallbackError{fmt.Sprintf("callbackUrl %q: must be http://host or https://host", text)}
	}
	return nil
}

// newPoster posts with a client that follows no redirect, which would take an event
// where nobody subscribed.
func newPoster() Poster {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(ctx context.Context, to string, body []byte) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		// What it says does not matter, but is read so that the connection can be
		// used again.
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
		if err = errors.Join(err, res.Body.Close()); err == nil && res.StatusCode >= 300 {
			err = fmt.Errorf("status %d", res.StatusCode)
		}
		return err
	}
}
