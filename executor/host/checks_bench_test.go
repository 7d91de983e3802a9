package host_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// BenchmarkChecks is what it costs to ask 500 tasks how they are once a second:
// CPU of the hosts, and of what they start, per question. Whom they ask is in
// this process, and left out.
func BenchmarkChecks(b *testing.B) {
	for name, h := range map[string]func(port uint32) *mesos.HealthCheck{
		"http": func(port uint32) *mesos.HealthCheck {
			return &mesos.HealthCheck{
				Type: mesos.HealthCheck_HTTP.Enum(), Http: &mesos.HealthCheck_HTTPCheckInfo{Port: &port, Path: proto.String("/health")},
			}
		},
		"command": func(port uint32) *mesos.HealthCheck {
			return &mesos.HealthCheck{
				Type: mesos.HealthCheck_COMMAND.Enum(), Command: &mesos.CommandInfo{Value: proto.String("true")},
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				checkMany(b, h)
			}
		})
	}
}

func checkMany(b *testing.B, health func(port uint32) *mesos.HealthCheck) {
	const tasks, perHost, seconds = 500, 64, 20
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	s := newStation(b, "exec sleep 300")
	h := health(portOf(b, server))
	h.DelaySeconds, h.IntervalSeconds = proto.Float64(0), proto.Float64(1)
	s.health = h
	var last *hostProcess
	for i := range tasks {
		if i%perHost == 0 {
			last = s.host()
		}
		s.launch(last, fmt.Sprintf("C%d", i))
	}
	for range 2 * tasks { // each runs, and each is healthy
		next(b, s.running, "TASK_RUNNING")
	}
	before, from := s.used(b), asked.Load()
	window := time.NewTimer(seconds * time.Second)
	<-window.C
	n := asked.Load() - from
	if h.Http == nil {
		n = tasks * seconds // nearly: nobody counts them
	}
	b.ReportMetric(float64((s.used(b)-before).Microseconds())/float64(n), "cpu-us/check")
	b.ReportMetric(float64(n)/seconds, "checks/s")
	for _, h := range s.hosts {
		if err := h.cmd.Process.Kill(); err != nil {
			b.Fatal(err)
		}
	}
}

func portOf(b *testing.B, s *httptest.Server) uint32 {
	b.Helper()
	_, text, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		b.Fatal(err)
	}
	return uint32(port)
}

// used is the CPU time of all hosts, and of their children that have ended.
func (s *station) used(b *testing.B) time.Duration {
	b.Helper()
	const tick = time.Second / 100 // USER_HZ of every Linux
	total := time.Duration(0)
	for _, h := range s.hosts {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", h.cmd.Process.Pid))
		if err != nil {
			b.Fatal(err)
		}
		_, after, _ := strings.Cut(string(text), ") ")
		for _, field := range strings.Fields(after)[11:15] { // utime, stime, cutime, cstime
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(n) * tick
		}
	}
	return total
}
