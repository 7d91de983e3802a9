package capabilities

import (
	"context"
	"strings"
	"testing"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

const (
	netRaw   = Set(1) << (mesos.CapabilityInfo_NET_RAW - first)
	chown    = Set(1) << (mesos.CapabilityInfo_CHOWN - first)
	sysAdmin = Set(1) << (mesos.CapabilityInfo_SYS_ADMIN - first)
	sysRes   = Set(1) << (mesos.CapabilityInfo_SYS_RESOURCE - first)
	setpcap  = Set(1) << (mesos.CapabilityInfo_SETPCAP - first)
)

// caps is a message; nil for "unset".
func caps(text string) *mesos.CapabilityInfo {
	if text == "unset" {
		return nil
	}
	info := &mesos.CapabilityInfo{}
	for name := range strings.FieldsSeq(text) {
		c := mesos.CapabilityInfo_Capability(mesos.CapabilityInfo_Capability_value[name])
		info.Capabilities = append(info.Capabilities, c)
	}
	return info
}

var all = Held{Permitted: netRaw | chown | sysAdmin | setpcap, Bounding: netRaw | chown | sysAdmin | setpcap}

// Who may exceed what is as in Mesos.
func TestPrepare(t *testing.T) {
	for name, c := range map[string]struct {
		operator [2]string // effective, bounding
		task     [2]string
		want     *plan.Capabilities
		fails    []string
	}{
		"nobody asks":                 {operator: [2]string{"unset", "unset"}, task: [2]string{"unset", "unset"}},
		"task alone":                  {operator: [2]string{"unset", "unset"}, task: [2]string{"NET_RAW", "unset"}, want: &plan.Capabilities{Effective: uint64(netRaw), Bounding: uint64(netRaw)}},
		"none at all":                 {operator: [2]string{"unset", "unset"}, task: [2]string{"", "unset"}, want: &plan.Capabilities{}},
		"task bounding alone":         {operator: [2]string{"unset", "unset"}, task: [2]string{"unset", "CHOWN"}, want: &plan.Capabilities{Bounding: uint64(chown), BoundingOnly: true}},
		"operator's default":          {operator: [2]string{"NET_RAW", "unset"}, task: [2]string{"unset", "unset"}, want: &plan.Capabilities{Effective: uint64(netRaw), Bounding: uint64(netRaw)}},
		"task above the default":      {operator: [2]string{"NET_RAW", "unset"}, task: [2]string{"CHOWN", "unset"}, want: &plan.Capabilities{Effective: uint64(chown), Bounding: uint64(chown)}},
		"task within bounding":        {operator: [2]string{"NET_RAW", "NET_RAW CHOWN"}, task: [2]string{"CHOWN", "unset"}, want: &plan.Capabilities{Effective: uint64(chown), Bounding: uint64(chown | netRaw)}},
		"task above bounding":         {operator: [2]string{"NET_RAW", "NET_RAW"}, task: [2]string{"CHOWN NET_RAW", "unset"}, fails: []string{"container.linux_info.effective_capabilities", "CHOWN", "only NET_RAW"}},
		"task bounding above":         {operator: [2]string{"unset", "NET_RAW"}, task: [2]string{"unset", "SYS_ADMIN"}, fails: []string{"container.linux_info.bounding_capabilities", "SYS_ADMIN", "only NET_RAW"}},
		"effective above bounding":    {operator: [2]string{"unset", "unset"}, task: [2]string{"CHOWN", "NET_RAW"}, fails: []string{"effective_capabilities", "CHOWN", "only NET_RAW"}},
		"default above task bounding": {operator: [2]string{"CHOWN", "unset"}, task: [2]string{"unset", "NET_RAW"}, fails: []string{"CHOWN", "only NET_RAW"}},
		"not the agent's to give":     {operator: [2]string{"unset", "unset"}, task: [2]string{"SYS_RESOURCE", "unset"}, fails: []string{"effective_capabilities", "SYS_RESOURCE", "agent does not have it"}},
		"unknown":                     {operator: [2]string{"unset", "unset"}, task: [2]string{"NOT_A_CAPABILITY", "unset"}, fails: []string{"effective_capabilities.capabilities[0]", "UNKNOWN", "no capability"}},
		"unknown to the kernel":       {operator: [2]string{"unset", "unset"}, task: [2]string{"unset", "CHECKPOINT_RESTORE"}, fails: []string{"bounding_capabilities.capabilities[0]", "CHECKPOINT_RESTORE", "kernel"}},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := within(Settings{Effective: caps(c.operator[0]), Bounding: caps(c.operator[1])}, all, 39)
			if err != nil {
				t.Fatal(err)
			}
			info := &mesos.ContainerInfo{LinuxInfo: &mesos.LinuxInfo{EffectiveCapabilities: caps(c.task[0]), BoundingCapabilities: caps(c.task[1])}}
			expect(t, i, info, c.want, c.fails)
		})
	}
}

