package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"troupe/frameworks/service/client"
)

// Ends listens to how deployments end. It is opened before one begins, so that
// none is missed.
type Ends struct {
	stream *client.Stream
	ended  chan end // one that was not read is dropped with the process
}

type end struct {
	id  string
	err error
}

const (
	succeeded = "deployment_success"
	failed    = "deployment_failed"
)

// Listen begins to listen, until ctx ends.
func Listen(ctx context.Context, c *client.Client) (*Ends, error) {
	stream, err := c.Events(ctx, succeeded, failed)
	if err != nil {
		return nil, err
	}
	e := &Ends{stream, make(chan end, 100)}
	go e.read(ctx)
	return e, nil
}

// Close ends it.
func (e *Ends) Close() error { return e.stream.Close() }

func (e *Ends) read(ctx context.Context) {
	defer close(e.ended)
	for {
		event, err := e.stream.Next()
		if err != nil {
			return // Follow asks instead
		}
		var about struct {
			ID     string `json:"id"`
			Reason string `json:"reason"`
		}
		if json.Unmarshal(event.Data, &about) != nil {
			continue // none of ours: ids are texts
		}
		told := end{id: about.ID}
		if event.Type == failed {
			told.err = fmt.Errorf("deployment %s ended before it was done %s", about.ID, about.Reason)
		}
		select {
		case e.ended <- told:
		case <-ctx.Done():
			return
		}
	}
}

// pollEvery is how often Follow asks how a deployment goes on.
const pollEvery = 300 * time.Millisecond

// Follow writes how a deployment goes on until it is done. The error is that it
// ended before. When ctx ends the deployment goes on.
func (e *Ends) Follow(ctx context.Context, c *client.Client, id string, w io.Writer) error {
	p := &progress{id: id, w: w}
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	ended := e.ended
	for {
		select {
		case told, open := <-ended:
			switch {
			case !open:
				ended = nil // the leader is gone; the next one knows the deployment
			case told.id == id:
				return told.err
			}
		case <-ticks.C:
			gone, err := p.ask(ctx, c)
			if err != nil || gone && ended == nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("deployment %s goes on: %w", id, context.Cause(ctx))
		}
	}
}

// progress remembers what was written.
type progress struct {
	id   string
	w    io.Writer
	last string
}

// ask writes what is new. gone is that the deployment is not there any more.
func (p *progress) ask(ctx context.Context, c *client.Client) (gone bool, err error) {
	d, err := c.Deployment(ctx, p.id)
	refused := (*client.Error)(nil)
	switch {
	case client.Is(err, http.StatusNotFound):
		return true, nil
	case err != nil && !errors.As(err, &refused):
		return false, nil // nobody answers: a leader may be on its way
	case err != nil && refused.Status >= 500:
		return false, nil
	case err != nil:
		return false, err
	}
	text := fmt.Sprintf("step %d of %d", d.Current, d.Total)
	if d.Paused {
		text += ", paused"
	}
	for _, a := range d.Progress {
		if a.Waits != "" && !a.Done {
			text += fmt.Sprintf("; %s: %s", a.App, a.Waits)
		}
	}
	if text == p.last {
		return false, nil
	}
	p.last = text
	_, err = fmt.Fprintln(p.w, strings.TrimSpace(text))
	return false, err
}
