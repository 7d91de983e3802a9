package main

import (
	"fmt"
	"net/http"
	"strings"
)

const schedulerPath = "/api/v1/scheduler"

// schedulers is what a framework says and hears: it runs a task, and keeps it.
func (s *script) schedulers() error {
	in := s.page.chapter("Scheduler API: `POST /api/v1/scheduler` of the master",
		"A subscription is answered by a stream of events, each a record: its length in bytes, a line feed, and the\n"+
			"event. All other calls are requests of their own, which repeat the stream's `Mesos-Stream-Id`.")
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
	s.show(s.c.master, schedulerPath)
	s.show(s.c.master, schedulerPath+" SUBSCRIBE")
	for _, part := range []func(*chapter) error{s.launch, s.otherCalls} {
		if err := part(in); err != nil {
			return err
		}
	}
	return nil
}

// offered waits for an offer, and shows it when title is not empty.
func (s *script) offered(in *chapter, title string) (offer string, err error) {
	offers, err := s.scheduler.await(s.ctx, "OFFERS", nil)
	if err != nil {
		return "", err
	}
	if title != "" {
		s.record(in, title, "What an agent has to give. Every offer is accepted, declined, or rescinded by the master.", offers)
	}
	return offers.member("offers", "offers", "id", "value").string(), nil
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
	offer, err := s.offered(in, "Event `OFFERS`")
	if err != nil {
		return err
	}
	if err := s.say(in, call{http.StatusAccepted, "ACCEPT", "A `filters` of 0 s asks for what is left at once.", s.accept(offer, fmt.Sprintf(
		`{"name": "web", "task_id": {"value": "web-1"}, "agent_id": {"value": %q}, "resources": [%s],
		"command": {"value": "echo ready; sleep 1000"}, "labels": {"labels": [{"key": "version", "value": "1"}]}}`, s.agent, resources(1, 64)))}); err != nil {
		return err
	}
	for _, state := range []string{"TASK_STARTING", "TASK_RUNNING"} {
		update, acknowledge, err := s.news("web-1", state)
		if err != nil {
			return err
		}
		if state == "TASK_STARTING" {
			s.record(in, "Event `UPDATE`", "", update)
			err = s.say(in, acknowledge)
		} else {
			err = s.quietly(acknowledge)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
	update, err := s.scheduler.await(s.ctx, "UPDATE", nil)
	if err != nil {
		return err
	}
	s.record(in, "Event `UPDATE`, which answers it", "It has no `uuid`: there is nothing to acknowledge.", update)
	offer, err := s.offered(in, "")
	if err != nil {
		return err
	}
	accepted := http.StatusAccepted
	none := `"inverse_offer_ids": [{"value": "none"}]`
	return s.say(in,
		call{accepted, "DECLINE", "", fmt.Sprintf(`"decline": {"offer_ids": [{"value": %q}], "filters": {"refuse_seconds": 5}}`, offer)},
		call{accepted, "SUPPRESS", "No offers are made for the roles, or for any.", `"suppress": {"roles": ["web"]}`},
		call{accepted, "REVIVE", "Offers are made again, and filters forgotten.", `"revive": {"roles": ["web"]}`},
		call{accepted, "REQUEST", "", fmt.Sprintf(`"request": {"requests": [{"agent_id": {"value": %q}, "resources": [%s]}]}`, s.agent, resources(1, 64))},
		call{accepted, "ACCEPT_INVERSE_OFFERS", "", `"accept_inverse_offers": {` + none + `}`},
		call{accepted, "DECLINE_INVERSE_OFFERS", "", `"decline_inverse_offers": {` + none + `}`},
		call{accepted, "ACKNOWLEDGE_OPERATION_STATUS", "", fmt.Sprintf(`"acknowledge_operation_status": {"agent_id": {"value": %q},
			"uuid": "AAAAAAAAQACAAAAAAAAAAQ==", "operation_id": {"value": "none"}}`, s.agent)},
		call{accepted, "RECONCILE_OPERATIONS", "", `"reconcile_operations": {"operations": []}`},
		call{http.StatusOK, "UPDATE_FRAMEWORK", "What a framework says of itself, and where offers of it may come from.", fmt.Sprintf(
			`"update_framework": {"framework_info": {"id": {"value": %q}, "user": %q, "name": "example", "roles": ["web", "batch"], "failover_timeout": 60,
			"capabilities": [{"type": "MULTI_ROLE"}, {"type": "PARTITION_AWARE"}]}}`, s.framework, s.user)},
	)
}
