package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const schedulerPath = "/api/v1/scheduler"

// schedulers is what a framework says and hears: it runs a task, and keeps it.
func (s *script) schedulers() error {
	in := s.page.chapter("Scheduler API: `POST /api/v1/scheduler` of the master",
		"A subscription is answered by a stream of events, each a record: its length in bytes, a line feed, and the\n"+
			"event. All other calls are requests of their own, which repeat the stream's `Mesos-Stream-Id`. Up to 1,024 of\n"+
			"them may come in one, as records (`Content-Type: application/recordio`, with `Message-Content-Type`), and are\n"+
			"answered by 200 and a record for each: `{\"status_code\": 202}`, or with an `error`.")
	s.schedulerChapter = in
	subscribe := request{
		to: s.c.master, method: http.MethodPost, path: schedulerPath, headers: []string{asJSON},
		body: fmt.Sprintf(`{"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": %q, "name": "example", "roles": ["web"],
			"failover_timeout": 60, "capabilities": [{"type": "MULTI_ROLE"}, {"type": "PARTITION_AWARE"}]}}}`, s.user),
	}
	var err error
	if s.scheduler, err = subscribe.subscribe(s.ctx); err != nil {
		return err
	}
	for _, h := range s.scheduler.answer.headers {
		if strings.HasPrefix(h, "Mesos-Stream-Id: ") {
			s.streamID = h
		}
	}
	subscribed, err := s.scheduler.await(s.ctx, "SUBSCRIBED", nil)
	if err != nil {
		return err
	}
	s.framework = subscribed.member("subscribed", "framework_id", "value").string()
	master, _, _ := strings.Cut(s.framework, "-0000")
	s.fixed.replace(master, "00000000-0000-4000-8000-000000000000")
	in.entries = append(in.entries, entry{
		title: "`SUBSCRIBE`", text: "With a `framework_id`, of a framework that was there before, this is a failover.",
		ask: &subscribe, answer: s.scheduler.answer, records: []*tree{subscribed},
	})
	for _, part := range []func(*chapter) error{s.launch, s.otherCalls} {
		if err := part(in); err != nil {
			return err
		}
	}
	return nil
}

// offered waits for an offer.
func (s *script) offered() (offer string, err error) {
	offers, err := s.scheduler.await(s.ctx, "OFFERS", nil)
	return offers.member("offers", "offers", "id", "value").string(), err
}

// offeredWith waits for an offer that has a resource for which ok holds, and
// declines others.
func (s *script) offeredWith(ok func(resource *tree) bool) (offer string, err error) {
	for {
		offers, err := s.scheduler.await(s.ctx, "OFFERS", nil)
		if err != nil {
			return "", err
		}
		first := offers.member("offers", "offers").children[0]
		id := first.member("id", "value").string()
		if slices.ContainsFunc(first.member("resources").children, ok) {
			return id, nil
		}
		if err := s.quietly(call{http.StatusAccepted, "DECLINE", "", fmt.Sprintf(`"decline": {"offer_ids": [{"value": %q}], "filters": {"refuse_seconds": 0}}`, id)}); err != nil {
			return "", err
		}
	}
}

func (s *script) frameworkID() string {
	return fmt.Sprintf(`"framework_id": {"value": %q}`, s.framework)
}

// say makes calls of the scheduler.
func (s *script) say(in *chapter, calls ...call) error {
	for i := range calls {
		calls[i].body = strings.TrimSuffix(s.frameworkID()+", "+calls[i].body, ", ")
	}
	return s.calls(in, s.c.master, schedulerPath, []string{s.streamID}, calls)
}

// news waits for news of a task, and acknowledges it.
func (s *script) news(task, state string) (*tree, call, error) {
	update, err := s.scheduler.await(s.ctx, "UPDATE", func(t *tree) bool {
		return t.member("update", "status", "task_id", "value").string() == task
	})
	if err != nil {
		return nil, call{}, err
	}
	if got := update.member("update", "status", "state").string(); got != state {
		return nil, call{}, fmt.Errorf("task %s is %s, not %s: %s", task, got, state, update.member("update", "status", "message").string())
	}
	return update, call{
		status: http.StatusAccepted, title: "ACKNOWLEDGE", text: "An update is repeated until it is acknowledged by its `uuid`.",
		body: fmt.Sprintf(`"acknowledge": {"agent_id": {"value": %q}, "task_id": {"value": %q}, "uuid": %q}`,
			s.agent, task, update.member("update", "status", "uuid").string()),
	}, nil
}

// quietly makes calls that are not on the page.
func (s *script) quietly(calls ...call) error {
	return s.say(&chapter{}, calls...)
}

