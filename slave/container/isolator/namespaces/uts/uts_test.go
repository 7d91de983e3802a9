package uts

import (
	"context"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

// TestHostnames are a container's own: it has what it asked for, and what it changes
// nobody sees.
func TestHostnames(t *testing.T) {
	i, err := New()
	if err != nil || i.Name() != "namespaces/uts" {
		t.Fatal(i.Name(), err)
	}
	before, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": before, "mine": "mine"} {
		var p plan.Plan
		c := &isolator.Container{Info: &mesos.ContainerInfo{Hostname: proto.String(name)}}
		if err := i.Prepare(context.Background(), c, &p); err != nil {
			t.Fatal(err)
		}
		if got := isolatortest.Shell(t, &p, 0, "hostname; hostname changed; hostname").Stdout; got != want+"\nchanged\n" {
			t.Errorf("%q: %q", name, got)
		}
	}
	if after, err := os.Hostname(); after != before || err != nil {
		t.Errorf("the machine is called %q, %v", after, err)
	}
	var p plan.Plan
	nested := &isolator.Container{Parent: &isolator.Container{}}
	if err := i.Prepare(context.Background(), nested, &p); err != nil || !p.Plain() {
		t.Errorf("a nested one has %+v, %v", p, err)
	}
	long := &isolator.Container{Info: &mesos.ContainerInfo{Hostname: proto.String(strings.Repeat("x", 65))}}
	if err := i.Prepare(context.Background(), long, &p); err == nil || !strings.Contains(err.Error(), "hostname") {
		t.Errorf("a long name: %v", err)
	}
}
