package main

import (
	"fmt"
	"net/http"
)

// maintenance asks a framework for an agent, and asks it again: the machine is
// in the schedule, is taken out of it, and is in it again.
func (s *script) maintenance() error {
	in := s.schedulerChapter
	answer := func(kind, part, offer, text string) error {
		return s.say(in, call{http.StatusAccepted, kind, text, fmt.Sprintf(
			`%q: {"inverse_offer_ids": [{"value": %q}], "filters": {"refuse_seconds": 1}}`, part, offer)})
	}
	if err := s.schedule("localhost"); err != nil {
		return err
	}
	asked, err := s.heard(in, s.scheduler, "INVERSE_OFFERS", "An operator plans to take a machine away: will the framework leave it in time?", nil)
	if err != nil {
		return err
	}
	if err := answer("DECLINE_INVERSE_OFFERS", "decline_inverse_offers", inverse(asked), "It is asked again after `refuse_seconds`."); err != nil {
		return err
	}
	if _, err := s.scheduler.await(s.ctx, "INVERSE_OFFERS", nil); err != nil {
		return err
	}
	if err := s.schedule("elsewhere.example.org"); err != nil {
		return err
	}
	if _, err := s.heard(in, s.scheduler, "RESCIND_INVERSE_OFFER", "The plan has changed.", nil); err != nil {
		return err
	}
	if err := s.schedule("localhost"); err != nil {
		return err
	}
	if asked, err = s.scheduler.await(s.ctx, "INVERSE_OFFERS", nil); err != nil {
		return err
	}
	return answer("ACCEPT_INVERSE_OFFERS", "accept_inverse_offers", inverse(asked), "It is for people to see, at `/maintenance/status`: the tasks are still the framework's to move.")
}

// inverse is the id of the first inverse offer of an event.
func inverse(event *tree) string {
	return event.member("inverse_offers", "inverse_offers", "id", "value").string()
}

// schedule plans maintenance of one machine, and of no other.
func (s *script) schedule(host string) error {
	_, err := s.example(&chapter{}, http.StatusOK, "schedule", "", request{
		to: s.c.master, method: http.MethodPost, path: operatorPath, headers: []string{asJSON},
		body: fmt.Sprintf(`{"type": "UPDATE_MAINTENANCE_SCHEDULE", "update_maintenance_schedule": {"schedule": {"windows": [{"machine_ids": [{"hostname": %q}],
			"unavailability": {"start": {"nanoseconds": 1900000000000000000}}}]}}}`, host),
	})
	return err
}
