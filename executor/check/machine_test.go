package check

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func ptr[T any](v T) *T { return &v }

// at is an input some seconds after the start.
type at struct {
	s  float64
	in Input
}

func answered(w Which, r Result) Input { return Done{Which: w, Result: r} }

var (
	good    = Result{Code: 200, Connected: true}
	bad     = Result{Code: 500}
	nothing = Result{Err: errors.New("time was up")}
)

func show(e Effect) string {
	switch e := e.(type) {
	case Wait:
		return fmt.Sprintf("%s waits %s", e.Which, e.After)
	case Run:
		return fmt.Sprintf("%s runs", e.Which)
	case Cancel:
		return fmt.Sprintf("%s is cancelled", e.Which)
	case Judged:
		switch {
		case e.Healthy:
			return "healthy"
		case e.Kill:
			return fmt.Sprintf("unhealthy %d, kill: %s", e.Failures, e.Cause)
		}
		return fmt.Sprintf("unhealthy %d: %s", e.Failures, e.Cause)
	case Learned:
		if tcp := e.Status.GetTcp(); tcp.Succeeded != nil {
			return fmt.Sprintf("learned %s %t", e.Status.GetType(), tcp.GetSucceeded())
		}
		return fmt.Sprintf("learned %s nothing", e.Status.GetType())
	}
	return "?"
}

func httpHealth(change func(*mesos.HealthCheck)) *mesos.TaskInfo {
	h := &mesos.HealthCheck{
		Type: mesos.HealthCheck_HTTP.Enum(), Http: &mesos.HealthCheck_HTTPCheckInfo{Port: ptr(uint32(80)), Path: ptr("/up")},
	}
	if change != nil {
		change(h)
	}
	return &mesos.TaskInfo{HealthCheck: h}
}

func tcpCheck() *mesos.TaskInfo {
	return &mesos.TaskInfo{Check: &mesos.CheckInfo{Type: mesos.CheckInfo_TCP.Enum(), Tcp: &mesos.CheckInfo_Tcp{Port: ptr(uint32(80))}}}
}

// run feeds inputs, and puts a Due before every Done.
func run(m *Machine, inputs []at) string {
	var got []string
	for _, a := range inputs {
		now := time.Unix(1000, 0).Add(time.Duration(a.s * float64(time.Second)))
		if d, ok := a.in.(Done); ok {
			m.Step(now, Due{Which: d.Which})
		}
		for _, e := range m.Step(now, a.in) {
			got = append(got, show(e))
		}
	}
	return strings.Join(got, "\n")
}

