package api

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

// everything is what isolators may know of a container.
func everything() *mesos.ResourceStatistics {
	return &mesos.ResourceStatistics{
		Timestamp: proto.Float64(1), CpusUserTimeSecs: proto.Float64(1.25), CpusSystemTimeSecs: proto.Float64(0.5),
		CpusSoftLimit: proto.Float64(1), CpusLimit: proto.Float64(2), CpusNrPeriods: proto.Uint32(10), CpusNrThrottled: proto.Uint32(3),
		CpusThrottledTimeSecs: proto.Float64(0.125), MemTotalBytes: proto.Uint64(9000), MemRssBytes: proto.Uint64(4000), MemCacheBytes: proto.Uint64(5000),
		MemMappedFileBytes: proto.Uint64(7), MemSwapBytes: proto.Uint64(0), MemSoftLimitBytes: proto.Uint64(1 << 26), MemLimitBytes: proto.Uint64(1 << 27),
		MemLowPressureCounter: proto.Uint64(5), MemMediumPressureCounter: proto.Uint64(4), MemCriticalPressureCounter: proto.Uint64(2),
		DiskUsedBytes: proto.Uint64(77), DiskLimitBytes: proto.Uint64(88), Processes: proto.Uint32(2), Threads: proto.Uint32(6),
		BlkioStatistics: &mesos.CgroupInfo_Blkio_Statistics{Throttling: []*mesos.CgroupInfo_Blkio_Throttling_Statistics{
			{IoServiceBytes: []*mesos.CgroupInfo_Blkio_Value{{Op: mesos.CgroupInfo_Blkio_READ.Enum(), Value: proto.Uint64(1000)}}},
			{
				Device: &mesos.Device_Number{MajorNumber: proto.Uint64(8), MinorNumber: proto.Uint64(0)},
				IoServiceBytes: []*mesos.CgroupInfo_Blkio_Value{
					{Op: mesos.CgroupInfo_Blkio_READ.Enum(), Value: proto.Uint64(600)}, {Op: mesos.CgroupInfo_Blkio_WRITE.Enum(), Value: proto.Uint64(50)},
				},
			},
			{
				Device:         &mesos.Device_Number{MajorNumber: proto.Uint64(8), MinorNumber: proto.Uint64(16)},
				IoServiceBytes: []*mesos.CgroupInfo_Blkio_Value{{Op: mesos.CgroupInfo_Blkio_READ.Enum(), Value: proto.Uint64(400)}},
			},
		}},
	}
}

func fully(_ []int, list []Measured) []*mesos.ResourceStatistics {
	all := make([]*mesos.ResourceStatistics, len(list))
	for i := range all {
		all[i] = everything()
	}
	return all
}

// scrape is what a collector has for Prometheus, line by line.
func scrape(t testing.TB, c prometheus.Collector) map[string]bool {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d: %s", answer.Code, answer.Body)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(answer.Body.String()) {
		lines[strings.TrimSpace(line)] = true
	}
	return lines
}

// pod adds an executor of two tasks in containers of their own to an agent.
func pod(v *View, dir string) {
	executor := "pod"
	v.Publish(view.ExecutorChanged{Executor: &view.Executor{
		ID: "pod", Framework: "F", Container: "P", Phase: view.Running, Sandbox: dir + "/pod", Host: "H1",
		Info: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: &executor}},
	}})
	for _, id := range []string{"p1", "p2"} {
		t := &view.Task{
			Info:      &mesos.TaskInfo{Name: &id, TaskId: &mesos.TaskID{Value: &id}, Limits: map[string]*mesos.Value_Scalar{"mem": {Value: proto.Float64(9)}}},
			Framework: "F", Executor: "pod", Container: "P", State: mesos.TaskState_TASK_RUNNING, Launched: true,
			Statuses: []*mesos.TaskStatus{status(id, executor, "c"+id, mesos.TaskState_TASK_RUNNING), {}},
		}
		t.Statuses[0].ContainerStatus.ContainerId.Parent = &mesos.ContainerID{Value: proto.String("P")}
		v.Publish(view.TaskChanged{Task: t})
	}
}

