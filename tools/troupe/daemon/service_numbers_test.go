package daemon

import (
	"reflect"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"troupe/frameworks/service"
	"troupe/frameworks/service/api"
)

func TestNumbersHaveMarathonsNames(t *testing.T) {
	offers := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "troupe_service_offers_total"}, []string{"fate"})
	offers.WithLabelValues("declined").Add(3)
	offers.WithLabelValues("rescinded").Add(4) // Marathon counts none
	got, err := numbers(offers)
	if want := []api.Number{{Name: "mesos.offers.declined", Counter: true, Value: 3}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = numbers(service.NewMetrics())
	if want := []api.Number{{Name: "tasks.launched", Counter: true}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of a service that has done nothing: %+v, %v", got, err)
	}
	if _, err := numbers(prometheus.CollectorFunc(func(to chan<- prometheus.Metric) {
		to <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(nil), nil)
	})); err == nil {
		t.Error("what cannot be gathered is no error")
	}
}
