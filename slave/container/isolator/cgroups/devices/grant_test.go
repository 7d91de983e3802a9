package devices

import (
	"strings"
	"testing"

	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
)

// kmsg is a device that nobody has.
func kmsg() []plan.Device {
	return []plan.Device{{Path: "/dev/kmsg", Mode: 0o20666, Major: 1, Minor: 11}}
}

// What a running container may open comes and goes; it may stay the operator's.
func TestGrant(t *testing.T) {
	const yes, no = "/dev/null ok\n/dev/kmsg ok\n", "/dev/null ok\n/dev/kmsg operation not permitted\n"
	i := newIsolator(t)
	p := cgrouptest.Prepare(t, box(), i)
	nested := cgrouptest.Prepare(t, &isolator.Container{ID: []string{"box", "inner"}}, i)
	for n, step := range []struct {
		has, lost []plan.Device
		want      string
	}{{nil, nil, no}, {kmsg(), nil, yes}, {kmsg(), nil, yes}, {nil, kmsg(), no}, {nil, kmsg(), no}, {kmsg(), nil, yes}} {
		if err := i.Grant(box(), step.has, step.lost); err != nil {
			t.Fatal(err)
		}
		if got := said(t, p, "open", "/dev/null", "/dev/kmsg"); got != step.want {
			t.Errorf("step %d: %s", n, got)
		}
		if got := said(t, nested, "open", "/dev/null", "/dev/kmsg"); step.want == no && got != no {
			t.Errorf("step %d, in a nested container: %s", n, got)
		}
	}
	if err := i.Grant(box(), []plan.Device{{Path: "/dev/odd"}}, nil); err == nil || !strings.Contains(err.Error(), "/dev/odd is no device") {
		t.Errorf("%v", err)
	}
}

func TestGrantLeavesTheOperators(t *testing.T) {
	i := newIsolator(t, Rule{Type: 'c', Major: 1, Minor: 11, Access: "rw"})
	p := cgrouptest.Prepare(t, box(), i)
	if err := i.Grant(box(), nil, kmsg()); err != nil {
		t.Fatal(err)
	}
	if got := said(t, p, "open", "/dev/kmsg"); got != "/dev/kmsg ok\n" {
		t.Error(got)
	}
}