func expect(t *testing.T, i *Isolator, info *mesos.ContainerInfo, want *plan.Capabilities, fails []string) {
	t.Helper()
	var p plan.Plan
	err := i.Prepare(context.Background(), &isolator.Container{Info: info}, &p)
	if (err != nil) != (fails != nil) {
		t.Fatalf("error %v, want one with %q", err, fails)
	}
	for _, word := range fails {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if got := p.Capabilities; fails == nil && (got == nil) != (want == nil) || got != nil && *got != *want {
		t.Errorf("planned %+v, want %+v", got, want)
	}
}

func TestTheDeprecatedFieldStillCounts(t *testing.T) {
	i, err := within(Settings{}, all, 40)
	if err != nil {
		t.Fatal(err)
	}
	old := func(l *mesos.LinuxInfo) *mesos.ContainerInfo {
		m := l.ProtoReflect()
		f := m.Descriptor().Fields().ByName("capability_info")
		m.Mutable(f).Message().Set(f.Message().Fields().ByName("capabilities"),
			caps("CHOWN").ProtoReflect().Get(f.Message().Fields().ByName("capabilities")))
		return &mesos.ContainerInfo{LinuxInfo: l}
	}
	expect(t, i, old(&mesos.LinuxInfo{}), &plan.Capabilities{Effective: uint64(chown), Bounding: uint64(chown)}, nil)
	expect(t, i, old(&mesos.LinuxInfo{EffectiveCapabilities: caps("CHOWN")}), nil, []string{"capability_info", "only one"})
}

func TestSettingsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		s     Settings
		held  Held
		words []string
	}{
		"not root":        {Settings{}, Held{}, []string{Name, "root", "SETPCAP"}},
		"unknown":         {Settings{Effective: caps("WHAT")}, all, []string{"--effective_capabilities.capabilities[0]", "UNKNOWN"}},
		"unknown bounds":  {Settings{Bounding: caps("CHOWN WHAT")}, all, []string{"--bounding_capabilities.capabilities[1]", "UNKNOWN"}},
		"above the bound": {Settings{Effective: caps("CHOWN"), Bounding: caps("NET_RAW")}, all, []string{"--effective_capabilities", "CHOWN", "--bounding_capabilities", "NET_RAW"}},
		"not its own":     {Settings{Effective: caps("SYS_RESOURCE")}, all, []string{"--effective_capabilities", "SYS_RESOURCE", "cannot give"}},
	} {
		_, err := within(c.s, c.held, 40)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", name, err, word)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for number := range 41 {
		s := Set(1) << number
		if got, err := Parse("CAP_" + s.String()); err != nil || got != s {
			t.Errorf("%d is %s, which is read as %d, %v", number, s, got, err)
		}
	}
	for _, bad := range []string{"", "NET_RAW", "CAP_", "CAP_UNKNOWN", "CAP_NONE", "cap_net_raw"} {
		if s, err := Parse(bad); err == nil {
			t.Errorf("%q is read as %s", bad, s)
		}
	}
	if got := (netRaw | chown | 1<<50).String(); got != "CHOWN,NET_RAW,50" {
		t.Error(got)
	}
}
