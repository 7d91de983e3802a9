package inspect

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"troupe/actors"
)

// collector gives a system's figures to Prometheus. Actors of one kind
// (observer/S1, observer/S2, …) are added up, so that a cluster of any size
// makes a bounded number of series.
type collector struct{ sys *actors.System }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("troupe_actors_"+name, help, labels, nil)
}

var (
	running     = describe("running", "Actors that run.", "kind")
	depth       = describe("mailbox_depth", "What waits in mailboxes.", "kind")
	waiting     = describe("mailbox_bytes", "Bytes of network messages that wait in mailboxes.", "kind")
	handled     = describe("handled_total", "What was taken out of the mailboxes of running actors.", "kind")
	refused     = describe("refused_total", "Messages that full mailboxes of running actors kept out.", "kind")
	restarts    = describe("restarts_total", "Restarts of running actors after panics.", "kind")
	deadLetters = describe("dead_letters_total", "Messages that were not delivered.", "type")
	unhandled   = describe("unhandled_total", "Messages that no handler took.", "type")
	linked      = describe("peers_linked", "Systems that are linked.")
	queued      = describe("peers_queued_bytes", "Bytes accepted for peers and not acknowledged.")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{running, depth, waiting, handled, refused, restarts, deadLetters, unhandled, linked, queued} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for kind, t := range totals(c.sys.Actors()) {
		gauge(out, running, t.running, kind)
		gauge(out, depth, t.depth, kind)
		gauge(out, waiting, t.bytes, kind)
		counter(out, handled, t.handled, kind)
		counter(out, refused, t.refused, kind)
		counter(out, restarts, t.restarts, kind)
	}
	for _, l := range c.sys.DeadLetters() {
		counter(out, deadLetters, float64(l.Count), l.Type)
	}
	for _, l := range c.sys.Unhandled() {
		counter(out, unhandled, float64(l.Count), l.Type)
	}
	var links, bytes float64
	for _, p := range c.sys.Peers() {
		if p.Linked {
			links++
		}
		bytes += float64(p.QueuedBytes)
	}
	gauge(out, linked, links)
	gauge(out, queued, bytes)
}

// total adds up the actors of one kind.
type total struct{ running, depth, bytes, handled, refused, restarts float64 }

func totals(infos []actors.ActorInfo) map[string]total {
	kinds := map[string]total{}
	for _, info := range infos {
		kind, _, _ := strings.Cut(info.Name, "/")
		if strings.HasPrefix(kind, "$") {
			kind = "anonymous"
		}
		t := kinds[kind]
		t.running++
		t.depth += float64(info.Depth)
		t.bytes += float64(info.Bytes)
		t.handled += float64(info.Handled)
		t.refused += float64(info.Refused)
		t.restarts += float64(info.Restarts)
		kinds[kind] = t
	}
	return kinds
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}
