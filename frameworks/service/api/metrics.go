package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"troupe/messages/carrier"
	"troupe/messages/mesos"
)

// numbers are all metrics, without the prefix and the suffix that tells the kind,
// ordered by name.
func (s *Server) numbers() ([]Number, error) {
	list, err := s.Numbers()
	if err != nil {
		return nil, err
	}
	root := s.Board.Root()
	var apps, groups, running, staged float64
	for range root.All() {
		apps++
	}
	for range root.AllGroups() {
		groups++
	}
	for _, v := range s.Board.Apps() {
		for _, i := range v.Instances {
			switch i.State {
			case mesos.TaskState_TASK_RUNNING:
				running++
			case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING:
				staged++
			}
		}
	}
	list = append(list,
		Number{Name: "apps.active", Value: apps},
		Number{Name: "groups.active", Value: groups},
		Number{Name: "pods.active"},
		Number{Name: "deployments.active", Value: float64(len(s.Board.Deployments()))},
		Number{Name: "instances.running", Value: running},
		Number{Name: "instances.staged", Value: staged},
		Number{Name: "http.event-streams.active", Value: float64(s.Events.Streams())},
		Number{Name: "http.requests", Counter: true, Value: float64(s.requests.Load())},
		Number{Name: "uptime.seconds", Value: s.Now().Sub(s.began).Seconds()},
	)
	slices.SortFunc(list, func(a, b Number) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (n Number) full() string {
	if n.Counter {
		return "marathon." + n.Name + ".counter"
	}
	return "marathon." + n.Name + ".gauge"
}

// metricsAnswer is /metrics; there are no histograms, meters and timers.
type metricsAnswer struct {
	Version    string                        `json:"version"`
	Gauges     map[string]map[string]float64 `json:"gauges"`
	Counters   map[string]map[string]float64 `json:"counters"`
	Histograms struct{}                      `json:"histograms"`
	Meters     struct{}                      `json:"meters"`
	Timers     struct{}                      `json:"timers"`
}

// showMetrics answers JSON, unless a scraper asks for Prometheus' text.
func showMetrics(c *call) error {
	if c.wantsText() || strings.Contains(c.r.Header.Get("Accept"), "openmetrics") {
		return showPrometheus(c)
	}
	answer := metricsAnswer{Version: "4.0.0", Gauges: map[string]map[string]float64{}, Counters: map[string]map[string]float64{}}
	list, err := c.s.numbers()
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.Counter {
			answer.Counters[n.full()] = map[string]float64{"count": n.Value}
		} else {
			answer.Gauges[n.full()] = map[string]float64{"value": n.Value}
		}
	}
	return c.answer(http.StatusOK, answer)
}

// showPrometheus answers in Prometheus' text format.
func showPrometheus(c *call) error {
	if !carrier.Accepts(c.r.Header.Values("Accept"), "text/plain") && !strings.Contains(c.r.Header.Get("Accept"), "openmetrics") {
		return refuse(http.StatusNotAcceptable, "Accept: expecting text/plain")
	}
	var b strings.Builder
	list, err := c.s.numbers()
	if err != nil {
		return err
	}
	for _, n := range list {
		name := strings.NewReplacer(".", "_", "-", "_").Replace(n.full())
		kind := "gauge"
		if n.Counter {
			kind = "counter"
		}
		fmt.Fprintf(&b, "# TYPE %s %s\n%s %s\n", name, kind, name, strconv.FormatFloat(n.Value, 'g', -1, 64))
	}
	return c.answerText(http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", b.String())
}
