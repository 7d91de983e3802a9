package daemon

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"troupe/frameworks/service/api"
)

// marathonNames are Marathon's names of the framework's own counters, by what
// Prometheus knows them as, and the value of their label.
var marathonNames = map[string]string{
	"troupe_service_tasks_launched_total":       "tasks.launched",
	"troupe_service_offers_total received":      "mesos.offers.incoming",
	"troupe_service_offers_total accepted":      "mesos.offers.used",
	"troupe_service_offers_total declined":      "mesos.offers.declined",
	"troupe_service_operations_total launch":    "mesos.offer-operations.launch",
	"troupe_service_operations_total reserve":   "mesos.offer-operations.reserve",
	"troupe_service_operations_total create":    "mesos.offer-operations.create",
	"troupe_service_operations_total unreserve": "mesos.offer-operations.unreserve",
	"troupe_service_operations_total destroy":   "mesos.offer-operations.destroy",
	"troupe_service_calls_total revive":         "mesos.calls.revive",
	"troupe_service_calls_total suppress":       "mesos.calls.suppress",
}

// numbers are what a collector counts and Marathon has a name for.
func numbers(of prometheus.Collector) ([]api.Number, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(of); err != nil {
		return nil, err
	}
	families, err := registry.Gather()
	if err != nil {
		return nil, err
	}
	var list []api.Number
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if name := marathonNames[keyOf(f, m)]; name != "" {
				list = append(list, api.Number{Name: name, Counter: true, Value: m.GetCounter().GetValue()})
			}
		}
	}
	return list, nil
}

func keyOf(f *dto.MetricFamily, m *dto.Metric) string {
	key := f.GetName()
	for _, l := range m.GetLabel() {
		key += " " + strings.ToLower(l.GetValue())
	}
	return key
}
