package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"troupe/actors"
)

// Process is one whose figures are gathered over the link to it.
type Process struct {
	// PID is any actor of it.
	PID actors.PID
	// Labels tell it from others; they take the place of its own of these names.
	Labels map[string]string
}

const (
	// gatherLimit is how long processes may take for their figures: less than
	// Prometheus waits by default.
	gatherLimit = 5 * time.Second
	// maxFigures bounds the text of one process's figures.
	maxFigures = 1 << 20
	// gatherers is how many processes are asked at once.
	gatherers = 16
)

// ServeGathered serves the figures of all processes for Prometheus, each with
// its labels. What does not answer, or not with figures, is left out; of names
// that processes use for figures of different kinds the first's are shown.
func ServeGathered(from Asker, processes func() []Process) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method "+r.Method+": expecting GET", http.StatusMethodNotAllowed)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), gatherLimit)
		defer cancel()
		families := gather(ctx, from, processes())
		figures := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })
		promhttp.HandlerFor(figures, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
}

func gather(ctx context.Context, from Asker, processes []Process) []*dto.MetricFamily {
	each := make([]map[string]*dto.MetricFamily, len(processes))
	var wait sync.WaitGroup
	room := make(chan bool, gatherers)
	for i, p := range processes {
		room <- true
		wait.Go(func() {
			defer func() { <-room }()
			families, err := figuresOf(ctx, from, p)
			if err != nil {
				families = map[string]*dto.MetricFamily{}
			}
			families[upName] = up(err == nil)
			each[i] = families
		})
	}
	wait.Wait()
	return merge(processes, each)
}

// upName is 1 for each process that has answered.
const upName = "troupe_process_answers"

func up(answers bool) *dto.MetricFamily {
	value := 0.0
	if answers {
		value = 1
	}
	return &dto.MetricFamily{
		Name: new(upName), Help: new("1 when the process has answered with its figures."), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &value}}},
	}
}

// figuresOf reads what a process serves at /metrics.
func figuresOf(ctx context.Context, from Asker, p Process) (map[string]*dto.MetricFamily, error) {
	response, err := Fetch(ctx, from, p.PID, "/metrics")
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	if response.ContentLength > maxFigures {
		return nil, fmt.Errorf("figures of %d bytes", response.ContentLength)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(io.LimitReader(response.Body, maxFigures))
}

// merge puts families of one name together, in the order of names.
func merge(processes []Process, each []map[string]*dto.MetricFamily) []*dto.MetricFamily {
	all := map[string]*dto.MetricFamily{}
	for i, families := range each {
		for name, f := range families {
			whole := all[name]
			if whole == nil {
				whole = &dto.MetricFamily{Name: f.Name, Help: f.Help, Type: f.Type, Unit: f.Unit}
				all[name] = whole
			}
			if whole.GetType() != f.GetType() {
				continue
			}
			for _, m := range f.Metric {
				label(m, processes[i].Labels)
			}
			whole.Metric = append(whole.Metric, f.Metric...)
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
}

// label gives labels to a figure, in place of its own of these names.
func label(m *dto.Metric, labels map[string]string) {
	m.Label = slices.DeleteFunc(m.Label, func(l *dto.LabelPair) bool {
		_, ours := labels[l.GetName()]
		return ours
	})
	for name, value := range labels {
		m.Label = append(m.Label, &dto.LabelPair{Name: &name, Value: &value})
	}
	slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
}
