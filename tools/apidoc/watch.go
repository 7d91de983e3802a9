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
	s.show(s.c.master, operatorPath+" SUBSCRIBE")
	return nil
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
		s.masterChapter.entries = slices.Insert(s.masterChapter.entries, at, entry{title: "Event `" + kind + "`", records: []*tree{event}})
	}
	return nil
}
