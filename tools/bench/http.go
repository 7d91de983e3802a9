package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master"
	api "troupe/master/api/scheduler"
	"troupe/messages/carrier"
	"troupe/messages/json"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

// What http measures: the same framework on the same agents, as an actor and
// over HTTP.
const (
	httpTasks  = 100_000
	httpAgents = 500
)

// byActors is the carrier of a native scheduler; the others are media types, for a
// request for each call, and those of together.go.
const byActors = "actors"

// overHTTP is the work http.
func overHTTP(ctx context.Context, l load) ([]figure, error) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	var figures []figure
	var native float64
	for _, by := range []struct{ what, carrier string }{
		{"native", byActors},
		{"HTTP, protobuf", carrier.Protobuf.String()},
		{"HTTP, JSON", carrier.JSON.String()},
		{"SDK over HTTP, protobuf", togetherProtobuf},
		{"SDK over HTTP, JSON", togetherJSON},
	} {
		rate, cpu, err := tasksBy(ctx, l, by.carrier)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", by.what, err)
		}
		figures = append(figures,
			figure{by.what, rate, "tasks/s", target{}}, figure{by.what + ", the master's CPU", cpu, "µs/task", target{}})
		if by.carrier == byActors {
			native = rate
			continue
		}
		figures = append(figures, figure{by.what + ", to native", rate / native, "", target{}})
	}
	return figures, nil
}

// tasksBy is how many tasks per second a framework of another process brings to
// running, and the CPU time that each costs the master, in µs.
func tasksBy(ctx context.Context, l load, by string) (rate, cpu float64, err error) {
	s, leave, err := startMaster(ctx)
	if err != nil {
		return 0, 0, err
	}
	api.Mount(s, s, api.Options{Master: s.PID(master.Name)})
	tasks := l.of(httpTasks)
	c, err := startChild(ctx, "crowd", s.Address(), strconv.Itoa(l.of(httpAgents)), strconv.Itoa(tasks), by)
	if err != nil {
		return 0, 0, errors.Join(err, leave())
	}
	defer func() { err = errors.Join(err, leave(), c.end()) }()
	before, err := ownCPU()
	if err != nil {
		return 0, 0, err
	}
	took, err := crowdTime(c)
	if err != nil {
		return 0, 0, err
	}
	after, err := ownCPU()
	return float64(tasks) / took, float64(after-before) / float64(time.Microsecond) / float64(tasks), err
}

// callers is how many calls of an HTTP framework are under way at most, each on
// a connection of its own, which stays open.
const callers = 8

// overHTTP makes the framework one that speaks HTTP. It returns when the
// framework is subscribed, or cannot be.
func (h *hungry) overHTTP(address, media string) error {
	form, known := carrier.ParseForm(media)
	if !known {
		return fmt.Errorf("no carrier %q", media)
	}
	p := &poster{url: "http://" + address + "/api/v1/scheduler", form: form}
	p.client.Transport = &http.Transport{MaxIdleConnsPerHost: callers + 1, DisableCompression: true}
	events, err := p.post(hungryCall())
	if err != nil {
		return err
	}
	p.stream = events.Header.Get("Mesos-Stream-Id")
	calls := make(chan *scheduler.Call, mostUnderWay)
	h.say = func(call *scheduler.Call) { calls <- call }
	for range callers {
		go func() {
			for call := range calls {
				if err := p.say(call); err != nil {
					h.done <- err
					return
				}
			}
		}()
	}
	go func() { h.done <- p.follow(events.Body, h.event) }()
	return nil
}

// poster posts a scheduler's calls.
type poster struct {
	client      http.Client
	url, stream string
	form        carrier.Form
}

func (p *poster) post(call *scheduler.Call) (*http.Response, error) {
	body, err := p.form.Append(nil, call)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", p.form.String())
	request.Header.Set("Accept", p.form.String())
	if p.stream != "" {
		request.Header.Set("Mesos-Stream-Id", p.stream)
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, errors.Join(fmt.Errorf("%s: %s", call.GetType(), answer.Status), answer.Body.Close())
	}
	return answer, nil
}

func (p *poster) say(call *scheduler.Call) error {
	answer, err := p.post(call)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// longestRecord is what a framework reads of one event, in bytes.
const longestRecord = 64 << 20

// follow hands on the events until the stream ends.
func (p *poster) follow(body io.Reader, each func(*scheduler.Event)) error {
	records := recordio.NewReader(body, longestRecord)
	for {
		record, err := records.Next()
		if err != nil {
			return fmt.Errorf("the stream ended: %w", err)
		}
		e := new(scheduler.Event)
		if p.form == carrier.JSON {
			err = json.Unmarshal(record, e)
		} else {
			err = proto.Unmarshal(record, e)
		}
		if err != nil {
			return err
		}
		each(e)
	}
}
