package api

import (
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"troupe/messages/json"
	"troupe/slave/state/view"
)

// writeSlack answers /slack.
func (s *server) writeSlack(w *json.Writer, snapshot *view.Snapshot, q url.Values) {
	w.BeginObject()
	w.Key("roles")
	w.BeginArray()
	list := snapshot.Slack
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Role == list[0].Role {
			n++
		}
		if only := q.Get("role"); only == "" || only == list[0].Role {
			writeRole(w, list[:n])
		}
		list = list[n:]
	}
	w.EndArray()
	w.EndObject()
}

func writeRole(w *json.Writer, windows []view.Slack) {
	w.BeginObject()
	w.Field("role", windows[0].Role)
	w.Key("windows")
	w.BeginArray()
	for _, s := range windows {
		w.BeginObject()
		w.Field("window", windowNames[s.Window])
		w.Field("covers_secs", s.Covers.Seconds())
		w.Key("cpus")
		writeLeft(w, s.CPUs, 1)
		w.Key("mem")
		writeLeft(w, s.Mem, 1<<20) // as resources are
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
}

func writeLeft(w *json.Writer, l view.Left, unit float64) {
	w.BeginObject()
	w.Field("mean_allocated", l.Allocated/unit)
	w.Field("mean_used", l.Used/unit)
	w.Field("p95_used", l.P95/unit)
	w.Field("peak_used", l.Peak/unit)
	w.Field("slack", l.Slack/unit)
	w.EndObject()
}

// windowNames are as people write them.
var windowNames = map[time.Duration]string{time.Minute: "1m", 10 * time.Minute: "10m", time.Hour: "1h", 24 * time.Hour: "1d"}

func descOfRole(name, help string) *prometheus.Desc {
	return desc("role_"+name, help+", by window, in CPUs and bytes.", "role", "resource", "window")
}

var (
	descMeanAllocated = descOfRole("mean_allocated", "What containers of a role had, in the mean")
	descMeanUsed      = descOfRole("mean_used", "What containers of a role used, in the mean")
	descP95Used       = descOfRole("p95_used", "What containers of a role did not exceed in 95 of 100 samples")
	descPeakUsed      = descOfRole("peak_used", "What containers of a role used at most")
	descSlack         = descOfRole("slack", "What containers of a role left, in 95 of 100 samples at least, of what is their own")
)

// collectSlack gives out what is known of a role in one window.
func collectSlack(s view.Slack, gauge func(d *prometheus.Desc, value float64, labels ...string)) {
	window := windowNames[s.Window]
	for _, r := range []struct {
		name string
		left view.Left
	}{{"cpus", s.CPUs}, {"mem", s.Mem}} {
		gauge(descMeanAllocated, r.left.Allocated, s.Role, r.name, window)
		gauge(descMeanUsed, r.left.Used, s.Role, r.name, window)
		gauge(descP95Used, r.left.P95, s.Role, r.name, window)
		gauge(descPeakUsed, r.left.Peak, s.Role, r.name, window)
		gauge(descSlack, r.left.Slack, s.Role, r.name, window)
	}
}
