package api

import (
	"errors"
	"net"
	"net/http"
	"strings"

	"troupe/frameworks/service/api/events"
	"troupe/frameworks/service/wire"
)

func (s *Server) aboutItself() map[resource]map[string]handler {
	about := map[resource]map[string]handler{
		home:              {http.MethodGet: goHome},
		ping:              {http.MethodGet: pong},
		metrics:           {http.MethodGet: showMetrics},
		metricsPrometheus: {http.MethodGet: showPrometheus},
		config:            {http.MethodGet: showConfig},
		info:              {http.MethodGet: showInfo},
		leader:            {http.MethodGet: showLeader, http.MethodDelete: abdicate},
		plugins:           {http.MethodGet: listPlugins},
		eventStream:       {http.MethodGet: streamEvents},
		callbacks:         {http.MethodGet: listCallbacks, http.MethodPost: addCallback, http.MethodDelete: removeCallback},
	}
	if s.Page != nil {
		about[page] = map[string]handler{http.MethodGet: s.show(s.Page), http.MethodPost: s.show(s.Page)}
	}
	if s.Logging != nil {
		about[logging] = map[string]handler{http.MethodGet: s.show(s.Logging), http.MethodPut: s.show(s.Logging), http.MethodPost: s.setLogging}
	}
	return about
}

// show hands a request on.
func (s *Server) show(to http.Handler) handler {
	return func(c *call) error {
		to.ServeHTTP(c.w, c.r)
		return nil
	}
}

// setLogging is what others answer to PUT.
func (s *Server) setLogging(c *call) error {
	put := c.r.Clone(c.r.Context())
	put.Method = http.MethodPut
	s.Logging.ServeHTTP(c.w, put)
	return nil
}

func goHome(c *call) error {
	http.Redirect(c.w, c.r, "/ui/", http.StatusFound)
	return nil
}

func pong(c *call) error {
	return c.answerText(http.StatusOK, "text/plain; charset=utf-8", "pong")
}

func showInfo(c *call) error {
	info := c.s.Info()
	if info.Leader == "" {
		info.Leader = c.leader()
	}
	if info.ZooKeeper == nil {
		info.ZooKeeper = map[string]any{}
	}
	return c.answer(http.StatusOK, info)
}

func showConfig(c *call) error { return c.answer(http.StatusOK, c.s.Info().Config) }

// leader is the host:port of who leads, "" while nobody does. One that is alone
// leads where it is asked.
func (c *call) leader() string {
	if c.s.Leadership == nil {
		return c.r.Host
	}
	return c.s.Leadership.Leader()
}

// leaderURL is where the leader is, reached as this request was.
func (c *call) leaderURL() string {
	switch leader := c.leader(); {
	case leader == "":
		return ""
	case c.r.TLS != nil:
		return "https://" + leader
	default:
		return "http://" + leader
	}
}

func showLeader(c *call) error {
	leader := c.leader()
	if leader == "" {
		return refuse(http.StatusNotFound, "There is no leader")
	}
	return c.answer(http.StatusOK, wire.LeaderAnswer{Leader: leader})
}

func abdicate(c *call) error {
	switch {
	case c.s.Leadership == nil:
		return refuse(http.StatusConflict, "There is nobody else who could lead")
	case c.leader() == "":
		return refuse(http.StatusNotFound, "There is no leader")
	}
	if err := c.s.Leadership.Abdicate(); err != nil {
		return err
	}
	return c.answer(http.StatusOK, wire.Message{Message: "Leadership abdicated"})
}

// listPlugins answers that there are none.
func listPlugins(c *call) error {
	return c.answer(http.StatusOK, map[string][]string{"plugins": {}})
}

// streamEvents answers with an event stream, to those who ask for one by its name.
func streamEvents(c *call) error {
	if !strings.Contains(strings.Join(c.r.Header.Values("Accept"), ","), "text/event-stream") {
		return refuse(http.StatusNotAcceptable, "Accept: expecting text/event-stream")
	}
	if c.r.Method == http.MethodHead {
		c.w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	format := c.text("plan-format")
	if format != "" && format != "light" {
		return refuse(http.StatusUnprocessableEntity, "The parameter plan-format is %q: expecting light", shortened(format))
	}
	want := events.Selection{Types: c.list("event_type"), Light: format == "light"}
	if err := c.s.Events.Serve(c.w, c.r, want); err != nil {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	return nil
}

func listCallbacks(c *call) error {
	return c.answer(http.StatusOK, map[string][]string{"callbackUrls": c.s.Events.Callbacks()})
}

func addCallback(c *call) error    { return c.changeCallback(c.s.Events.Subscribe) }
func removeCallback(c *call) error { return c.changeCallback(c.s.Events.Unsubscribe) }

func (c *call) changeCallback(change func(client, url string) (any, error)) error {
	event, err := change(c.client(), c.text("callbackUrl"))
	var wrong *events.CallbackError
	if errors.As(err, &wrong) {
		return refuse(http.StatusUnprocessableEntity, "%s", wrong.Text)
	}
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	return c.answer(http.StatusOK, event)
}

// client is the address of who asks.
func (c *call) client() string {
	if host, _, err := net.SplitHostPort(c.r.RemoteAddr); err == nil {
		return host
	}
	return c.r.RemoteAddr
}
