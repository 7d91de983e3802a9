package daemon

import (
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"troupe/messages/mesos"
	"troupe/slave"
	"troupe/slave/api"
	"troupe/slave/container/isolator"
	"troupe/slave/container/measure"
	"troupe/slave/container/posix"
	"troupe/slave/container/sandbox"
	"troupe/slave/state"
)

// meter measures the containers of an agent, for all who ask.
type meter struct {
	*measure.Meter
	layout sandbox.Layout
	held   *isolator.Set
	log    *zap.Logger
}

func newMeter(layout sandbox.Layout, held *isolator.Set, quota bool, log *zap.Logger) *meter {
	return &meter{layout: layout, held: held, log: log, Meter: measure.New(measure.Settings{
		Isolators: held, QuotaCPUs: quota,
		Report: func(err error) { log.Warn("Containers were not measured", zap.Error(err)) },
	})}
}

// figures are what isolators count of all containers together.
func (m *meter) figures(put func(key string, value float64)) {
	if err := m.held.Figures(put); err != nil {
		m.log.Warn("Containers were not counted", zap.Error(err))
	}
}

// measure is an api.Measure.
func (m *meter) measure(hosts []int, list []api.Measured) []*mesos.ResourceStatistics {
	all := make([]measure.Container, len(list))
	for i, c := range list {
		all[i] = measure.Container{ID: c.ID, Sandbox: c.Sandbox, Amounts: c.Amounts}
		if c.Sandbox == "" { // of one that stands alone, or below it
			all[i].Sandbox = m.layout.Standalone(filepath.Join(below(c.ID)...))
		}
	}
	return m.Meter.Measure(hosts, all)
}

// below is the path of a container's sandbox from that of the outermost one's
// parent folder.
func below(id []string) []string {
	path := id[:1:1]
	for _, inner := range id[1:] {
		path = append(path, "containers", inner)
	}
	return path
}

// Measure implements slave.Meter.
func (m *meter) Measure(held []state.Held) []slave.Used {
	var hosts []int
	all := make([]measure.Container, len(held))
	for i, h := range held {
		all[i] = measure.Container{ID: []string{string(h.Container)}, Sandbox: h.Sandbox}
		if host := int(h.Host); host != 0 && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	used := make([]slave.Used, len(held))
	for i, u := range m.Meter.Measure(hosts, all) {
		if u.CpusUserTimeSecs != nil {
			cpu := u.GetCpusUserTimeSecs() + u.GetCpusSystemTimeSecs()
			used[i] = slave.Used{Known: true, CPU: time.Duration(cpu * float64(time.Second)), Memory: u.GetMemRssBytes()}
			if u.MemTotalBytes != nil {
				used[i].Memory = u.GetMemTotalBytes()
			}
		}
	}
	return used
}

// Load implements slave.Meter.
func (m *meter) Load() ([3]float64, error) { return posix.Load() }