// launch runs a task.
func (s *script) launch(in *chapter) error {
	offers, err := s.heard(in, s.scheduler, "OFFERS", "What an agent has to give. Every offer is accepted, declined, or rescinded by the master.", nil)
	if err != nil {
		return err
	}
	offer := offers.member("offers", "offers", "id", "value").string()
	if err := s.say(in, call{http.StatusAccepted, "ACCEPT", "A `filters` of 0 s asks for what is left at once.", s.accept(offer, fmt.Sprintf(
		`{"name": "web", "task_id": {"value": "web-1"}, "agent_id": {"value": %q}, "resources": [%s],
		"command": {"value": "echo ready; sleep 1000"}, "labels": {"labels": [{"key": "version", "value": "1"}]}}`, s.agent, resources(1, 64)))}); err != nil {
		return err
	}
	update, acknowledge, err := s.news("web-1", "TASK_STARTING")
	if err != nil {
		return err
	}
	s.record(in, s.scheduler, "Event `UPDATE`", "Of a task. It is repeated until it is acknowledged, unless it has no `uuid`.", update)
	if err := s.say(in, acknowledge); err != nil {
		return err
	}
	return s.acknowledge("web-1", "TASK_RUNNING")
}

// accept is the part of a call that launches a task with an offer.
func (s *script) accept(offer, task string) string {
	return fmt.Sprintf(`"accept": {"offer_ids": [{"value": %q}], "operations": [{"type": "LAUNCH", "launch": {"task_infos": [%s]}}],
		"filters": {"refuse_seconds": 0}}`, offer, task)
}

func resources(cpus float64, mem int) string {
	return fmt.Sprintf(`{"name": "cpus", "type": "SCALAR", "scalar": {"value": %g}, "allocation_info": {"role": "web"}},
		{"name": "mem", "type": "SCALAR", "scalar": {"value": %d}, "allocation_info": {"role": "web"}}`, cpus, mem)
}

func (s *script) otherCalls(in *chapter) error {
	if err := s.say(in,
		call{http.StatusAccepted, "RECONCILE", "With no `tasks` it asks for all that the master knows of the framework.", fmt.Sprintf(
			`"reconcile": {"tasks": [{"task_id": {"value": "web-1"}, "agent_id": {"value": %q}}]}`, s.agent)}); err != nil {
		return err
	}
	if _, err := s.heard(in, s.scheduler, "UPDATE, which answers it", "It has no `uuid`: there is nothing to acknowledge.", nil); err != nil {
		return err
	}
	offer, err := s.offered()
	if err != nil {
		return err
	}
	accepted := http.StatusAccepted
	return s.say(in,
		call{accepted, "DECLINE", "", fmt.Sprintf(`"decline": {"offer_ids": [{"value": %q}], "filters": {"refuse_seconds": 5}}`, offer)},
		call{accepted, "SUPPRESS", "No offers are made for the roles, or for any.", `"suppress": {"roles": ["web"]}`},
		call{accepted, "REVIVE", "Offers are made again, and filters forgotten.", `"revive": {"roles": ["web"]}`},
		call{accepted, "REQUEST", "", fmt.Sprintf(`"request": {"requests": [{"agent_id": {"value": %q}, "resources": [%s]}]}`, s.agent, resources(1, 64))},
	)
}

// end is what a framework says last, and what one hears that comes too late.
func (s *script) end(in *chapter) error {
	if _, err := s.heard(in, s.scheduler, "HEARTBEAT", "Every 15 s, so that a scheduler knows that it is still heard.", nil); err != nil {
		return err
	}
	info := fmt.Sprintf(`{"id": {"value": %q}, "user": %q, "name": "example", "roles": ["web", "batch"], "failover_timeout": 60,
		"capabilities": [{"type": "MULTI_ROLE"}, {"type": "PARTITION_AWARE"}]}`, s.framework, s.user)
	if err := s.say(in,
		call{http.StatusOK, "UPDATE_FRAMEWORK", "What a framework says of itself, and where offers of it may come from.", `"update_framework": {"framework_info": ` + info + `}`},
		call{http.StatusAccepted, "TEARDOWN", "Ends the framework with all its tasks, and the stream.", ""},
	); err != nil {
		return err
	}
	if err := s.scheduler.end(s.ctx); err != nil {
		return err
	}
	late, err := (&request{
		to: s.c.master, method: http.MethodPost, path: schedulerPath, headers: []string{asJSON},
		body: `{"type": "SUBSCRIBE", ` + s.frameworkID() + `, "subscribe": {"framework_info": ` + info + `}}`,
	}).subscribe(s.ctx)
	if err != nil {
		return err
	}
	if _, err := s.heard(in, late, "ERROR", "The last event: the scheduler has to give up. This one subscribes as a framework that was torn down.", nil); err != nil {
		return err
	}
	return late.end(s.ctx)
}
