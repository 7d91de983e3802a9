package api

import (
	"net/http"
	"net/url"
	"strings"
)

// where is the host and port of who leads, and whether this process does.
func (s *Server) where(r *http.Request) (host string, self bool) {
	if s.o.Leader == nil {
		return r.Host, true
	}
	text, self := s.o.Leader()
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		text = u.Host
	}
	return text, self
}

func (s *Server) leader(w http.ResponseWriter, r *http.Request) error {
	host, _ := s.where(r)
	writeJSON(w, http.StatusOK, map[string]string{"leader": host})
	return nil
}

func (s *Server) isLeader(w http.ResponseWriter, r *http.Request) error {
	_, self := s.where(r)
	writeJSON(w, http.StatusOK, self)
	return nil
}

func (s *Server) ping(w http.ResponseWriter, _ *http.Request) error {
	writeText(w, "pong")
	return nil
}

func (s *Server) logging(w http.ResponseWriter, r *http.Request) error {
	s.o.Logging.ServeHTTP(w, r)
	return nil
}

func (s *Server) info(w http.ResponseWriter, r *http.Request) error {
	host, self := s.where(r)
	writeJSON(w, http.StatusOK, struct {
		Info
		Leader string `json:"leader"`
		Leads  bool   `json:"elected"`
		Jobs   int    `json:"jobs"`
	}{s.o.Info(), host, self, len(s.o.Board.Jobs())})
	return nil
}

func (s *Server) describe(w http.ResponseWriter, r *http.Request) error {
	writeJSON(w, http.StatusOK, struct {
		Prefixes  []string `json:"prefixes"`
		Endpoints []Route  `json:"endpoints"`
	}{Prefixes, s.Routes()})
	return nil
}

// accepts tells whether a client asks for a media type by name.
func accepts(r *http.Request, media ...string) bool {
	for _, m := range media {
		for _, header := range r.Header.Values("Accept") {
			if strings.Contains(header, m) {
				return true
			}
		}
	}
	return false
}
