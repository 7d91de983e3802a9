package nnp

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/isolatortest"
	"troupe/slave/container/plan"
)

const nobody = 65534

// setUID is a program of root's that shows whom it runs as, for everybody to
// start.
func setUID(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(isolatortest.Folder(t), "id")
	content, err := os.ReadFile("/usr/bin/id")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tool, content, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tool, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	return tool
}

func TestSetUIDFilesGiveNothing(t *testing.T) {
	tool := setUID(t)
	i, err := New()
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{}
	if r := isolatortest.Run(t, p, nobody, tool, "-u"); strings.TrimSpace(r.Stdout) != "0" {
		t.Fatalf("without the isolator a set-uid file runs as %+v, want root", r)
	}
	if err := i.Prepare(context.Background(), &isolator.Container{}, p); err != nil {
		t.Fatal(err)
	}
	if r := isolatortest.Run(t, p, nobody, tool, "-u"); strings.TrimSpace(r.Stdout) != "65534" {
		t.Errorf("with it a set-uid file runs as %+v, want nobody", r)
	}
	if p.Plain() {
		t.Error("the plan is taken for one that needs no init")
	}
}
