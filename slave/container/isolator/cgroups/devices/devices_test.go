package devices

import (
	"context"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
	"troupe/tools/cgrouptest"
)

func newIsolator(t testing.TB, allowed ...Rule) *Isolator {
	t.Helper()
	i, err := New(cgrouptest.Tree(t), allowed)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func box() *isolator.Container { return &isolator.Container{ID: []string{"box"}} }

func said(t *testing.T, p *plan.Plan, program string, arguments ...string) string {
	t.Helper()
	out, err := cgrouptest.Start(t, p, program, arguments...).Wait(t)
	if err != nil {
		return out + err.Error()
	}
	return out
}

// /dev/kmsg is one that nobody has; all the programs here are root's.
func TestDenied(t *testing.T) {
	i := newIsolator(t)
	p := cgrouptest.Prepare(t, box(), i)
	if got := said(t, p, "open", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/kmsg"); got !=
		"/dev/null ok\n/dev/zero ok\n/dev/urandom ok\n/dev/kmsg operation not permitted\n" {
		t.Error(got)
	}
	// A node of its own may be made, but leads nowhere.
	if got := said(t, p, "mknod", t.TempDir()+"/mine", "1", "11"); got != "made; open: operation not permitted\n" {
		t.Error(got)
	}
	nested := &isolator.Container{ID: []string{"box", "inner"}}
	inner := cgrouptest.Prepare(t, nested, i)
	if got := said(t, inner, "open", "/dev/null", "/dev/kmsg"); got != "/dev/null ok\n/dev/kmsg operation not permitted\n" {
		t.Errorf("nested: %s", got)
	}
}

func TestAllowedWithoutIsolator(t *testing.T) {
	if got := said(t, &plan.Plan{}, "open", "/dev/kmsg"); got != "/dev/kmsg ok\n" {
		t.Error(got)
	}
	if got := said(t, &plan.Plan{}, "mknod", t.TempDir()+"/mine", "1", "11"); got != "made; open: ok\n" {
		t.Error(got)
	}
}

// What is allowed in part does not pass as a whole.
func TestAllowed(t *testing.T) {
	for access, want := range map[string]string{
		"rw": "/dev/kmsg ok\n", "rwm": "/dev/kmsg ok\n", "r": "/dev/kmsg operation not permitted\n", "wm": "/dev/kmsg operation not permitted\n",
	} {
		p := cgrouptest.Prepare(t, box(), newIsolator(t, Rule{Type: 'c', Major: 1, Minor: 11, Access: access}))
		if got := said(t, p, "open", "/dev/kmsg"); got != want {
			t.Errorf("%s: %s", access, got)
		}
	}
	p := &plan.Plan{Devices: []plan.Device{{Path: "/dev/kmsg", Mode: 0o20666, Major: 1, Minor: 11}}}
	i := newIsolator(t)
	if err := i.Prepare(t.Context(), box(), p); err != nil {
		t.Fatal(err)
	}
	if got := said(t, p, "open", "/dev/kmsg"); got != "/dev/kmsg ok\n" {
		t.Errorf("planned: %s", got)
	}
}

func TestRules(t *testing.T) {
	access := func(path string, r, w, m bool) *mesos.DeviceWhitelist {
		return &mesos.DeviceWhitelist{AllowedDevices: []*mesos.DeviceAccess{{
			Device: &mesos.Device{Path: proto.String(path)},
			Access: &mesos.DeviceAccess_Access{Read: proto.Bool(r), Write: proto.Bool(w), Mknod: proto.Bool(m)},
		}}}
	}
	rules, err := Rules(access("/dev/kmsg", true, true, false))
	if err != nil || len(rules) != 1 || rules[0].String() != "c 1:11 rw" {
		t.Errorf("%v, %v", rules, err)
	}
	if rules, err := Rules(nil); err != nil || rules != nil {
		t.Errorf("%v, %v", rules, err)
	}
	for want, w := range map[string]*mesos.DeviceWhitelist{
		"nothing is allowed": access("/dev/kmsg", false, false, false), "not absolute": access("dev/kmsg", true, false, false),
		"no such file": access("/dev/none", true, false, false), "is no device": access("/etc", true, false, false),
	} {
		if _, err := Rules(w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if got := (Rule{Type: 'b', Major: 8, Minor: -1, Access: "m"}).String(); got != "b 8:* m" {
		t.Error(got)
	}
}

// A device that cannot be allowed leaves nothing behind.
func TestBadPlan(t *testing.T) {
	i := newIsolator(t)
	p := &plan.Plan{Devices: []plan.Device{{Path: "/dev/odd", Mode: 0o100666}}}
	if err := i.Prepare(context.Background(), box(), p); err == nil || !strings.Contains(err.Error(), "/dev/odd is no device") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(i.Dir(0, box())); !os.IsNotExist(err) || len(p.Cgroups) > 0 {
		t.Errorf("left: %v, %v", err, p.Cgroups)
	}
}
