package capabilities

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

const nobody = 65534

func prepared(t *testing.T, s Settings, l *mesos.LinuxInfo) *plan.Plan {
	t.Helper()
	i, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{}
	if err := i.Prepare(context.Background(), &isolator.Container{Info: &mesos.ContainerInfo{LinuxInfo: l}}, p); err != nil {
		t.Fatal(err)
	}
	return p
}

// A file of root's is root's to give away; chown(1) shows who may.
func TestProgramsHaveWhatWasGiven(t *testing.T) {
	target := filepath.Join(isolatortest.Folder(t), "file")
	if err := os.WriteFile(target, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	chown := "chown 12345 " + target
	for name, c := range map[string]struct {
		user      int
		s         Settings
		effective *mesos.CapabilityInfo
		may       bool
	}{
		"root, without the isolator's word":    {user: 0, may: true},
		"nobody, without the isolator's word":  {user: nobody},
		"root without any":                     {user: 0, effective: caps("")},
		"root with another":                    {user: 0, effective: caps("NET_RAW")},
		"root with another, within more":       {user: 0, s: Settings{Bounding: caps("NET_RAW CHOWN")}, effective: caps("NET_RAW")},
		"root with it":                         {user: 0, effective: caps("CHOWN"), may: true},
		"nobody with it":                       {user: nobody, effective: caps("CHOWN"), may: true},
		"root, the operator allows another":    {user: 0, s: Settings{Bounding: caps("NET_RAW")}},
		"root, the operator allows it":         {user: 0, s: Settings{Bounding: caps("CHOWN")}, may: true},
		"nobody, the operator only allows it":  {user: nobody, s: Settings{Bounding: caps("CHOWN")}},
		"nobody, the operator gives it to all": {user: nobody, s: Settings{Effective: caps("CHOWN")}, may: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := isolatortest.Shell(t, prepared(t, c.s, &mesos.LinuxInfo{EffectiveCapabilities: c.effective}), c.user, chown)
			if (r.Code == 0) != c.may || !c.may && !strings.Contains(r.Stderr, "not permitted") {
				t.Errorf("chown ended with %d, %q; permitted: %v", r.Code, r.Stderr, c.may)
			}
		})
	}
}

// What a program starts, set-uid files included, has no more than the bounding
// set.
func TestTheBoundHoldsForSetUID(t *testing.T) {
	tool := filepath.Join(isolatortest.Folder(t), "cat")
	content, err := os.ReadFile("/usr/bin/cat")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tool, content, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tool, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	bounded := func(s Settings) string {
		r := isolatortest.Shell(t, prepared(t, s, nil), nobody, tool+" /proc/self/status")
		for line := range strings.Lines(r.Stdout) {
			if rest, ok := strings.CutPrefix(line, "CapEff:"); ok {
				return strings.TrimSpace(rest)
			}
		}
		t.Fatalf("no capabilities in %+v", r)
		return ""
	}
	held, err := Hold()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bounded(Settings{}), fmt.Sprintf("%016x", uint64(held.Bounding)); got != want {
		t.Errorf("without a bound set-uid root has %s, want %s", got, want)
	}
	if got, want := bounded(Settings{Bounding: caps("NET_RAW CHOWN")}), fmt.Sprintf("%016x", uint64(netRaw|chown)); got != want {
		t.Errorf("with a bound set-uid root has %s, want %s", got, want)
	}
}
