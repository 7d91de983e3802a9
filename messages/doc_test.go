package messages_test

import (
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// table reads the table of doc.go: by message, who repeats it and until when.
func table(t *testing.T) map[string][2]string {
	t.Helper()
	data, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][2]string{}
	for line := range strings.Lines(string(data)) {
		row, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "//\t")
		if !ok || len(row) < 59 || strings.HasPrefix(row, "MESSAGE") || strings.HasSuffix(row, ":") {
			continue
		}
		names, by, until := strings.TrimSpace(row[:29]), strings.TrimSpace(row[29:58]), strings.TrimSpace(row[58:])
		for name := range strings.SplitSeq(names, ", ") {
			if _, twice := rows[name]; twice {
				t.Errorf("%s is in the table twice", name)
			}
			rows[name] = [2]string{by, until}
		}
	}
	return rows
}

// TestEveryMessageIsOwned shows that doc.go says for every message who repeats
// it until what, and names none that does not exist.
func TestEveryMessageIsOwned(t *testing.T) {
	rows := table(t)
	exists := map[string]bool{}
	protoregistry.GlobalFiles.RangeFilesByPackage("troupe.cluster", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Messages().Len() {
			name := string(f.Messages().Get(i).Name())
			exists[name] = true
			if row, ok := rows[name]; !ok || row[0] == "" || row[1] == "" {
				t.Errorf("%s of %s is not in the table of doc.go, or its row has a gap", name, f.Path())
			}
		}
		return true
	})
	for name := range rows {
		if shouted := strings.ToUpper(name) == name; !shouted && !strings.Contains(name, " ") && !exists[name] {
			t.Errorf("the table of doc.go has %s, which is no message", name)
		}
	}
	if len(exists) < 40 {
		t.Errorf("only %d messages were found", len(exists))
	}
}

// TestEveryTypeIsExplained shows that every message and enum in a .proto file
// has a comment.
func TestEveryTypeIsExplained(t *testing.T) {
	types := 0
	err := walk(".", ".proto", func(path string, data []byte) {
		lines := strings.Split(string(data), "\n")
		for i, line := range lines {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if word != "message" && word != "enum" {
				continue
			}
			types++
			if i == 0 || !strings.HasPrefix(strings.TrimSpace(lines[i-1]), "//") {
				t.Errorf("%s:%d: no comment above %s", path, i+1, strings.TrimSpace(line))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if types < 300 {
		t.Errorf("only %d types were found", types)
	}
}
