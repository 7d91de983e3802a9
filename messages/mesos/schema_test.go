package mesos_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "troupe/messages/mesos"
	_ "troupe/messages/mesos/agent"
	_ "troupe/messages/mesos/allocator"
	_ "troupe/messages/mesos/executor"
	_ "troupe/messages/mesos/maintenance"
	_ "troupe/messages/mesos/master"
	_ "troupe/messages/mesos/quota"
	_ "troupe/messages/mesos/resourceprovider"
	_ "troupe/messages/mesos/scheduler"
)

// TestSchemaIsMesosV1 compares every message, field and enum value with the
// facts of the Mesos v1 schema: its own names, numbers, labels, types and
// defaults, no more and no less.
func TestSchemaIsMesosV1(t *testing.T) {
	data, err := os.ReadFile("testdata/schema.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(data)), "\n")
	got := schema()
	if len(want) < 2000 {
		t.Fatalf("testdata/schema.txt has %d facts", len(want))
	}
	report(t, "missing", want, got)
	report(t, "too much", got, want)
}

// report names the lines of list that others lacks.
func report(t *testing.T, what string, list, others []string) {
	t.Helper()
	has := map[string]bool{}
	for _, line := range others {
		has[line] = true
	}
	for _, line := range list {
		if !has[line] {
			t.Errorf("%s: %s", what, line)
		}
	}
}

// schema prints the descriptors of mesos.v1 and the packages below it.
func schema() []string {
	var lines []string
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if p := string(f.Package()); p == "mesos.v1" || strings.HasPrefix(p, "mesos.v1.") {
			lines = appendMessages(lines, f.Messages())
			lines = appendEnums(lines, f.Enums())
		}
		return true
	})
	slices.Sort(lines)
	return lines
}

func appendMessages(lines []string, messages protoreflect.MessageDescriptors) []string {
	for i := range messages.Len() {
		m := messages.Get(i)
		lines = append(lines, string(m.FullName()))
		for j := range m.Fields().Len() {
			lines = append(lines, fieldLine(m.Fields().Get(j)))
		}
		lines = appendMessages(lines, m.Messages())
		lines = appendEnums(lines, m.Enums())
	}
	return lines
}

func fieldLine(f protoreflect.FieldDescriptor) string {
	kind := f.Kind().String()
	switch {
	case f.Enum() != nil:
		kind = string(f.Enum().FullName())
	case f.Message() != nil:
		kind = string(f.Message().FullName())
	}
	line := string(f.FullName()) + " " + strconv.Itoa(int(f.Number())) + " " + f.Cardinality().String() + " " + kind
	if !f.HasDefault() {
		return line
	}
	if f.Enum() != nil {
		return line + " =" + string(f.DefaultEnumValue().Name())
	}
	return line + " =" + f.Default().String()
}

func appendEnums(lines []string, enums protoreflect.EnumDescriptors) []string {
	for i := range enums.Len() {
		e := enums.Get(i)
		for j := range e.Values().Len() {
			v := e.Values().Get(j)
			lines = append(lines, string(e.FullName())+"."+string(v.Name())+" "+strconv.Itoa(int(v.Number()))+" enum")
		}
	}
	return lines
}
