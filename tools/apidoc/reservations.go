package main

import "net/http"

// reservations are standing reservations, set, shown and removed.
func (s *script) reservations(in *chapter) error {
	for _, r := range []struct{ method, path, text, body string }{
		{
			http.MethodPost, "/reservations",
			"What of the cluster is to be reserved for a role, wherever it is: amounts, or percentages of what all\n" +
				"agents have, which follow the cluster's size; until it is removed, or `expires`\n" +
				"(`{\"nanoseconds\": …}` since 1970). The master reserves what is free, with the label\n" +
				"`troupe.reservation`, and takes it back when it is free again. The same `id` replaces it.",
			`{"id": "web", "role": "web", "shares": [{"name": "gpus", "percent": 10}, {"name": "licenses", "amount": {"value": 3}}]}`,
		},
		{http.MethodGet, "/reservations", "", ""},
		{http.MethodDelete, "/reservations/web", "404 when there is none.", ""},
	} {
		if _, err := s.example(in, http.StatusOK, "`"+r.method+" "+r.path+"`", r.text, request{
			to: s.c.master, method: r.method, path: r.path, body: r.body,
		}); err != nil {
			return err
		}
	}
	return nil
}