func TestFiguresOfContainers(t *testing.T) {
	v, _ := shown(t)
	pod(v, "/w")
	v.Publish(view.FrameworkChanged{Framework: &view.Framework{ID: "F", Info: &mesos.FrameworkInfo{Name: proto.String("a \"name\"\xff")}}})
	lines := scrape(t, NewCollector(v, fully))
	task := `executor="T1",framework="a \"name\"` + "\uFFFD" + `",framework_id="F",role="web",task="T1"`
	other := `executor="E",framework="n",framework_id="G",role="web"`
	for _, c := range []struct{ figure, value string }{
		{"cpu_user_seconds_total", "1.25"},
		{"cpu_system_seconds_total", "0.5"},
		{"cpus_requested", "1"},
		{"cpus_limit", "2"},
		{"cpu_periods_total", "10"},
		{"cpu_throttled_periods_total", "3"},
		{"cpu_throttled_seconds_total", "0.125"},
		{"memory_bytes", "9000"},
		{"memory_rss_bytes", "4000"},
		{"memory_cache_bytes", "5000"},
		{"memory_mapped_file_bytes", "7"},
		{"memory_swap_bytes", "0"},
		{"memory_requested_bytes", "6.7108864e+07"},
		{"memory_limit_bytes", "1.34217728e+08"},
		{"memory_pressure_low_total", "5"},
		{"memory_pressure_medium_total", "4"},
		{"memory_pressure_critical_total", "2"},
		{"disk_used_bytes", "77"},
		{"disk_limit_bytes", "88"},
		{"io_read_bytes_total", "1000"},
		{"io_written_bytes_total", "50"},
		{"processes", "2"},
		{"threads", "6"},
	} {
		for _, want := range []string{
			fmt.Sprintf("troupe_task_%s{%s} %s", c.figure, task, c.value),
			fmt.Sprintf("troupe_task_%s{%s} %s", c.figure, strings.NewReplacer(`task="T1"`, `task="p2"`, `executor="T1"`, `executor="pod"`, `"web"`, `"*"`).Replace(task), c.value),
			fmt.Sprintf("troupe_executor_%s{%s} %s", c.figure, other, c.value),
		} {
			if !lines[want] {
				t.Errorf("no line %s", want)
			}
		}
	}
	if n := len(taskFigures); n != 23 {
		t.Errorf("there are %d figures", n)
	}
	for line := range lines {
		if strings.HasPrefix(line, "troupe_executor_processes{") && strings.Contains(line, `executor="T1"`) {
			t.Errorf("a command task is told of twice: %s", line)
		}
	}
}

// Figures of what nobody knows are left out, and as many are told of as run.
func TestFiguresAreOfWhatRuns(t *testing.T) {
	v, _ := shown(t)
	told := func() (n int) {
		for line := range scrape(t, NewCollector(v, nil)) {
			if strings.HasPrefix(line, "troupe_task_") || strings.HasPrefix(line, "troupe_executor_") {
				n++
			}
		}
		return n
	}
	if n := told(); n != 0 {
		t.Errorf("%d lines are of what was not measured", n)
	}
	count := func() (n int) {
		for line := range scrape(t, NewCollector(v, fully)) {
			if strings.HasPrefix(line, "troupe_task_threads{") {
				n++
			}
		}
		return n
	}
	if n := count(); n != 1 {
		t.Errorf("%d tasks are told of, and one runs", n)
	}
	v.Publish(view.ExecutorChanged{Executor: &view.Executor{ID: "T1", Framework: "F", Container: "C1", Phase: view.Terminated, Info: &mesos.ExecutorInfo{}}})
	if n := count(); n != 0 {
		t.Errorf("%d tasks are told of when none runs", n)
	}
}

// Two containers of one name do not keep the others' figures from being told.
func TestFiguresOfTwoOfOneName(t *testing.T) {
	v, _ := shown(t)
	for _, container := range []view.ContainerID{"D1", "D2"} {
		v.Publish(view.ExecutorChanged{Executor: &view.Executor{ID: "twin", Framework: "F", Container: container, Phase: view.Running, Info: &mesos.ExecutorInfo{}}})
	}
	if !scrape(t, NewCollector(v, fully))[`troupe_executor_threads{executor="twin",framework="n",framework_id="F",role="*"} 6`] {
		t.Error("the twins are not told of")
	}
}

// BenchmarkScrape writes the figures of 500 tasks, of which everything is known;
// it does not measure them.
func BenchmarkScrape(b *testing.B) {
	_, v := crowded(500)
	registry := prometheus.NewRegistry()
	if err := registry.Register(NewCollector(v, fully)); err != nil {
		b.Fatal(err)
	}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			request.Header.Set("Accept-Encoding", encoding)
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				answer := httptest.NewRecorder()
				answer.Body = bytes.NewBuffer(make([]byte, 0, 4<<20))
				handler.ServeHTTP(answer, request)
				size = answer.Body.Len()
			}
			b.SetBytes(int64(size))
		})
	}
}