func TestMachine(t *testing.T) {
	const first, again, failed = "health check waits 15s", "health check waits 10s", "http://127.0.0.1:80/up answered 500"
	for _, c := range []struct {
		name string
		task *mesos.TaskInfo
		in   []at
		want []string
	}{
		{"no checks", &mesos.TaskInfo{}, []at{{0, Start{}}, {1, Due{}}, {1, Done{}}, {2, Stop{}}}, nil},
		{
			"the first success alone", httpHealth(nil),
			[]at{{0, Start{}}, {15, answered(Health, good)}, {25, answered(Health, good)}},
			[]string{first, "healthy", again, again},
		},
		{
			"every failure, and a kill at the third", httpHealth(nil),
			[]at{{0, Start{}}, {15, answered(Health, bad)}, {25, answered(Health, nothing)}, {35, answered(Health, bad)}},
			[]string{first, "unhealthy 1: " + failed, again, "unhealthy 2: time was up", again, "unhealthy 3, kill: " + failed, again},
		},
		{
			"a success between failures", httpHealth(nil),
			[]at{{0, Start{}}, {15, answered(Health, bad)}, {25, answered(Health, bad)}, {35, answered(Health, good)}, {45, answered(Health, bad)}},
			[]string{first, "unhealthy 1: " + failed, again, "unhealthy 2: " + failed, again, "healthy", again, "unhealthy 1: " + failed, again},
		},
		{
			"grace, its last moment included", httpHealth(func(h *mesos.HealthCheck) { h.DelaySeconds, h.GracePeriodSeconds = ptr(0.0), ptr(20.0) }),
			[]at{{0, Start{}}, {0, answered(Health, bad)}, {20, answered(Health, bad)}, {20.001, answered(Health, bad)}},
			[]string{"health check waits 0s", again, again, "unhealthy 1: " + failed, again},
		},
		{
			"grace ends with the first success", httpHealth(func(h *mesos.HealthCheck) { h.DelaySeconds, h.GracePeriodSeconds = ptr(1.0), ptr(60.0) }),
			[]at{{0, Start{}}, {1, answered(Health, bad)}, {11, answered(Health, good)}, {21, answered(Health, bad)}},
			[]string{"health check waits 1s", again, "healthy", again, "unhealthy 1: " + failed, again},
		},
		{
			"no grace", httpHealth(func(h *mesos.HealthCheck) { h.DelaySeconds, h.GracePeriodSeconds = ptr(0.0), ptr(0.0) }),
			[]at{{0, Start{}}, {0, answered(Health, bad)}},
			[]string{"health check waits 0s", "unhealthy 1: " + failed, again},
		},
		{
			"none allowed", httpHealth(func(h *mesos.HealthCheck) { h.ConsecutiveFailures = ptr(uint32(0)) }),
			[]at{{0, Start{}}, {15, answered(Health, bad)}},
			[]string{first, "unhealthy 1, kill: " + failed, again},
		},
		{
			"only what is new", tcpCheck(),
			[]at{
				{0, Start{}},
				{15, answered(General, nothing)},
				{25, answered(General, good)},
				{35, answered(General, good)},
				{45, answered(General, bad)},
				{55, answered(General, nothing)},
			},
			[]string{
				"check waits 15s", "check waits 10s", "learned TCP true", "check waits 10s", "check waits 10s",
				"learned TCP false", "check waits 10s", "learned TCP nothing", "check waits 10s",
			},
		},
		{
			"nothing once stopped", httpHealth(nil),
			[]at{{0, Start{}}, {15, Due{Which: Health}}, {16, Stop{}}, {17, Done{Which: Health, Result: bad}}, {18, Start{}}},
			[]string{first, "health check runs", "health check is cancelled"},
		},
		{
			"what nobody asked for", httpHealth(nil),
			[]at{{0, Due{Which: Health}}, {0, Start{}}, {1, Start{}}, {1, Done{Which: General, Result: bad}}, {1, Due{Which: 7}}, {1, Done{Which: -1}}},
			[]string{first},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, want := run(New(c.task), c.in), strings.Join(c.want, "\n")
			if got != want {
				t.Errorf("effects:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestWhatIsProbed(t *testing.T) {
	six := mesos.NetworkInfo_IPv6.Enum()
	command := &mesos.CommandInfo{Value: ptr("true")}
	for _, c := range []struct {
		name  string
		task  *mesos.TaskInfo
		which Which
		want  Probe
	}{
		{"http", httpHealth(nil), Health, Probe{Type: mesos.CheckInfo_HTTP, URL: "http://127.0.0.1:80/up", Timeout: 20 * time.Second}},
		{"https of IPv6", httpHealth(func(h *mesos.HealthCheck) {
			h.Http.Scheme, h.Http.Protocol, h.Http.Path, h.TimeoutSeconds = ptr("https"), six, nil, ptr(0.0)
		}), Health, Probe{Type: mesos.CheckInfo_HTTP, URL: "https://[::1]:80"}},
		{"tcp of IPv6", &mesos.TaskInfo{HealthCheck: &mesos.HealthCheck{
			Type: mesos.HealthCheck_TCP.Enum(), Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: ptr(uint32(7)), Protocol: six}, TimeoutSeconds: ptr(1.5),
		}}, Health, Probe{Type: mesos.CheckInfo_TCP, Address: "[::1]:7", Timeout: 1500 * time.Millisecond}},
		{"command", &mesos.TaskInfo{HealthCheck: &mesos.HealthCheck{
			Type: mesos.HealthCheck_COMMAND.Enum(), Command: command, TimeoutSeconds: ptr(math.Inf(1)),
		}}, Health, Probe{Type: mesos.CheckInfo_COMMAND, Command: command, Timeout: math.MaxInt64}},
		{"check by command", &mesos.TaskInfo{Check: &mesos.CheckInfo{
			Type: mesos.CheckInfo_COMMAND.Enum(), Command: &mesos.CheckInfo_Command{Command: command}, TimeoutSeconds: ptr(math.NaN()),
		}}, General, Probe{Type: mesos.CheckInfo_COMMAND, Command: command}},
		{"check by http", &mesos.TaskInfo{Check: &mesos.CheckInfo{
			Type: mesos.CheckInfo_HTTP.Enum(), Http: &mesos.CheckInfo_Http{Port: ptr(uint32(8)), Path: ptr("/")}, TimeoutSeconds: ptr(1.0),
		}}, General, Probe{Type: mesos.CheckInfo_HTTP, URL: "http://127.0.0.1:8/", Timeout: time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(c.task)
			m.Step(time.Unix(0, 0), Start{})
			out := m.Step(time.Unix(0, 0), Due{Which: c.which})
			if len(out) != 1 {
				t.Fatalf("effects %v", out)
			}
			if got := out[0].(Run).Probe; got != c.want {
				t.Errorf("probe %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		kind mesos.CheckInfo_Type
		r    Result
		bad  bool
	}{
		{mesos.CheckInfo_COMMAND, Result{}, false},
		{mesos.CheckInfo_COMMAND, Result{Code: 1}, true},
		{mesos.CheckInfo_HTTP, Result{Code: 199}, true},
		{mesos.CheckInfo_HTTP, Result{Code: 200}, false},
		{mesos.CheckInfo_HTTP, Result{Code: 399}, false},
		{mesos.CheckInfo_HTTP, Result{Code: 400}, true},
		{mesos.CheckInfo_TCP, Result{}, true},
		{mesos.CheckInfo_TCP, Result{Connected: true}, false},
		{mesos.CheckInfo_TCP, Result{Connected: true, Err: errors.New("late")}, true},
	} {
		if got := (Probe{Type: c.kind}).failure(c.r); (got != "") != c.bad {
			t.Errorf("%s %+v: %q", c.kind, c.r, got)
		}
	}
}

func TestStatusOfEachKind(t *testing.T) {
	for kind, want := range map[mesos.CheckInfo_Type]*mesos.CheckStatusInfo{
		mesos.CheckInfo_COMMAND: {Command: &mesos.CheckStatusInfo_Command{ExitCode: ptr(int32(7))}},
		mesos.CheckInfo_HTTP:    {Http: &mesos.CheckStatusInfo_Http{StatusCode: ptr(uint32(7))}},
		mesos.CheckInfo_TCP:     {Tcp: &mesos.CheckStatusInfo_Tcp{Succeeded: ptr(false)}},
	} {
		want.Type = kind.Enum()
		if got := (Probe{Type: kind}).status(&Result{Code: 7}); !proto.Equal(got, want) {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

func TestUnknownTypesAreNoChecks(t *testing.T) {
	m := New(&mesos.TaskInfo{Check: &mesos.CheckInfo{}, HealthCheck: &mesos.HealthCheck{}})
	if out := m.Step(time.Unix(0, 0), Start{}); out != nil || m.Unknown() != nil {
		t.Errorf("effects %v, status %v", out, m.Unknown())
	}
}

func TestIntervalsHaveALeast(t *testing.T) {
	m := New(httpHealth(func(h *mesos.HealthCheck) { h.IntervalSeconds = ptr(0.0) }))
	if got := run(m, []at{{0, Start{}}, {15, answered(Health, good)}}); !strings.HasSuffix(got, "waits 100ms") {
		t.Error(got)
	}
}
