package pid

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

func prepare(t *testing.T, disallow bool, c *isolator.Container) (plan.Plan, error) {
	t.Helper()
	i, err := New(disallow)
	if err != nil {
		t.Fatal(err)
	}
	if i.Name() != "namespaces/pid" {
		t.Errorf("it is called %q", i.Name())
	}
	var p plan.Plan
	err = i.Prepare(context.Background(), c, &p)
	return p, err
}

func sharing() *mesos.ContainerInfo {
	return &mesos.ContainerInfo{LinuxInfo: &mesos.LinuxInfo{SharePidNamespace: proto.Bool(true)}}
}

// TestOthersCannotBeSeenOrSignalled in a namespace, and can without.
func TestOthersCannotBeSeenOrSignalled(t *testing.T) {
	ask := "set -- /proc/[0-9]*; echo $#; test -d /proc/" + strconv.Itoa(os.Getpid()) + "/fd && echo seen; kill -0 " + strconv.Itoa(os.Getpid()) + " && echo signalled; exit 0"
	p, err := prepare(t, true, &isolator.Container{})
	if err != nil {
		t.Fatal(err)
	}
	if got := isolatortest.Shell(t, &p, 0, ask).Stdout; got != "2\n" {
		t.Errorf("inside: %q", got)
	}
	if p, err = prepare(t, false, &isolator.Container{Info: sharing()}); err != nil {
		t.Fatal(err)
	}
	if !p.Plain() {
		t.Errorf("who shares has %+v", p)
	}
	if got := isolatortest.Shell(t, &p, 0, ask).Stdout; !strings.HasSuffix(got, "\nseen\nsignalled\n") {
		t.Errorf("sharing the agent's: %q", got)
	}
}

// TestSharingTheAgentsMayBeRefused, but not the sharing of a parent's.
func TestSharingTheAgentsMayBeRefused(t *testing.T) {
	_, err := prepare(t, true, &isolator.Container{Info: sharing()})
	if err == nil || !strings.Contains(err.Error(), "share_pid_namespace") {
		t.Errorf("%v", err)
	}
	p, err := prepare(t, true, &isolator.Container{Info: sharing(), Parent: &isolator.Container{}})
	if err != nil || !p.Plain() {
		t.Errorf("nested: %+v, %v", p, err)
	}
}

// TestRootsHaveAProcOfTheirOwn that changes nothing of the machine.
func TestRootsHaveAProcOfTheirOwn(t *testing.T) {
	i, err := New(false)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Plan{Root: "/proc/self/root"}
	if err := i.Prepare(context.Background(), &isolator.Container{}, &p); err != nil {
		t.Fatal(err)
	}
	p.Root = ""
	for n := range p.Mounts {
		p.Mounts[n].Target = strings.TrimPrefix(p.Mounts[n].Target, "/proc/self/root")
		p.Mounts[n].Source = strings.TrimPrefix(p.Mounts[n].Source, "/proc/self/root")
	}
	got := isolatortest.Shell(t, &p, 0, "(echo 1 >/proc/sys/vm/drop_caches) 2>/dev/null || echo refused; cat /proc/sys/kernel/ostype").Stdout
	if got != "refused\nLinux\n" {
		t.Errorf("%q", got)
	}
}
