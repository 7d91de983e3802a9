package main

import (
	"net/http"
	"slices"
)

// watch begins the stream of events for operators, before anything happens.
func (s *script) watch() error {
	s.masterChapter = &chapter{
		title: "Operator API: `POST /api/v1` of the master",
		text:  "Only the leading master answers; others redirect there, with 307.",
	}
	subscribe := request{to: s.c.master, method: http.MethodPost, path: operatorPath, headers: []string{asJSON}, body: `{"type": "SUBSCRIBE"}`}
	var err error
	if s.operator, err = subscribe.subscribe(s.ctx); err != nil {
		return err
	}
	subscribed, err := s.operator.await(s.ctx, "SUBSCRIBED", nil)
	if err != nil {
		return err
	}
	s.masterChapter.entries = append(s.masterChapter.entries, entry{
		title: "`SUBSCRIBE`", text: "The state, and then everything that changes in it.", ask: &subscribe, answer: s.operator.answer, records: []*tree{subscribed},
	})
	return nil
}

// resume shows what of the stream Mesos does not have.
func (s *script) resume(in *chapter) error {
	ask := request{
		to: s.c.master, method: http.MethodPost, path: operatorPath + "?type=SUBSCRIBED,HEARTBEAT,TASK_ADDED,TASK_UPDATED&resume=",
		headers: []string{asJSON}, body: `{"type": "SUBSCRIBE"}`,
	}
	first, err := s.look(in, ask, "`SUBSCRIBE`, filtered and to be resumed", "SUBSCRIBED",
		"Beyond Mesos: events of some types, of a `framework_id`, an `agent_id` or a `role`, each with several values if need be.\n"+
			"With `resume` every event has a `cursor`.")
	if err != nil {
		return err
	}
	ask.path += first.member("cursor").string()
	_, err = s.look(in, ask, "`SUBSCRIBE`, resumed", "HEARTBEAT",
		"Goes on behind the event of that `cursor`. `Troupe-Resumed: false` says that it is too old; the state comes first then.")
	return err
}

// look subscribes, and shows the first record of a type.
func (s *script) look(in *chapter, ask request, title, kind, text string) (*tree, error) {
	events, err := ask.subscribe(s.ctx)
	if err != nil {
		return nil, err
	}
	record, err := events.await(s.ctx, kind, nil)
	if err != nil {
		return nil, err
	}
	in.entries = append(in.entries, entry{title: title, text: text, ask: &ask, answer: events.answer, records: []*tree{record}})
	return record, events.body.Close()
}

// watched shows an event of every kind that has come.
func (s *script) watched() error {
	for _, kind := range []string{
		"HEARTBEAT", "AGENT_ADDED", "FRAMEWORK_ADDED", "FRAMEWORK_UPDATED", "TASK_ADDED", "TASK_UPDATED", "FRAMEWORK_REMOVED", "AGENT_REMOVED",
	} {
		event, err := s.operator.await(s.ctx, kind, nil)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(s.masterChapter.entries, func(e entry) bool { return e.title == "`GET_HEALTH`" })
		s.masterChapter.entries = slices.Insert(s.masterChapter.entries, at, entry{title: "Event `" + kind + "`", records: []*tree{event}, of: s.operator.ask})
	}
	return nil
}
