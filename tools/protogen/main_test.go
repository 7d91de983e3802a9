package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// TestCommittedCodeIsUpToDate generates everything anew and compares it with
// what is committed.
func TestCommittedCodeIsUpToDate(t *testing.T) {
	out := t.TempDir()
	if err := run(root, out); err != nil {
		t.Fatal(err)
	}
	fresh, committed := generated(t, out), generated(t, root)
	for name, want := range fresh {
		if got, ok := committed[name]; !ok || !bytes.Equal(got, want) {
			t.Errorf("%s is not what its .proto file says: run go run ./tools/protogen", name)
		}
	}
	for name := range committed {
		if _, ok := fresh[name]; !ok {
			t.Errorf("%s has no .proto file: remove it", name)
		}
	}
	if len(fresh) < 10 {
		t.Errorf("only %d files were generated", len(fresh))
	}
}

// generated reads the .pb.go files below dir/messages.
func generated(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(dir, "messages"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".pb.go") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestErrorsNameFileAndLine(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "messages"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "syntax = \"proto2\";\nmessage M {\n  required Unknown x = 1;\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "messages", "bad.proto"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	err := run(dir, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "messages/bad.proto:3:") {
		t.Errorf("got %v", err)
	}
}
